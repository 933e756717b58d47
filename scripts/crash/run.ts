import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultOptions } from '../../infra/local/gateway/faults-options.ts'
import { type Draw, seededDraws } from '../../infra/local/gateway/faults-random.ts'
import { formatAddress } from '../../shared/address/address.ts'
import type { AttemptRow } from '../../shared/attempts/attempt-row.ts'
import { formatInstant } from '../../shared/base/clock.ts'
import { variables } from '../../shared/runtime/names.ts'
import { adminClient } from '../cli/client.ts'
import { localSeed } from '../local-postern.ts'
import { type Clients, startClients } from './clients.ts'
import { crashOf, excuse, type Verdict } from './excuse.ts'
import { openJournal } from './journal.ts'
import { type Operator, openOperator, type UnfinishedRow } from './operator.ts'
import { type PosternProcess, posternProcess } from './postern-process.ts'
import { type Receiver, startReceiver } from './receiver.ts'
import { type Duplicate, type Findings, reconcile } from './reconcile.ts'
import type { Crash } from './run-record.ts'

/** How to crash. */
export interface CrashOptions {
  /** Where data, log and journals are kept; what is there already is left alone. */
  readonly directory: string
  readonly seed: number
  readonly crashes: number
  readonly clients: number
  /** Load between the first Send that is taken and a crash: from, to. */
  readonly loadMs: readonly [number, number]
  /** Of attempts to deliver and of webhook calls. */
  readonly leaseSeconds: number
  readonly drainSeconds: number
  readonly faults?: FaultOptions
  readonly print: (line: string) => void
  /** Gets what kills Postern, for a harness that is killed itself. */
  readonly onStart: (abandon: () => void) => void
}

/** What a run found. */
export interface CrashReport extends Findings {
  /** Duplicates and what accounts for them. */
  readonly verdicts: readonly { readonly duplicate: Duplicate; readonly verdict: Verdict }[]
  /** Requests that ended without an answer. */
  readonly withoutAnswer: number
  /** Answers other than 200, by status. */
  readonly refused: Readonly<Record<string, number>>
  /** Rows that were still unfinished when the time to drain was over. */
  readonly undrained: readonly UnfinishedRow[]
}

/** Options that are five seconds old may still be used. */
const OPTIONS_MS = 5_000
const SWEEP_MS = 1_000

/** Kills Postern under load again and again, lets it finish, and compares what was promised with what is there. */
export async function crashRun(options: CrashOptions): Promise<CrashReport> {
  const { directory, seed } = options
  const journals = ['sent', 'received', 'crashes'].map((name) =>
    openJournal(join(directory, `${name}.jsonl`)),
  )
  const [sent, received, crashed] = journals
  if (!sent || !received || !crashed) throw new Error('there are three journals')
  const receiver = await startReceiver(received)
  const postern = await posternProcess(directory, startArguments(options))
  options.onStart(postern.abandon)
  try {
    let operator = openOperator(await postern.start())
    await callWebhooksAt(postern.apiUrl, receiver.url)
    const clients = startClients({
      apiUrl: postern.apiUrl,
      count: options.clients,
      name: `crash-${seed}-${Date.now().toString(36)}`,
      draw: seededDraws(seed, 'recipients'),
      journal: sent,
    })
    const pause = seededDraws(seed, 'load')
    const crashes: Crash[] = []
    while (crashes.length < options.crashes) {
      await load(clients, operator, options, pause)
      operator.close()
      const crash = { number: crashes.length + 1, ...(await crashUnder(clients, postern)) }
      crashed.append(crash)
      crashes.push(crash)
      // Nobody sends any more once the last crash is over.
      if (crashes.length === options.crashes) await clients.stop()
      operator = openOperator(await postern.start())
      options.print(await crashLine(operator, crashes, crash, options.leaseSeconds * 1000))
    }
    if (crashes.length === 0) await load(clients, operator, options, pause)
    await clients.stop()
    options.print(`${clients.sends.length} requests were sent; draining`)
    const undrained = await drain(operator, options.drainSeconds * 1000)
    const report = await compare({ clients, receiver, operator, crashes }, options, undrained)
    operator.close()
    return report
  } finally {
    await postern.stop()
    receiver.close()
    for (const journal of journals) journal.close()
  }
}

function startArguments({ leaseSeconds, faults }: CrashOptions): readonly string[] {
  return [
    ...['--set', `WorkersDeliverFunction:${variables.deliverLeaseSeconds}=${leaseSeconds}`],
    ...['--set', `WorkersWebhookFunction:${variables.webhookLeaseSeconds}=${leaseSeconds}`],
    ...(faults ? ['--faults', JSON.stringify(faults)] : []),
  ]
}

async function callWebhooksAt(apiUrl: string, url: string): Promise<void> {
  const admin = adminClient({ url: apiUrl, password: localSeed.adminPassword })
  await admin.patch(`/accounts/${localSeed.account}`, {
    OutgoingWebhook: { URL: `${url}/out`, Authorization: '', Events: [] },
    IncomingWebhook: { URL: `${url}/in`, Authorization: '' },
  })
  await sleep(OPTIONS_MS)
}

/** Lets the clients send for a while. A hint in flight holds up its group for less than a lease. */
async function load(clients: Clients, operator: Operator, options: CrashOptions, draw: Draw): Promise<void> {
  await operator.shortenVisibility(Math.max(1, Math.floor(options.leaseSeconds / 2)))
  await clients.resume()
  const [from, to] = options.loadMs
  await sleep(from + draw() * (to - from))
}

async function crashUnder(clients: Clients, postern: PosternProcess): Promise<Omit<Crash, 'number'>> {
  const killed = postern.kill()
  clients.pause()
  return await killed
}

async function crashLine(
  operator: Operator,
  crashes: readonly Crash[],
  { number, killedAt }: Crash,
  leaseMs: number,
): Promise<string> {
  const inFlight = (await operator.unfinished()).flatMap(({ kind, row }) =>
    row.results
      .filter((result) => crashOf(result, crashes, leaseMs)?.number === number)
      .map(({ attempt }) => `${kind} ${row.id}/${attempt}`),
  )
  const list = inFlight.length > 0 ? `: ${inFlight.join(', ')}` : ''
  return `crash ${number}  ${formatInstant(killedAt)}  attempts in flight: ${inFlight.length}${list}`
}

/** Helps as an operator would, until nothing is left to do or the time is over; answers what is left. */
async function drain(operator: Operator, withinMs: number): Promise<readonly UnfinishedRow[]> {
  const end = performance.now() + withinMs
  for (;;) {
    const left = await operator.unfinished()
    if (left.length === 0 || performance.now() > end) return left
    await operator.hasten(left)
    await operator.sweepAll()
    await sleep(SWEEP_MS)
  }
}

async function compare(
  run: {
    readonly clients: Clients
    readonly receiver: Receiver
    readonly operator: Operator
    readonly crashes: readonly Crash[]
  },
  options: CrashOptions,
  undrained: readonly UnfinishedRow[],
): Promise<CrashReport> {
  const { operator, crashes } = run
  const { sends, refused } = run.clients
  const findings = reconcile({ sends, receipts: run.receiver.receipts, mails: await operator.mails() })
  const verdicts = await Promise.all(
    findings.duplicates.map(async (duplicate) => {
      const row = await rowOf(operator, duplicate)
      return { duplicate, verdict: excuse(duplicate, row, crashes, options.leaseSeconds * 1000) }
    }),
  )
  const refusals = Object.values(refused).reduce((sum, count) => sum + count, 0)
  const withoutAnswer = sends.filter(({ queueMsgIds }) => queueMsgIds === undefined).length - refusals
  return { ...findings, verdicts, withoutAnswer, refused, undrained }
}

async function rowOf(operator: Operator, duplicate: Duplicate): Promise<AttemptRow | undefined> {
  const { kind, rowIds } = duplicate
  if (kind === 'mail') {
    const rows = await Promise.all(rowIds.map((id) => operator.message(id)))
    return rows.find((row) => row && formatAddress(row.recipient) === duplicate.recipient)
  }
  const [id, another] = rowIds
  return id === undefined || another !== undefined ? undefined : await operator.call(id)
}
