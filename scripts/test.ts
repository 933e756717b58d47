import { spawn } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { requireNode24 } from './checks/node-version.ts'

// `npm test [-- path … --option=value …]`: folders, files and globs of tests, and options of `node --test`.

const ALL_TESTS = 'test/**/*.test.ts'
/** A test that hangs must not hold up CI for ever. */
const TIMEOUT_MS = 300_000

requireNode24()
const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const options = args.filter((arg) => arg.startsWith('-'))
const paths = args.filter((arg) => !arg.startsWith('-'))
const found = (paths.length === 0 ? [ALL_TESTS] : paths).map((path) => ({ path, files: findTests(path) }))
const missing = found.find(({ files }) => files.length === 0)

if (missing === undefined) {
  await runTests([...new Set(found.flatMap(({ files }) => files))].sort())
} else {
  console.error(`No test file matches ${missing.path} (write values of options as --option=value).`)
  process.exitCode = 1
}

function findTests(path: string): readonly string[] {
  const isFolder = statSync(resolve(root, path), { throwIfNoEntry: false })?.isDirectory() ?? false
  const pattern = isFolder ? `${relative(root, resolve(root, path)) || '.'}/**/*.test.ts` : path
  return globSync(pattern, { cwd: root, exclude: ['node_modules'] })
}

async function runTests(files: readonly string[]): Promise<void> {
  const startedAt = performance.now()
  const fixed = [
    '--test',
    // Tests mostly wait for stand-ins, so that even two cores take two files at a time.
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
  ]
  const child = spawn(process.execPath, [...fixed, ...options, ...files], { cwd: root, stdio: 'inherit' })
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  const code = await new Promise<number>((done) => child.on('exit', (status) => done(status ?? 1)))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(`${files.length} test ${files.length === 1 ? 'file' : 'files'} in ${seconds} s`)
  process.exitCode = code
}
