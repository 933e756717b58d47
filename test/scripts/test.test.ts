import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyIntoTree, tempTree } from './temp-tree.ts'

const passing = (name: string) => `import { test } from 'node:test'\ntest('${name} runs', () => {})\n`
const failing = "import { test } from 'node:test'\ntest('broken', () => { throw new Error('planted') })\n"

const tests = {
  'test/rooms/queue/submit.test.ts': passing('submit'),
  'test/rooms/base/clock.test.ts': passing('clock'),
  'test/flows/send.test.ts': passing('send'),
  'test/flows/not-a-test.ts': failing,
}

function runTests(context: TestContext, files: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const root = tempTree(context, { 'package.json': '{ "type": "module" }', ...files })
  copyIntoTree(root, 'scripts/test.ts')
  copyIntoTree(root, 'scripts/checks/node-version.ts')
  // A test runner started within a test would otherwise report to the outer one and run nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const result = spawnSync(process.execPath, [join(root, 'scripts/test.ts'), ...args], {
    encoding: 'utf8',
    env,
  })
  const ran = [...result.stdout.matchAll(/✔ (\w+) runs/g)].map(([, name]) => name).sort()
  return { ...result, ran }
}

const selections: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['every test file without arguments', [], ['clock', 'send', 'submit']],
  ['the test files below a folder', ['test/rooms'], ['clock', 'submit']],
  ['one file', ['test/flows/send.test.ts'], ['send']],
  ['files by a glob', ['test/*/{queue,base}/*.test.ts'], ['clock', 'submit']],
  ['a file once, however often it is named', ['test/flows', 'test/flows/send.test.ts'], ['send']],
  ['what an option of node --test selects', ['--test-name-pattern=clock'], ['clock']],
]

for (const [rule, args, expected] of selections) {
  test(`runs ${rule}`, (t) => {
    const { status, ran, stderr } = runTests(t, tests, ...args)
    assert.deepEqual({ status, ran, stderr }, { status: 0, ran: expected, stderr: '' })
  })
}

test('prints how many files ran and how long they took', (t) => {
  assert.match(runTests(t, tests, 'test/rooms').stdout, /\n2 test files in \d+\.\d s\n$/)
})

test('fails when a test fails', (t) => {
  const { status, stdout } = runTests(t, { ...tests, 'test/flows/broken.test.ts': failing })
  assert.equal(status, 1)
  assert.match(stdout, /planted/)
})

test('fails when there is no test file', (t) => {
  const { status, stderr } = runTests(t, {})
  assert.equal(status, 1)
  assert.match(stderr, /^No test file matches test\/\*\*\/\*\.test\.ts /)
})

test('fails when one of several paths matches no test file', (t) => {
  const { status, stderr, ran } = runTests(t, tests, 'test/rooms', 'test/romos')
  assert.deepEqual({ status, ran }, { status: 1, ran: [] })
  assert.match(stderr, /^No test file matches test\/romos /)
})
