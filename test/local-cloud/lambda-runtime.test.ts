import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { LambdaFunction } from '../../infra/local/programs/lambda-environment.ts'
import { FunctionError } from '../../infra/local/programs/lambda-protocol.ts'
import { type LambdaRuntime, openLambdaRuntime } from '../../infra/local/programs/lambda-runtime.ts'

const directory = mkdtempSync(join(tmpdir(), 'lambda-'))
after(() => rmSync(directory, { recursive: true }))

interface Opened {
  readonly runtime: LambdaRuntime
  readonly log: readonly string[]
}

/** A runtime with two functions, F and G, of this source. */
function open(source: string, changes: Partial<LambdaFunction> = {}, maxEnvironments = 4): Opened {
  const file = join(mkdtempSync(join(directory, 'f-')), 'handler.mjs')
  writeFileSync(file, source)
  const lambda: LambdaFunction = {
    logicalId: 'F',
    file,
    exportName: 'handler',
    handler: 'handler.handler',
    functionName: 'Demo-F',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Demo-F',
    timeoutMs: 3000,
    memoryMb: 128,
    variables: {},
    ...changes,
  }
  const log: string[] = []
  const functions = [lambda, { ...lambda, logicalId: 'G' }]
  const runtime = openLambdaRuntime({ functions, maxEnvironments, onLog: (line) => log.push(line) })
  after(() => runtime.stop())
  return { runtime, log }
}

async function failureOf(invocation: Promise<unknown>): Promise<FunctionError> {
  const error = await invocation.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof FunctionError)
  return error
}

test('Lambda: a function sees its own variables and nothing of this process', async () => {
  const { runtime } = open('export const handler = async () => process.env', { variables: { ONLY: 'this' } })
  assert.deepEqual(await runtime.invoke('F', {}), { ONLY: 'this' })
})

test('Lambda: event and answer go through JSON, undefined is null', async () => {
  const { runtime } = open('export const handler = async (event) => event.give')
  assert.deepEqual(await runtime.invoke('F', { give: { at: new Date(0) } }), {
    at: '1970-01-01T00:00:00.000Z',
  })
  assert.equal(await runtime.invoke('F', {}), null)
})

test('Lambda: the context tells name, request id and remaining time', async () => {
  const { runtime } = open(`export const handler = async (_, context) =>
    [context.functionName, typeof context.awsRequestId, context.getRemainingTimeInMillis() > 2000]`)
  assert.deepEqual(await runtime.invoke('F', {}), ['Demo-F', 'string', true])
})

test("Lambda: a late function is ended with AWS's message, the next event finds a new environment", async () => {
  const { runtime } = open('export const handler = async (e) => { while (e.spin); return "fine" }', {
    timeoutMs: 300,
  })
  const { errorType, message } = await failureOf(runtime.invoke('F', { spin: true }))
  assert.equal(errorType, 'Sandbox.Timedout')
  assert.match(message, /^RequestId: [-0-9a-f]{36} Error: Task timed out after 0\.30 seconds$/)
  assert.equal(await runtime.invoke('F', {}), 'fine')
})

const failing: readonly (readonly [rule: string, source: string, errorType: string, message: RegExp])[] = [
  [
    'a thrown error',
    'export const handler = async () => { throw new RangeError("far") }',
    'RangeError',
    /^far$/,
  ],
  ['a module that does not load', 'import "./none.mjs"', 'Error', /Cannot find module/],
  ['a missing export', 'export const other = 1', 'Error', /handler\.handler is undefined or not exported/],
  ['an exit', 'export const handler = () => process.exit(3)', 'Runtime.ExitError', /exit status 3/],
  [
    'an uncaught error',
    'export const handler = () => new Promise(() => setTimeout(() => { throw new Error("late") }))',
    'Runtime.ExitError',
    /late/,
  ],
  [
    'too much memory',
    'export const handler = async () => { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }',
    'Runtime.OutOfMemory',
    /signal: killed/,
  ],
]

for (const [rule, source, errorType, message] of failing) {
  test(`Lambda: ${rule} is a failed invocation with an error type`, async () => {
    const { runtime } = open(source, { timeoutMs: 20_000, memoryMb: 64 })
    const error = await failureOf(runtime.invoke('F', {}))
    assert.equal(error.errorType, errorType)
    assert.match(error.message, message)
  })
}

test('Lambda: an environment is used again, one event at a time', async () => {
  const { runtime } = open('let count = 0; export const handler = async () => ++count')
  assert.equal(await runtime.invoke('F', {}), 1)
  assert.equal(await runtime.invoke('F', {}), 2)
  assert.deepEqual(await Promise.all([runtime.invoke('F', {}), runtime.invoke('F', {})]), [3, 1])
})

test('Lambda: events beyond the last environment wait for one', async () => {
  const source = `let count = 0
    export const handler = async () => { count += 1; await new Promise((r) => setTimeout(r, 20)); return count }`
  const { runtime } = open(source, {}, 2)
  const counts = await Promise.all([1, 2, 3, 4].map(() => runtime.invoke('F', {})))
  // Which of the two is faster is up to the machine.
  assert.equal(counts.filter((count) => count === 1).length, 2)
})

test('Lambda: the place of an environment goes to another function that has none, or once it was idle for a second', async () => {
  const source = `let count = 0
    export const handler = async () => { count += 1; await new Promise((r) => setTimeout(r, 20)); return count }`
  const { runtime } = open(source, {}, 2)
  const both = (name: string) => Promise.all([runtime.invoke(name, {}), runtime.invoke(name, {})])
  await both('F')
  assert.equal(await runtime.invoke('G', {}), 1)
  assert.ok(Number(await runtime.invoke('F', {})) > 1)
  assert.deepEqual(await both('G'), [2, 3])
  await setTimeout(1_100)
  assert.deepEqual(await both('G'), [4, 1])
})

test('Lambda: who works for more than half a second takes no place from others, and is told of', async () => {
  const source = `import { existsSync } from 'node:fs'
    let count = 0
    export const handler = async (file) => {
      count += 1
      while (file && !existsSync(file)) await new Promise((r) => setTimeout(r, 10))
      return count
    }`
  const { runtime } = open(source, { timeoutMs: 60_000 }, 1)
  const enough = join(directory, 'enough')
  let tookLong = false
  const slow = runtime.invoke('F', enough, () => {
    tookLong = true
  })
  assert.equal(await runtime.invoke('G', ''), 1)
  assert.ok(tookLong)
  writeFileSync(enough, '')
  await slow
  assert.equal(await runtime.invoke('F', ''), 2, 'it is kept')
  await setTimeout(1_100)
  const counts = [await runtime.invoke('F', ''), await runtime.invoke('G', '')]
  assert.ok(counts.includes(1), `there is one place, and one of them goes after a second: ${counts}`)
})

test('Lambda: events and answers over 6,291,556 bytes are refused', async () => {
  const { runtime } = open('export const handler = async (event) => "x".repeat(event.size ?? 0)')
  const overhead = JSON.stringify({ text: '' }).length
  await runtime.invoke('F', { text: 'x'.repeat(6_291_556 - overhead) })
  const large = await failureOf(runtime.invoke('F', { text: 'x'.repeat(6_291_557 - overhead) }))
  assert.equal(large.errorType, 'RequestEntityTooLargeException')
  const answer = await failureOf(runtime.invoke('F', { size: 6_291_555 }))
  assert.equal(answer.errorType, 'Function.ResponseSizeTooLarge')
})

test('Lambda: what a function prints is logged with its name', async () => {
  const { runtime, log } = open(
    'export const handler = async () => { console.log("a\\nb"); console.error("c") }',
  )
  await runtime.invoke('F', {})
  // Output and answer come by different ways.
  while (log.length < 3) await setTimeout(5)
  assert.deepEqual(log.toSorted(), ['[F] a', '[F] b', '[F] c'])
})

test('Lambda: stopping fails what still runs and takes no more events', async () => {
  const { runtime } = open('export const handler = () => new Promise(() => setTimeout(() => {}, 60_000))')
  const running = failureOf(runtime.invoke('F', {}))
  await runtime.stop()
  assert.equal((await running).errorType, 'Runtime.ExitError')
  assert.equal((await failureOf(runtime.invoke('F', {}))).errorType, 'Runtime.ExitError')
})

test('Lambda: the failure of an invocation is logged with its stack', async () => {
  const { runtime, log } = open('export const handler = async () => { throw new RangeError("far") }')
  await failureOf(runtime.invoke('F', {}))
  assert.equal(log[0], '[F] RangeError: far')
  assert.match(log[1] ?? '', /^\[F\] {5}at handler /)
})
