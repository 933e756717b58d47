import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { requireNode24 } from './checks/node-version.ts'
import { checkRooms, readRooms } from './checks/rooms.ts'
import { checkSizes } from './checks/sizes.ts'

// `npm run check`: everything that reads the sources without running them.

interface Outcome {
  readonly ok: boolean
  readonly details: string
}

requireNode24()
const root = fileURLToPath(new URL('..', import.meta.url))

// knip.json ignores two packages that no file imports: biome, which is started here by its path, and aws-cdk,
// the command that owners deploy with.
const outcomes = await Promise.all([
  report('types', () => runTool('typescript/bin/tsc', ['--noEmit', '-p', '.'])),
  report('lint and format', () =>
    runTool('@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', '--colors=off', '.']),
  ),
  report('unused code', () => runTool('knip/bin/knip.js', ['--no-progress'])),
  report('rooms', () => listOf(checkRooms(root, readRooms(root)).violations)),
  report('sizes', () => listOf(checkSizes(root).violations)),
])
if (!outcomes.every((ok) => ok)) process.exitCode = 1

/** Prints one line, and the details only where something is wrong; resolves to whether all was well. */
async function report(name: string, check: () => Outcome | Promise<Outcome>): Promise<boolean> {
  const startedAt = performance.now()
  const { ok, details } = await outcomeOf(check)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(15)}  ${seconds.padStart(5)} s`)
  if (!ok) console.log(`\n${details.trim().replace(/^(?=.)/gm, '      ')}\n`)
  return ok
}

/** A check that breaks has failed, and must not hide what the others find. */
async function outcomeOf(check: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return await check()
  } catch (error) {
    return { ok: false, details: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

function listOf(violations: readonly string[]): Outcome {
  return { ok: violations.length === 0, details: violations.join('\n') }
}

/** Runs a package's own script with this Node, which also works where `node_modules/.bin` holds no links. */
async function runTool(script: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = new Promise<number | null>((done, fail) => child.on('error', fail).on('exit', done))
  const [code, output, errors] = await Promise.all([exit, text(child.stdout), text(child.stderr)])
  return { ok: code === 0, details: `${output}${errors}` || `${script} ended with ${code}` }
}
