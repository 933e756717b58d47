import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { eventually } from '../support/eventually.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: `${application.url}/out`, Authorization: '', Events: [] },
  })
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('AT-41c, AT-41d: a 550 suppresses the base address; the next message to it fails without a connection', async () => {
  const failed = await eventOf('Bob.Smith+permerror@remote.test')
  assert.deepEqual([failed.Event, failed.SMTPCode, failed.Suppressing], ['failed', 550, true])
  const suppressed = await eventOf('bobsmith+other@remote.test')
  assert.deepEqual([suppressed.Event, suppressed.SMTPCode, suppressed.Suppressing], ['suppressed', 0, false])
  assert.match(String(suppressed.Error), /bobsmith@remote\.test is on the suppression list/)
  const mails = await postern.admin.get<{ RcptTo: string }[]>('/mail')
  assert.deepEqual(
    mails.filter(({ RcptTo }) => RcptTo.includes('other@')),
    [],
  )
  const store = dynamoSuppressionStore(postern.table)
  const [entry] = await store.list('postern')
  assert.equal(entry?.baseAddress, 'bobsmith@remote.test')
  assert.equal(await store.remove('postern', 'bobsmith@remote.test'), true)
  assert.equal(await store.remove('postern', 'bobsmith@remote.test'), false)
})

test('AT-74: the third message in a row that fails for good suppresses; a delivery begins anew', async () => {
  const events = []
  for (let tries = 0; tries < 3; tries++) events.push(await eventOf('carol+554@remote.test'))
  assert.deepEqual(
    events.map(({ Suppressing }) => Suppressing),
    [false, false, true],
  )
})

test('AT-69: a suppressed recipient of a shared transaction does not keep the others from theirs', async () => {
  await eventOf('dan+permerror@shared.test')
  const before = application.calls.length
  await postern.call('Send', {
    To: [{ Address: 'dan@shared.test' }, { Address: 'eve@shared.test' }],
    Text: 'x',
  })
  const events = await eventually('both events', () => {
    const calls = application.calls.slice(before).map(({ json }) => json.Event)
    return calls.length === 2 && calls
  })
  assert.deepEqual(events.sort(), ['delivered', 'suppressed'])
})

async function eventOf(recipient: string): Promise<Record<string, unknown>> {
  const sent = await postern.call('Send', { To: [{ Address: recipient }], Text: 'x' })
  const [submission] = sent.json.Submissions as { QueueMsgID: number }[]
  return await eventually(`an event for ${recipient}`, () => {
    return application.calls.find(({ json }) => json.QueueMsgID === submission?.QueueMsgID)?.json
  })
}

test('AT-17, AT-18, AT-19: the webapi adds, finds and removes by base address, and says what is wrong', async () => {
  const add = async (EmailAddress: string) =>
    await postern.call('SuppressionAdd', { EmailAddress, Manual: true, Reason: 'asked to stop' })
  assert.deepEqual(await add('First.Last-x@☺.test'), { status: 200, json: {} })
  for (const again of ['First.Last-x@☺.test', 'firstlast+y@☺.test']) {
    assert.deepEqual([(await add(again)).status, (await add(again)).json.Code], [400, 'error'])
  }
  assert.equal((await add('no address')).json.Code, 'badAddress')

  const { Suppressions } = (await postern.call('SuppressionList', {})).json as {
    Suppressions: Record<string, unknown>[]
  }
  const entry = Suppressions.find(({ BaseAddress }) => BaseAddress === 'firstlast@☺.test')
  assert.deepEqual(
    [entry?.OriginalAddress, entry?.Manual, entry?.Reason, entry?.Account],
    ['First.Last-x@☺.test', true, 'asked to stop', 'postern'],
  )
  const present = async (EmailAddress: string) =>
    (await postern.call('SuppressionPresent', { EmailAddress })).json.Present
  assert.equal(await present('other@☺.test'), false)
  for (const spelled of ['firstlast@☺.test', 'firstlast@xn--74h.test', 'First.Last-x@☺.test']) {
    assert.equal(await present(spelled), true, spelled)
  }
  const remove = async () => await postern.call('SuppressionRemove', { EmailAddress: 'FIRSTLAST@☺.test' })
  assert.deepEqual(await remove(), { status: 200, json: {} })
  assert.equal((await remove()).json.Code, 'error')
})
