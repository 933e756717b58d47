import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { bundleFunctions } from '../../infra/bundle.ts'
import { variables } from '../../shared/runtime/names.ts'
import { requireNode24 } from '../checks/node-version.ts'

// `npm run bench:import`: what a cold start of the webapi costs beyond what any function with the AWS SDK costs.

const RUNS = 9
const MOST_TIMES_THE_PEER = 2
const MOST_BYTES = 1_200_000

requireNode24()
const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'))
try {
  await bundleFunctions(directory)
  await bundleFunctions(directory, join(import.meta.dirname, 'peers'))
  await report(join(directory, 'webapi', 'handler.mjs'), join(directory, 'one-client', 'handler.mjs'))
} finally {
  rmSync(directory, { recursive: true })
}

async function report(webapi: string, peer: string): Promise<void> {
  const times: { readonly webapi: number[]; readonly peer: number[] } = { webapi: [], peer: [] }
  // In turns, so that whatever else the machine does slows both.
  for (let run = 0; run < RUNS; run++) {
    times.peer.push(await importMs(peer))
    times.webapi.push(await importMs(webapi))
  }
  const ratio = median(times.webapi) / median(times.peer)
  const bytes = statSync(webapi).size
  console.log(`import, median of ${RUNS} fresh processes:`)
  console.log(`  webapi                  ${describe(times.webapi)}`)
  console.log(`  one DynamoDB client     ${describe(times.peer)}`)
  console.log(`  ratio                   ${ratio.toFixed(2)} (goal: at most ${MOST_TIMES_THE_PEER})`)
  console.log(
    `size of the webapi bundle ${bytes} bytes (at most ${MOST_BYTES}), ${statSync(peer).size} of the other`,
  )
  // Times depend on the machine, sizes do not.
  if (bytes > MOST_BYTES) process.exitCode = 1
}

/** Milliseconds that a process of its own takes to import the module. */
async function importMs(file: string): Promise<number> {
  const script = `const began = performance.now()
    await import(${JSON.stringify(pathToFileURL(file).href)})
    process.stdout.write(String(performance.now() - began), () => process.exit())`
  // Only presence matters: nothing is called.
  const settings = Object.fromEntries(Object.values(variables).map((name) => [name, '1']))
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...settings, AWS_REGION: 'us-east-1' },
  })
  return Number(stdout)
}

function describe(times: readonly number[]): string {
  return `${median(times).toFixed(1)} ms (${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)})`
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
