import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { suite, test } from 'node:test'
import { type DomainName, parseDomainName } from '../../../shared/address/domain-name.ts'
import type { DkimSelectorJson } from '../../../shared/admin/dkim.ts'
import { open, sealingKeys } from '../../../shared/base/sealed.ts'
import { sealingContext } from '../../../shared/dkim/dkim-key-store.ts'
import { type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const domain = parseDomainName('shop.example')
const path = '/domains/shop.example/dkim'
const rsaPem = pemOf(2048)
const ed25519Pem = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

suite('DKIM selectors', () => {
  test('a key is made, sealed, and fits the record that is answered (RFC 6376 §3.6.1)', async () => {
    const admin = shop()
    const added = (await admin.done('POST', path, { Selector: 'one' })) as DkimSelectorJson
    assert.deepEqual(
      [added.Selector, added.Algorithm, added.Sign, added.Record.Name],
      ['one', 'rsa-sha256', true, 'one._domainkey.shop.example'],
    )
    const [, publicKey = ''] = /^v=DKIM1;h=sha256;p=([A-Za-z0-9+/]+=*)$/.exec(added.Record.Text) ?? []
    assert.equal(publicKeyOf(admin, domain, publicKey), publicKey)
    assert.deepEqual(await admin.done('GET', path), [added])
  })

  test('an Ed25519 record has the 32 octets of the key (RFC 8463 §4)', async () => {
    const { Record } = (await shop().done('POST', path, { PrivateKey: ed25519Pem })) as DkimSelectorJson
    const [, publicKey = ''] = /^v=DKIM1;h=sha256;k=ed25519;p=(.+)$/.exec(Record.Text) ?? []
    assert.equal(Buffer.from(publicKey, 'base64').length, 32)
  })

  test('names that nobody chose are the year and the next free letter', async () => {
    const admin = shop()
    const name = async () =>
      ((await admin.done('POST', path, { Algorithm: 'ed25519-sha256' })) as DkimSelectorJson).Selector
    const year = new Date(admin.ports.clock.now()).getUTCFullYear()
    assert.deepEqual([await name(), await name()], [`${year}a`, `${year}b`])
  })

  test('a selector is added without signing, begins and ends', async () => {
    const admin = shop()
    await admin.done('POST', path, { Selector: 'one', PrivateKey: ed25519Pem, Sign: false })
    const signs = () => admin.state.options.domains[domain]?.dkimSelectors?.map((each) => each.signs)
    assert.deepEqual(signs(), [false])
    await admin.done('PATCH', `${path}/one`, { Sign: true })
    assert.deepEqual(signs(), [true])
  })

  test('its key goes with a selector, and with the domain', async () => {
    const admin = shop()
    await admin.done('POST', path, { Selector: 'one', Algorithm: 'ed25519-sha256' })
    await admin.done('POST', path, { Selector: 'two', Algorithm: 'ed25519-sha256' })
    await admin.done('DELETE', `${path}/one`)
    assert.equal(admin.state.dkimKeys.size, 1)
    await admin.done('DELETE', '/domains/shop.example')
    assert.equal(admin.state.dkimKeys.size, 0)
  })

  test('settings of the domain leave its selectors alone', async () => {
    const admin = shop()
    await admin.done('POST', path, { Selector: 'one', PrivateKey: ed25519Pem })
    await admin.done('PUT', '/domains/shop.example', { LocalpartCatchallSeparators: ['-'] })
    await admin.done('PATCH', '/domains/shop.example', { Disabled: true })
    assert.equal(((await admin.done('GET', path)) as object[]).length, 1)
  })

  const refusals: readonly [string, object, string][] = [
    [
      'a selector that is there',
      { Selector: 'taken', PrivateKey: ed25519Pem },
      'Selector: there is a selector taken already',
    ],
    [
      'a name that is no label',
      { Selector: '-x' },
      'Selector: must be 1 to 63 lower-case letters, digits, dashes, and dots between them',
    ],
    ['what is no key', { PrivateKey: 'secret' }, 'PrivateKey: must be a private key as PEM, not encrypted'],
    [
      'a short RSA key (RFC 8301 §3.2)',
      { PrivateKey: pemOf(1024) },
      'PrivateKey: must have 2048 to 4096 bits as an RSA key, not 1024',
    ],
    [
      'an elliptic curve that DKIM has not',
      { PrivateKey: ecPem() },
      'PrivateKey: must be an RSA or Ed25519 key',
    ],
    [
      'a key of another algorithm',
      { Algorithm: 'ed25519-sha256', PrivateKey: rsaPem },
      'PrivateKey: must be a key for ed25519-sha256',
    ],
  ]
  for (const [what, body, message] of refusals) {
    test(`refused: ${what}`, async () => {
      const admin = shop()
      await admin.done('POST', path, { Selector: 'taken', Algorithm: 'ed25519-sha256' })
      assert.deepEqual(await admin.call('POST', path, body), {
        status: 400,
        json: { Code: 'user', Message: message },
      })
    })
  }

  test('refused: the ninth', async () => {
    const admin = shop()
    for (let count = 0; count < 8; count++) await admin.done('POST', path, { Algorithm: 'ed25519-sha256' })
    const { status, json } = await admin.call('POST', path, { Algorithm: 'ed25519-sha256' })
    assert.deepEqual(
      [status, json],
      [400, { Code: 'user', Message: 'Selector: a domain has at most 8 selectors' }],
    )
  })

  test('there are none of a domain that is not there', async () => {
    const { status } = await shop().call('GET', '/domains/other.example/dkim')
    assert.equal(status, 404)
  })
})

function shop(): TestAdmin {
  return testAdmin({ domains: { [domain]: { separators: ['+'], disabled: false } } })
}

function pemOf(modulusLength: number): string {
  return generateKeyPairSync('rsa', { modulusLength })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

function ecPem(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString()
}

/** The public half of what is kept. */
function publicKeyOf({ state }: TestAdmin, of: DomainName, publicKey: string): string {
  const sealed = state.dkimKeys.get(publicKey)
  assert.ok(sealed)
  const der = open(sealingKeys('sealing secret'), sealingContext(of, publicKey), sealed)
  const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
}
