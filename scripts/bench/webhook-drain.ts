import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { requireNode24 } from '../checks/node-version.ts'
import { freePorts } from '../free-ports.ts'
import { startLocalPostern } from '../local-postern.ts'
import { answersPerSecond, type Load, queueCalls } from './webhook-drain/drain.ts'
import { openReceivers, type Receivers } from './webhook-drain/receiver.ts'

// `npm run bench:webhooks`: URLs that hang delay nobody else.

interface Options extends Load {
  readonly pieces: number
}

/** A Postern with its applications. */
interface Bench {
  readonly receivers: Receivers
  /** Queues calls and waits for all that are answered; says how long that took, in seconds. */
  drain(load: Load): Promise<number>
  stop(): Promise<void>
}

const LEAST_RATIO = 0.9

requireNode24()
const options = new Command('bench:webhooks')
  .description(
    'Queues calls to many URLs at two Posterns on this machine, at one of them also to some that never answer. ' +
      `Exits 1 when the others get their calls less than ${LEAST_RATIO} as fast there.`,
  )
  .option('--calls <number>', 'queued calls', readCount, 10_000)
  .option('--urls <number>', 'URLs that they go to', readCount, 200)
  .option('--hanging <number>', 'URLs of these that accept the request and never answer', readCount, 20)
  .option(
    '--pieces <number>',
    'parts in which the two take turns, so that both meet what else runs',
    readCount,
    10,
  )
  .parse()
  .opts<Options>()
if (options.hanging >= options.urls || options.urls * options.pieces > options.calls) {
  console.error('There must be fewer hanging URLs than URLs, and for each of them a call in every piece.')
  process.exit(1)
}
await compare(options)

async function compare({ pieces, calls, urls, hanging }: Options): Promise<void> {
  const load: Load = { calls: Math.floor(calls / pieces), urls, hanging }
  const answering = answeringCalls(load)
  const alone = await open('answering')
  const beside = await open('all')
  const seconds = { alone: 0, beside: 0 }
  try {
    console.log(`piece   calls/s alone   beside ${hanging} URLs that hang   hang at its end`)
    for (let piece = 1; piece <= pieces; piece += 1) {
      const took = { alone: 0, beside: 0 }
      const turns = [
        async () => (took.alone = await alone.drain(load)),
        async () => (took.beside = await beside.drain(load)),
      ]
      for (const turn of piece % 2 === 1 ? turns : turns.reverse()) await turn()
      seconds.alone += took.alone
      seconds.beside += took.beside
      const cells = [piece, (answering / took.alone).toFixed(1), (answering / took.beside).toFixed(1)]
      console.log(row([...cells, beside.receivers.hanging()]))
    }
    const all = answering * pieces
    console.log(row(['all', (all / seconds.alone).toFixed(1), (all / seconds.beside).toFixed(1), '']))
    conclude(seconds.alone / seconds.beside, [alone.receivers, beside.receivers])
  } finally {
    await alone.stop()
    await beside.stop()
  }
}

function row(cells: readonly (string | number)[]): string {
  const widths = [5, 16, 26, 18]
  return cells.map((cell, place) => String(cell).padStart(widths[place] ?? 0)).join('')
}

function conclude(ratio: number, receivers: readonly Receivers[]): void {
  const overtaken = receivers.reduce((sum, each) => sum + each.overtaken(), 0)
  const rules: readonly [kept: boolean, rule: string][] = [
    [ratio >= LEAST_RATIO, `beside them ${ratio.toFixed(2)} of the rate alone (at least ${LEAST_RATIO})`],
    [receivers.every((each) => each.mostAtOnce() === 1), 'never two calls to one URL at once'],
    [overtaken === 0, `in order at each URL (${overtaken} overtaken)`],
  ]
  for (const [kept, rule] of rules) console.log(`${kept ? 'ok  ' : 'FAIL'} ${rule}`)
  if (!rules.every(([kept]) => kept)) process.exitCode = 1
}

async function open(wanted: 'answering' | 'all'): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-webhooks-'))
  const receivers = await openReceivers()
  const addresses = ['127.0.0.1']
  const local = await startLocalPostern({ directory, ...(await freePorts()), addresses, onLog: showErrors })
  return {
    receivers,
    async drain(load) {
      const { giveHints } = await queueCalls(local.cloud, receivers, load, wanted)
      const count = answeringCalls(load)
      const drained = answersPerSecond(receivers, count, showProgress(wanted))
      const [perSecond] = await Promise.all([drained, giveHints()])
      return count / perSecond
    },
    async stop() {
      await local.stop()
      receivers.close()
      rmSync(directory, { recursive: true })
    },
  }
}

/** How many of the calls go to URLs that answer. */
function answeringCalls({ calls, urls, hanging }: Load): number {
  return Array.from({ length: calls }, (_, place) => place % urls).filter((url) => url >= hanging).length
}

function showProgress(wanted: string): (answered: number, seconds: number) => void {
  const everySeconds = 10
  let shown = 0
  return (answered, seconds) => {
    if (seconds < shown + everySeconds) return
    shown = seconds
    console.error(`${wanted}: ${answered} answered after ${seconds.toFixed(0)} s`)
  }
}

function showErrors(line: string): void {
  if (/"level":"(error|warn)"/.test(line)) console.error(line)
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('A count is a whole number from 1.')
  return Number(text)
}
