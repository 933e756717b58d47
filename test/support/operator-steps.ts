import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { dynamoFailingStore } from '../../shared/adapters/aws/failing-store.ts'
import { dynamoOperationStore } from '../../shared/adapters/aws/operation-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoTlsResultsStore } from '../../shared/adapters/aws/tls-results-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import type { QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import type { ReportJson } from '../../shared/admin/reports.ts'
import type { TlsResultJson } from '../../shared/admin/tls-results.ts'
import type { WebhookTestJson } from '../../shared/admin/webhook-tests.ts'
import { DAY, MINUTE, SECOND } from '../../shared/base/clock.ts'
import { rowIdAt } from '../../shared/base/row-id.ts'
import { atBeginning, type Work } from '../../shared/operations/operation.ts'
import type { QueueStore } from '../../shared/queue/queue-store.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { byDayResults, dayOf } from '../../shared/tls-results/day-results.ts'
import { deliverRaw } from './deliver-raw.ts'
import { type Installation, large, read, type Step, sendTo, submitAsOperator } from './integration-steps.ts'
import { dmarcXml, reportMail } from './report-mails.ts'
import { tlsResult } from './tls-result.ts'

/** What operators do to both queues. */
export const operatorSteps: readonly Step[] = [
  { name: 'operator: hold rules are added, listed and removed', run: changeHoldRules },
  { name: 'operator: messages are held, released, scheduled and failed', run: actOnMessages },
  { name: 'operator: webhook calls are listed, scheduled and canceled', run: actOnCalls },
  { name: 'operator: a receiver is tried', run: tryReceiver },
  {
    name: 'operator: a webhook that failed for days is disabled by the sweep, and enabled',
    run: disableWebhook,
  },
  { name: 'operator: messages are dumped, small, stored and large', run: dumpMessages },
  { name: 'operator: a report comes in, and is listed and shown', run: readReport },
  { name: 'operator: what TLS came to is listed', run: listTlsResults },
  { name: 'operator: the sweep ends operations on both queues', run: sweepOperations },
  { name: 'operator: a message is held at its attempt, by a rule that it did not know', run: holdAtAttempt },
]

/** Of the function's lane and of the sender's. */
const ruledDomains = ['ruled.test', 'ruled.direct.test'] as const
/** When running programs must know the rules of {@link holdAtAttempt}. */
let ruleKnownAtMs = 0

async function changeHoldRules({ admin }: Installation): Promise<void> {
  const { ID } = await admin.post<{ ID: number }>('/holdrules', { Recipient: 'nobody.test' })
  for (const Recipient of ruledDomains) await admin.post('/holdrules', { Recipient })
  await admin.remove(`/holdrules/${ID}`)
  assert.equal((await admin.get<object[]>('/holdrules')).length, ruledDomains.length)
  ruleKnownAtMs = performance.now() + 5 * SECOND
}

async function actOnMessages(postern: Installation): Promise<void> {
  const { admin } = postern
  const rows = await submitNow(postern, 'acted on', ['a@later.test', 'b@later.test'])
  const [first, second] = rows.map(nameOf)
  const act = async (Action: string, IDs: readonly unknown[], more = {}) => {
    const { State, Changed } = await admin.post<OperationJson>('/queue/actions', {
      Action,
      Filter: { IDs },
      ...more,
    })
    assert.deepEqual([Action, State, Changed], [Action, 'done', IDs.length])
  }
  await act('hold', [first, second])
  await act('schedule', [first, second], { At: '2h' })
  await act('release', [first])
  await act('requiretls', [first], { RequireTLS: false })
  assert.equal((await admin.get<{ Hold: boolean }>(`/queue/${first}`)).Hold, false)
  await act('schedule', [first], { At: 'now' })
  await act('fail', [second])
  await eventually('one is delivered, the other has failed', async () => {
    const ended = await Promise.all(rows.map((row) => read(postern, row)))
    return ended.every((row) => row?.state === 'done' && row.owed === undefined)
  })
  assert.ok((await admin.get<object[]>('/queue/retired?to=%40later.test')).length === 2)
  assert.ok((await admin.get<object[]>('/operations')).length > 0)
}

async function actOnCalls(postern: Installation): Promise<void> {
  const { admin } = postern
  for (const Action of ['schedule', 'cancel']) {
    const call = await waitingCall(postern)
    const body = { Action, Filter: { IDs: [`${call.Account}/${call.ID}`] }, At: 'now' }
    assert.equal((await admin.post<OperationJson>('/webhooks/actions', withoutAt(body))).Changed, 1)
    await eventually(`the call is done after ${Action}`, async () =>
      (await admin.get<{ ID: number }[]>('/webhooks/retired')).some(({ ID }) => ID === call.ID),
    )
  }
}

/** Only schedule takes a time. */
function withoutAt({ At, ...body }: { readonly At: string; readonly Action: string }): object {
  return body.Action === 'schedule' ? { ...body, At } : body
}

/** The application refuses the first attempt of a call about such a message. */
async function waitingCall(postern: Installation): Promise<QueuedCallJson> {
  await sendTo(postern, ['flaky@one.test'], { Subject: 'flaky' })
  return await eventually('a call that waits', async () => {
    const calls = await postern.admin.get<QueuedCallJson[]>('/webhooks')
    return calls.find(({ Subject, Results }) => Subject === 'flaky' && Results[0]?.Code === 500)
  })
}

async function tryReceiver({ admin }: Installation): Promise<void> {
  const path = `/accounts/${localSeed.account}/webhook-tests/outgoing`
  const { Code, Done } = await admin.post<WebhookTestJson>(path, {})
  assert.deepEqual([Code, Done], [200, true])
}

async function readReport({ admin, smtpPort }: Installation): Promise<void> {
  await admin.patch('/domains/plain.test', { DMARCReportAddress: 'plain@plain.test' })
  // The listener may work with options that are five seconds old.
  await sleep(5 * SECOND)
  const { header, body } = reportMail('a@remote.test', [['text/xml', dmarcXml({ domain: 'plain.test' })]])
  await deliverRaw(smtpPort, 'a@remote.test', 'plain@plain.test', `${header}\r\n${body}`)
  const [report] = await admin.get<ReportJson[]>('/reports/dmarc?domain=plain.test')
  assert.equal((await admin.get<ReportJson>(`/reports/${report?.ID}`)).Passed, 7)
}

async function listTlsResults({ admin, table }: Installation): Promise<void> {
  const [row = assert.fail('no row')] = byDayResults([tlsResult()], dayOf(systemClock.now()))
  await dynamoTlsResultsStore(table).add(row, 'step')
  const [listed] = await admin.get<TlsResultJson[]>('/tls-results?domain=x.example')
  assert.equal(listed?.Policies[0]?.Succeeded, 1)
}

/** As if its calls had failed since the day before yesterday. */
async function disableWebhook({ admin, table, sweep }: Installation): Promise<void> {
  const IncomingWebhook = { URL: 'https://dead.test/hook', DisableAfterDays: 1 }
  await admin.put('/accounts/failing', { IncomingWebhook })
  const webhook = { account: 'failing', direction: 'incoming', url: IncomingWebhook.URL } as const
  const now = systemClock.now()
  const failing = { since: now - 2 * DAY, lastAt: now, error: 'refused' }
  await dynamoFailingStore(table, systemClock).note(webhook, undefined, failing)
  // It may work with options of five seconds ago.
  await eventually('the sweep disables it', async () => {
    await sweep()
    return (await admin.get<AccountDetailsJson>('/accounts/failing')).IncomingWebhook?.DisabledAt
  })
  const mails = await admin.get<{ Subject: string }[]>('/mail?account=failing')
  assert.deepEqual(
    mails.map(({ Subject }) => Subject),
    ['incoming webhook disabled'],
  )
  await admin.patch('/accounts/failing', { IncomingWebhook: { DisabledAt: null } })
  await admin.remove('/accounts/failing')
}

async function dumpMessages(postern: Installation): Promise<void> {
  const texts = { small: 'x', stored: large(), large: 'x'.repeat(5_000_000) }
  for (const [subject, text] of Object.entries(texts)) {
    const [row = assert.fail('no row')] = await submitNow(postern, subject, ['dumped@later.test'], text)
    const content = Buffer.from(await postern.admin.download(`/queue/${nameOf(row)}/content`))
    assert.equal(content.toString(), `Subject: ${subject}\r\n\r\n${text}\r\n`)
  }
  const all = { Action: 'drop', Filter: { To: 'dumped@later.test' } }
  assert.equal((await postern.admin.post<OperationJson>('/queue/actions', all)).Changed, 3)
}

/** As if the calls that began them had died at once, two minutes ago. */
async function sweepOperations(postern: Installation): Promise<void> {
  await waitingCall(postern)
  await submitNow(postern, 'swept', ['a@swept.test', 'b@swept.test'])
  const held: Work = {
    queue: 'messages',
    filter: { to: '@swept.test' },
    action: { kind: 'hold', reason: 'by an operator' },
  }
  const works: readonly Work[] = [
    held,
    { queue: 'messages', filter: { to: '@swept.test' }, action: { kind: 'fail' } },
    { queue: 'webhooks', filter: { event: 'delivered' }, action: { kind: 'cancel' } },
    { queue: 'webhooks', filter: { event: 'delivered', success: false }, action: { kind: 'replay' } },
  ]
  const failed = await postern.admin.get<RetiredCallJson[]>(
    '/webhooks/retired?event=delivered&result=failure',
  )
  const replayable = failed.filter(({ SupersededByID }) => SupersededByID === 0)
  assert.ok(replayable.length > 0)
  const changes = [2, 2, 1, replayable.length]
  const store = dynamoOperationStore(postern.table, systemClock)
  const now = systemClock.now()
  const ids = works.map((_, place) => rowIdAt(now, place))
  for (const [place, work] of works.entries()) {
    await store.add({
      id: rowIdAt(now, place),
      startedAt: now,
      movedAt: now - 2 * MINUTE,
      work,
      isDryRun: false,
      accounts: [localSeed.account],
      state: 'running',
      progress: atBeginning,
    })
  }
  await postern.sweep()
  for (const [place, id] of ids.entries()) {
    const { State, Changed } = await eventually(`operation ${place} ends`, async () => {
      const operation = await postern.admin.get<OperationJson>(`/operations/${id}`)
      return operation.State === 'done' && operation
    })
    assert.deepEqual([place, State, Changed], [place, 'done', changes[place]])
  }
}

async function holdAtAttempt(postern: Installation): Promise<void> {
  await sleep(Math.max(0, ruleKnownAtMs - performance.now()))
  const store = dynamoQueueStore(postern.table, systemClock)
  const unruled: QueueStore = {
    ...store,
    add: async (rows) => await store.add(rows.map(({ hold: _none, ...row }) => row)),
  }
  for (const domain of ruledDomains) {
    const message = { subject: 'ruled', recipients: [`someone@${domain}`], text: 'x' }
    const [row = assert.fail('no row')] = await submitAsOperator(postern, unruled, 2, message)
    await postern.sweep()
    await eventually('it is held', async () => (await read(postern, row))?.hold !== undefined)
    assert.equal((await read(postern, row))?.attempts, 0)
  }
}

/** A message that no sweep looks at for the next 90 seconds, and of which no hint tells. */
async function submitNow(
  postern: Installation,
  subject: string,
  recipients: readonly string[],
  text = 'x',
): Promise<readonly QueuedMessage[]> {
  const queue = dynamoQueueStore(postern.table, systemClock)
  return await submitAsOperator(postern, queue, 0, { subject, recipients, text })
}

function nameOf({ account, id }: QueuedMessage): string {
  return `${account}/${id}`
}
