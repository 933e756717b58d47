import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { requireNode24 } from './checks/node-version.ts'

const HELP = `npm run permissions [-- OPTIONS]: proves that every permission in the template is needed.

It takes each action from each role in turn, runs everything that Postern does, and demands that this
fails and that the error or the log names the action, as AWS would. All of it takes some 20 minutes.

  --role TEXT     only roles whose name contains it, such as Deliver
  --action TEXT   only actions whose name contains it, such as s3: or PutItem
  --jobs N        how many runs at a time (default 2)
  --help          this text

It exits with 1 when the product works without a permission, or fails without naming it.`

/** What may be taken away; the words of `test/support/role-actions.ts`. */
interface RoleAction {
  readonly role: string
  readonly action: string
}

interface Outcome {
  readonly outcome: 'noticed' | 'failed without naming it' | 'passed'
  readonly text: string
}

/** Longer than a run in which every step waits as long as it may. */
const RUN_TIMEOUT_MS = 300_000
const RUN = join(import.meta.dirname, '..', 'test', 'fixtures', 'integration-without.ts')

requireNode24()
const { values } = parseArgs({
  options: {
    role: { type: 'string', default: '' },
    action: { type: 'string', default: '' },
    jobs: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else process.exitCode = await main(values)

async function main(wanted: typeof values): Promise<number> {
  const jobs = Number(wanted.jobs)
  if (!Number.isInteger(jobs) || jobs < 1)
    return fail(`--jobs must be a whole number from 1, not ${wanted.jobs}`)
  console.log('A run with all permissions:')
  const all = await run<readonly RoleAction[]>([])
  if (!all.ok) return fail(all.error)
  const chosen = all.value.filter(
    ({ role, action }) => role.includes(wanted.role) && action.includes(wanted.action),
  )
  if (chosen.length === 0) return fail('no role has such an action; --role and --action are case-sensitive')
  console.log(`works, with ${all.value.length} actions of roles.\nRuns without one of ${chosen.length}:`)
  const unnoticed = await takeAway(chosen, jobs)
  console.log(`${chosen.length - unnoticed.length} of ${chosen.length} noticed`)
  for (const line of unnoticed) console.log(line)
  return unnoticed.length === 0 ? 0 : 1
}

/** Takes one after the other away, `jobs` at a time; answers those whose absence was not noticed. */
async function takeAway(chosen: readonly RoleAction[], jobs: number): Promise<readonly string[]> {
  const waiting = [...chosen]
  const unnoticed: string[] = []
  const width = Math.max(...chosen.map(({ role }) => role.length))
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const startedAtMs = performance.now()
      const result = await run<Outcome>([next.role, next.action])
      const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5)
      const name = `${next.role.padEnd(width)}  ${next.action}`
      const isNoticed = result.ok && result.value.outcome === 'noticed'
      console.log(`${isNoticed ? 'ok         ' : 'NOT NOTICED'}  ${seconds} s  ${name}${stepOf(result)}`)
      if (!isNoticed) unnoticed.push(`\n${name}: ${result.ok ? detailOf(result.value) : result.error}`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return unnoticed
}

function stepOf(result: RunResult<Outcome>): string {
  const step = result.ok ? /^step "([^"]*)"/.exec(result.value.text)?.[1] : undefined
  return step === undefined ? '' : `  (${step})`
}

function detailOf({ outcome, text: reason }: Outcome): string {
  return reason === '' ? outcome : `${outcome}: ${reason}`
}

type RunResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: string }

/** Each run has a process of its own, so that none sees what another left behind. */
async function run<Value>(parameters: readonly string[]): Promise<RunResult<Value>> {
  const child = spawn(process.execPath, [RUN, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  const exit = new Promise<number | null>((done, failed) => child.on('error', failed).on('exit', done))
  const [code, output, errors] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  if (code !== 0) return { ok: false, error: `the run ended with ${code ?? 'a signal'}: ${errors}` }
  return { ok: true, value: JSON.parse(output.trim().split('\n').at(-1) ?? '') as Value }
}

function fail(message: string): number {
  console.error(message)
  return 1
}
