import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { excuse } from '../../scripts/crash/excuse.ts'
import { type Duplicate, reconcile } from '../../scripts/crash/reconcile.ts'
import type { Receipt, SendRecord, StoredMail } from '../../scripts/crash/run-record.ts'
import type { AttemptResult, AttemptRow } from '../../shared/attempts/attempt-row.ts'
import type { RowId } from '../../shared/base/row-id.ts'

const send: SendRecord = {
  messageId: '<a@x.test>',
  recipients: ['p@y.test', 'q@y.test'],
  queueMsgIds: [1, 2],
}
const mail = (id: number, rcptTo: string, receivedAt = 0): StoredMail => ({
  id,
  messageId: send.messageId,
  rcptTo,
  receivedAt,
})
const receipt = (webhookId: number, about: Partial<Receipt>): Receipt => ({
  ...{ webhookId, receivedAt: 0, attempt: 1, messageId: send.messageId, event: 'delivered' },
  ...{ queueMsgId: 0, msgId: 0, ...about },
})
const mails = [mail(11, 'p@y.test'), mail(12, 'q@y.test')]
const delivered = [receipt(21, { queueMsgId: 1 }), receipt(22, { queueMsgId: 2 })]
const incoming = [
  receipt(31, { event: 'incoming', msgId: 11 }),
  receipt(32, { event: 'incoming', msgId: 12 }),
]
const receipts = [...delivered, ...incoming]
const whole = { sends: [send], mails, receipts }
const unanswered = { ...send, queueMsgIds: undefined }

for (const { name, remains, lost = [], duplicated = [] } of [
  { name: 'everything once', remains: whole },
  {
    name: 'a recipient without mail is a loss',
    remains: { ...whole, mails: mails.slice(1) },
    lost: ['no mail for p@y.test of <a@x.test>'],
  },
  {
    name: 'a recipient without delivered call is a loss',
    remains: { ...whole, receipts: receipts.slice(1) },
    lost: ['no delivered call for message 1 of <a@x.test>'],
  },
  {
    name: 'a failed call is no delivered call',
    remains: { ...whole, receipts: [receipt(21, { queueMsgId: 1, event: 'failed' }), ...receipts.slice(1)] },
    lost: ['no delivered call for message 1 of <a@x.test>'],
  },
  {
    name: 'a mail without incoming call is a loss',
    remains: { ...whole, receipts: receipts.slice(0, -1) },
    lost: ['no incoming call for mail 12 for q@y.test of <a@x.test>'],
  },
  {
    name: 'a second mail is a duplicate, and owes an incoming call of its own',
    remains: { ...whole, mails: [...mails, mail(13, 'p@y.test')] },
    lost: ['no incoming call for mail 13 for p@y.test of <a@x.test>'],
    duplicated: ['mail for p@y.test of <a@x.test>'],
  },
  {
    name: 'second calls are duplicates',
    remains: { ...whole, receipts: [...receipts, ...receipts.slice(0, 1), ...receipts.slice(-1)] },
    duplicated: ['delivered call for message 1 of <a@x.test>', 'incoming call for mail 12 of <a@x.test>'],
  },
  {
    name: 'a Send without answer owes nothing',
    remains: { sends: [unanswered], mails: [], receipts: [] },
  },
  {
    name: 'a Send without answer of which something came owes all of it',
    remains: { sends: [unanswered], mails: mails.slice(0, 1), receipts: incoming.slice(0, 1) },
    lost: ['no mail for q@y.test of <a@x.test>', 'no delivered call for 2 of the recipients of <a@x.test>'],
  },
]) {
  test(`crash harness: ${name}`, () => {
    const findings = reconcile(remains)
    assert.deepEqual(findings.lost, lost)
    assert.deepEqual(
      findings.duplicates.map(({ what }) => what),
      duplicated,
    )
  })
}

const crashes = [
  { number: 1, killedAt: 1_000, goneAt: 1_010 },
  { number: 2, killedAt: 5_000, goneAt: 5_010 },
]
const row = (...results: Pick<AttemptResult, 'startedAt' | 'status'>[]): AttemptRow => ({
  ...{ account: 'a', id: 1 as RowId, state: 'done', attempts: results.length, queuedAt: 0, nextAt: 0 },
  results: results.map((result, place) => ({
    ...result,
    attempt: place + 1,
    durationMs: 0,
    code: 0,
    error: '',
  })),
})
const twoMails = (first: number, second: number): Duplicate => ({
  ...{ kind: 'mail', what: 'mail', rowIds: [1], recipient: 'p@y.test' },
  copies: [mail(11, 'p@y.test', second), mail(12, 'p@y.test', first)],
})
const twoCalls = (first: number, second: number): Duplicate => ({
  ...{ kind: 'hook', what: 'call', rowIds: [1] },
  copies: [receipt(1, { attempt: first }), receipt(1, { attempt: second })],
})
const died = row({ startedAt: 900, status: 'interrupted' }, { startedAt: 4_000, status: 'success' })

for (const { name, duplicate, of, isExcused } of [
  {
    name: 'a mail of an attempt in flight at a crash',
    duplicate: twoMails(950, 4_100),
    of: died,
    isExcused: true,
  },
  { name: 'two mails of one attempt', duplicate: twoMails(4_100, 4_200), of: died, isExcused: false },
  { name: 'a call of an attempt in flight at a crash', duplicate: twoCalls(1, 2), of: died, isExcused: true },
  { name: 'two calls of one attempt', duplicate: twoCalls(1, 1), of: died, isExcused: false },
  { name: 'copies without a row', duplicate: twoCalls(1, 2), of: undefined, isExcused: false },
  {
    name: 'an attempt whose lease had ended before the next crash',
    duplicate: twoMails(1_200, 4_100),
    of: row({ startedAt: 1_100, status: 'interrupted' }, { startedAt: 4_000, status: 'success' }),
    isExcused: false,
  },
  {
    name: 'an attempt that began after the last crash',
    duplicate: twoMails(6_100, 9_100),
    of: row({ startedAt: 6_000, status: 'interrupted' }, { startedAt: 9_000, status: 'success' }),
    isExcused: false,
  },
  {
    name: 'an attempt that ended',
    duplicate: twoMails(950, 4_100),
    of: row({ startedAt: 900, status: 'temporary' }, { startedAt: 4_000, status: 'success' }),
    isExcused: false,
  },
]) {
  test(`crash harness: ${name} ${isExcused ? 'is' : 'is not'} excused`, () => {
    assert.equal(excuse(duplicate, of, crashes, 2_000).isExcused, isExcused)
  })
}

const short = ['--clients', '2', '--load-ms', '100-600', '--lease-seconds', '4']

describe('crash harness: runs', { concurrency: true }, () => {
  test('killed five times under load, Postern loses nothing, and only attempts in flight come twice', async (t) => {
    const { code, output } = await runHarness(t, ['--crashes', '5', ...short, '--drain-seconds', '60'])
    assert.equal(code, 0, output)
    assert.match(output, /^crash 5 /m)
    assert.match(output, /^lost +0$/m)
  })

  test('outcomes that are acknowledged but not written are noticed', async (t) => {
    const planted = ['--crashes', '0', '--plant', 'drop-outcomes', '--drain-seconds', '15']
    const { code, output } = await runHarness(t, [...planted, ...short, '--load-ms', '2000-2000'])
    assert.equal(code, 1, output)
    assert.match(output, /NOT EXCUSED: 2 x mail for/)
  })
})

async function runHarness(
  t: TestContext,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'crash-harness-'))
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'crash.ts')
  const child = spawn(process.execPath, [script, '--data', directory, ...args], { stdio: 'pipe' })
  t.after(async () => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit')
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk
  })
  const [code] = await once(child, 'close')
  return { code, output }
}
