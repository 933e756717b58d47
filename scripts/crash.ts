import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { FaultOptions } from '../infra/local/gateway/faults-options.ts'
import { requireNode24 } from './checks/node-version.ts'
import { type CrashReport, crashRun } from './crash/run.ts'

const HELP = `npm run crash [-- OPTIONS]: kills Postern under load again and again, and proves that nothing accepted is lost.

  --crashes N         how often (default 10)
  --clients K         clients that send at the same time (default 4)
  --seed S            of the moments and the messages (default from the time; printed)
  --load-ms FROM-TO   how long Sends are taken before each crash (default 200-1500)
  --lease-seconds N   how long an attempt may take (default 10)
  --drain-seconds N   how long Postern may take to finish in the end (default 120)
  --data DIRECTORY    where it keeps data, log and journals, and leaves them (default a fresh one)
  --keep              leaves the fresh directory also when all is well
  --plant WHAT        loses something on purpose, to see that it is noticed: drop-outcomes (what became of
                      attempts is not written), drop-mails (received mails are not written)
  --help              this text

It ends with 0 only if everything was finished, every recipient got the mail, every event its call, and whatever came
twice was under way at a crash.`

/** Writes that are acknowledged but not done. */
const PLANTS: Readonly<Record<string, Omit<FaultOptions, 'seed'>>> = {
  'drop-outcomes': { droppedWrites: 0.15, droppedWritesOf: 'WorkersDeliver' },
  'drop-mails': { droppedWrites: 0.15, droppedWritesOf: 'MailListener' },
}

requireNode24()
const { values } = parseArgs({
  options: {
    crashes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '4' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'load-ms': { type: 'string', default: '200-1500' },
    'lease-seconds': { type: 'string', default: '10' },
    'drain-seconds': { type: 'string', default: '120' },
    data: { type: 'string' },
    keep: { type: 'boolean', default: false },
    plant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else {
  process.exitCode = await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    return 1
  })
}

async function main(): Promise<number> {
  const options = {
    seed: numberOf('--seed', values.seed, 0),
    crashes: numberOf('--crashes', values.crashes, 0),
    clients: numberOf('--clients', values.clients, 1),
    loadMs: rangeOf(values['load-ms']),
    leaseSeconds: numberOf('--lease-seconds', values['lease-seconds'], 1),
    drainSeconds: numberOf('--drain-seconds', values['drain-seconds'], 1),
    print: console.log,
    onStart: killWithUs,
  }
  const planted = values.plant === undefined ? undefined : plantOf(values.plant)
  const directory = values.data ?? mkdtempSync(join(tmpdir(), 'postern-crash-'))
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  console.log(`seed ${options.seed}, directory ${directory}`)
  let passed = false
  try {
    const report = await crashRun({
      ...options,
      directory,
      ...(planted && { faults: { seed: options.seed, ...planted } }),
    })
    passed = tell(report)
    return passed ? 0 : 1
  } finally {
    if (passed && !values.keep && values.data === undefined) remove(directory)
    else console.log(`kept ${directory}`)
  }
}

/** Says what came out of it; true when all is well. */
function tell(report: CrashReport): boolean {
  const { lost, verdicts, undrained, refused } = report
  const unexcused = verdicts.filter(({ verdict }) => !verdict.isExcused)
  console.log(`accepted         ${report.accepted} sends to ${report.recipients} recipients`)
  console.log(`without answer   ${report.withoutAnswer}, of which ${report.unanswered} were accepted`)
  for (const [status, count] of Object.entries(refused)) console.log(`answered ${status}     ${count}`)
  console.log(`lost             ${lost.length}`)
  for (const line of lost) console.log(`  ${line}`)
  console.log(`duplicated       ${verdicts.length}, not excused ${unexcused.length}`)
  for (const { duplicate, verdict } of verdicts) {
    const mark = verdict.isExcused ? 'excused' : 'NOT EXCUSED'
    console.log(`  ${mark}: ${duplicate.copies.length} x ${duplicate.what}: ${verdict.reason}`)
  }
  console.log(`left unfinished  ${undrained.length}`)
  for (const { kind, row } of undrained) {
    console.log(`  ${kind} ${row.id}: ${row.state}, ${row.attempts} attempts`)
  }
  // Without a single message nothing was proven.
  return report.accepted > 0 && lost.length === 0 && unexcused.length === 0 && undrained.length === 0
}

/** Nothing that we started outlives us. */
function killWithUs(kill: () => void): void {
  process.once('exit', kill)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
}

/** The engine may write a last time while we remove. */
function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}

function numberOf(option: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`${option} must be a whole number from ${least}, not ${text}`)
}

function rangeOf(text: string): readonly [number, number] {
  const [from = Number.NaN, to = Number.NaN] = text.split('-').map(Number)
  if (from >= 0 && to >= from) return [from, to]
  throw new Error(`--load-ms must be two numbers such as 200-1500, not ${text}`)
}

function plantOf(name: string): Omit<FaultOptions, 'seed'> {
  const plant = Object.hasOwn(PLANTS, name) ? PLANTS[name] : undefined
  if (plant) return plant
  throw new Error(`--plant must be one of ${Object.keys(PLANTS).join(', ')}, not ${name}`)
}
