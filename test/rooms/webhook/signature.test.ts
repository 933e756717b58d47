import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import type { RowId } from '../../../shared/base/row-id.ts'
import { signatureHeaders } from '../../../shared/webhook/signature.ts'
import { newSigningSecret, validSecrets } from '../../../shared/webhook/signing-secret.ts'
import { callName } from '../../../shared/webhook/webhook-call.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { webhookCall } from '../admin/webhook-call.ts'

const HOUR = 3_600_000
const NOW = Date.UTC(2026, 5, 1)
const random = seededRandom()

/** The example that Standard Webhooks tests its libraries with. */
const published = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  content: {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: 1_614_265_330_999,
    body: Buffer.from('{"test": 2432232314}'),
  },
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}

test('Standard Webhooks: a signature is that of the published example, its time in whole seconds', () => {
  const { secret, content, signature } = published
  assert.deepEqual(signatureHeaders([secret], content), {
    'webhook-id': content.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': signature,
  })
})

test('Standard Webhooks: several signatures are separated by spaces, in the order of their secrets', () => {
  const { secret, content, signature } = published
  const other = newSigningSecret(undefined, NOW, random).secret
  const { 'webhook-signature': both = '' } = signatureHeaders([other, secret], content)
  const [first, second, ...more] = both.split(' ')
  assert.match(first ?? '', /^v1,[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual([second, more], [signature, []])
})

test('without a secret there is no header of Standard Webhooks', () => {
  assert.deepEqual(signatureHeaders([], published.content), {})
})

test('Standard Webhooks: its library accepts what is signed, and nothing that was changed', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(), (value, milliseconds) => {
      const { secret } = newSigningSecret(undefined, NOW, random)
      const at = Date.now() - (milliseconds % 60_000)
      const body = JSON.stringify(value)
      const headers = signatureHeaders([secret], { id: 'msg_1_shop', at, body: Buffer.from(body) })
      const webhook = new Webhook(secret)
      assert.deepEqual(webhook.verify(body, headers), JSON.parse(body))
      assert.throws(() => webhook.verify(`${body} `, headers))
      assert.throws(() => webhook.verify(body, { ...headers, 'webhook-id': 'msg_1_other' }))
    }),
    { numRuns: 50 },
  )
})

test('Standard Webhooks: a secret is whsec_ and the base64 of 24 to 64 octets, and never the same', () => {
  const secrets = Array.from({ length: 20 }, () => newSigningSecret(undefined, NOW, random).secret)
  for (const secret of secrets) {
    assert.match(secret, /^whsec_[A-Za-z0-9+/]+=*$/)
    assert.equal(Buffer.from(secret.slice('whsec_'.length), 'base64').length, 32)
  }
  assert.equal(new Set(secrets).size, secrets.length)
})

test('a new secret signs together with the one before it for 24 hours, and never with an older one', () => {
  const first = newSigningSecret(undefined, NOW, random)
  const second = newSigningSecret(first, NOW + HOUR, random)
  const third = newSigningSecret(second, NOW + 2 * HOUR, random)
  const cases = [
    { signing: first, at: NOW, valid: [first] },
    { signing: second, at: NOW + HOUR, valid: [second, first] },
    { signing: second, at: NOW + 25 * HOUR - 1, valid: [second, first] },
    { signing: second, at: NOW + 25 * HOUR, valid: [second] },
    { signing: third, at: NOW + 2 * HOUR, valid: [third, second] },
  ]
  for (const { signing, at, valid } of cases) {
    assert.deepEqual(
      validSecrets(signing, at),
      valid.map(({ secret }) => secret),
    )
  }
})

test('Standard Webhooks: the name of a call has no dot, and no two accounts share one', () => {
  const accounts = ['shop', 'my.shop', 'my-shop', 'my_shop', 'a.b.c', 'a_b.c', '1']
  const names = accounts.map((account) => callName(webhookCall({ account, id: 115_318 as RowId })))
  assert.deepEqual(names.slice(0, 2), ['msg_115318_shop', 'msg_115318_my~shop'])
  assert.equal(new Set(names).size, accounts.length)
  for (const name of names) assert.doesNotMatch(name, /\./)
})
