import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { eventually } from '../../scripts/eventually.ts'
import { deleteItem } from '../../shared/adapters/aws/dynamo.ts'
import { keys } from '../../shared/adapters/aws/table.ts'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import type { NewWebhookSecretJson } from '../../shared/admin/webhook-secrets.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { runPostern } from '../cli/admin-server.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type ReceivedCall, type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
/** What each direction was signed with first. */
let first: { readonly out: string; readonly in: string }
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

before(async () => {
  postern = await testPostern(context)
  application = await webhookReceiver(context, ({ headers, json }) =>
    String(json.Subject).startsWith('retried') && headers['x-mox-webhook-attempt'] === '1' ? 500 : 200,
  )
  const { NewWebhookSecrets } = await postern.admin.patch<AccountDetailsJson>('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out`, Authorization: 'Bearer x' },
    IncomingWebhook: { URL: `${application.url}/in` },
  })
  const { Outgoing, Incoming } = NewWebhookSecrets ?? {}
  assert.ok(Outgoing && Incoming, 'both are answered with the change')
  first = { out: Outgoing, in: Incoming }
  // Beyond what a running function remembers of the options.
  await move('+10s')
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** As an operator does it. A verifier whose clock is not moved accepts times of up to five minutes from now. */
async function move(duration: string): Promise<void> {
  const outcome = await runPostern(['time', duration], { POSTERN_URL: postern.local.cloud.apiUrl })
  assert.equal(outcome.stderr, '')
}

async function send(Subject: string, Text = 'Grüße'): Promise<void> {
  const { status, json } = await postern.call('Send', { To: [{ Address: 'ann@other.test' }], Subject, Text })
  assert.equal(status, 200, JSON.stringify(json))
}

async function callsAbout(subject: string, path: 'out' | 'in', count: number) {
  return await eventually(`${count} calls to ${path} about ${subject}`, () => {
    const calls = application.calls.filter(
      (call) => call.path === `/${path}` && call.json.Subject === subject,
    )
    return calls.length >= count && calls
  })
}

/** Until the first call is told to wait: what is still attempted when time moves is not looked at then. */
async function failedOnce(subject: string, path: 'out' | 'in'): Promise<void> {
  const [{ headers } = assert.fail()] = await callsAbout(subject, path, 1)
  const id = Number(headers['x-mox-webhook-id']) as RowId
  const { calls } = storesOf(postern.table)
  await eventually('the call waits', async () => (await calls.read('postern', id))?.state === 'waiting')
}

/** As an application does it; throws where the signature is of another secret, id, time or body. */
function verify(secret: string, { headers, text }: ReceivedCall): void {
  new Webhook(secret).verify(text, headers as Record<string, string>)
}

function signatureCount({ headers }: ReceivedCall): number {
  return String(headers['webhook-signature']).split(' ').length
}

/** Longer than what lies in the row of a call. */
const stored = 'some wörds <&> '.repeat(500)
for (const { subject, text } of [
  { subject: 'retried grüße', text: 'Grüße <&>' },
  { subject: 'retried stored', text: stored },
]) {
  test(`Standard Webhooks: calls are signed over their exact body, the first time and again: ${subject}`, async () => {
    await send(subject, text)
    for (const path of ['out', 'in'] as const) await failedOnce(subject, path)
    await move('+65s')
    const ids = []
    for (const path of ['out', 'in'] as const) {
      const calls = await callsAbout(subject, path, 2)
      for (const call of calls) {
        verify(first[path], call)
        assert.throws(() => verify(first[path === 'out' ? 'in' : 'out'], call), /No matching signature/)
        assert.throws(() => verify(first[path], { ...call, text: `${call.text} ` }), /No matching signature/)
        assert.equal(call.headers.authorization, path === 'out' ? 'Bearer x' : undefined)
      }
      const [one, two, ...more] = calls.map(({ headers }) => headers)
      assert.deepEqual([one?.['x-mox-webhook-attempt'], two?.['x-mox-webhook-attempt']], ['1', '2'])
      assert.equal(one?.['webhook-id'], `msg_${one?.['x-mox-webhook-id']}_postern`)
      assert.equal(two?.['webhook-id'], one?.['webhook-id'])
      assert.ok(Number(two?.['webhook-timestamp']) - Number(one?.['webhook-timestamp']) >= 55)
      assert.deepEqual(more, [])
      ids.push(one?.['webhook-id'])
    }
    assert.notEqual(ids[0], ids[1])
  })
}

test('Standard Webhooks: after a rotation both secrets sign, until the old one is ended', async () => {
  const path = '/accounts/postern/webhook-secrets/outgoing'
  const { Secret } = await postern.admin.post<NewWebhookSecretJson>(path, {})
  await send('rotated')
  const [both = assert.fail()] = await callsAbout('rotated', 'out', 1)
  verify(first.out, both)
  verify(Secret, both)
  assert.equal(signatureCount(both), 2)
  const [other = assert.fail()] = await callsAbout('rotated', 'in', 1)
  verify(first.in, other)
  assert.equal(signatureCount(other), 1)

  await postern.admin.remove(`${path}/previous`)
  await send('ended')
  const [one = assert.fail()] = await callsAbout('ended', 'out', 1)
  verify(Secret, one)
  assert.throws(() => verify(first.out, one), /No matching signature/)
  assert.equal(signatureCount(one), 1)
})

test('rotations at the same time each get a secret of their own, and the last two sign', async () => {
  const path = '/accounts/postern/webhook-secrets/incoming'
  const rotate = () => postern.admin.post<NewWebhookSecretJson>(path, {})
  const made = await Promise.all([rotate(), rotate(), rotate()])
  assert.equal(new Set(made.map(({ Secret }) => Secret)).size, 3)
  await send('raced')
  const [call = assert.fail()] = await callsAbout('raced', 'in', 1)
  const valid = [first.in, ...made.map(({ Secret }) => Secret)].filter((secret) => isSignedBy(secret, call))
  assert.equal(valid.length, 2)
  assert.ok(!valid.includes(first.in))
})

test('without a secret a call has mox’s headers only', async () => {
  await deleteItem(postern.table, keys.signingSecret('postern', 'outgoing'))
  await send('unsigned')
  const [{ headers } = assert.fail()] = await callsAbout('unsigned', 'out', 1)
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('webhook-')),
    [],
  )
  assert.equal(headers['x-mox-webhook-attempt'], '1')
})

function isSignedBy(secret: string, call: ReceivedCall): boolean {
  try {
    verify(secret, call)
    return true
  } catch {
    return false
  }
}
