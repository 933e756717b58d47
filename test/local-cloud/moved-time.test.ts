import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type LambdaRuntime, openLambdaRuntime } from '../../infra/local/programs/lambda-runtime.ts'

const HOUR = 3_600_000
const directory = mkdtempSync(join(tmpdir(), 'moved-time-'))
after(() => rmSync(directory, { recursive: true }))

interface MovedThread {
  /** What the expression or statements answer, in the same thread each time. */
  run(code: string): Promise<unknown>
  move(milliseconds: number): void
}

/** A function's thread on a clock of the test's own, moved by an hour already; `fired` collects what timers do. */
function thread(): MovedThread {
  const shared = new SharedArrayBuffer(8)
  const cell = new BigInt64Array(shared)
  const move = (milliseconds: number) => {
    Atomics.add(cell, 0, BigInt(milliseconds))
    Atomics.notify(cell, 0)
  }
  move(HOUR)
  const runtime = runtimeOn(shared)
  after(() => runtime.stop())
  return { run: async (code) => await runtime.invoke('F', { code }), move }
}

function runtimeOn(clock: SharedArrayBuffer): LambdaRuntime {
  const file = join(mkdtempSync(join(directory, 'f-')), 'handler.mjs')
  // Node's own promises keep the machine's time, so that a test can wait.
  writeFileSync(
    file,
    `import * as timers from 'node:timers'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { promisify } from 'node:util'
    const fired = []
    const note = (...what) => fired.push(...what)
    export const handler = async ({ code }) => await (0, eval)(\`(async (timers, sleep, promisify, fired, note) => {\${code}})\`)(timers, sleep, promisify, fired, note)`,
  )
  const lambda = {
    logicalId: 'F',
    file,
    exportName: 'handler',
    handler: 'handler.handler',
    functionName: 'Demo-F',
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Demo-F',
    timeoutMs: 10_000,
    memoryMb: 128,
    variables: { TZ: ':UTC' },
  }
  return openLambdaRuntime({ functions: [lambda], maxEnvironments: 1, clock, onLog: () => {} })
}

test('moved time: Date.now(), new Date() and Date() tell it; performance.now() does not', async () => {
  const { run } = thread()
  const before = Date.now() + HOUR
  const told = await run('return [Date.now(), new Date().getTime(), Date.parse(Date()), performance.now()]')
  const [now = 0, date = 0, text = 0, runningMs = 0] = told as number[]
  const end = Date.now() + HOUR
  for (const each of [now, date]) assert.ok(before <= each && each <= end, `${each}`)
  assert.ok(before - 1000 <= text && text <= end)
  assert.ok(runningMs < HOUR)
})

const dates: readonly (readonly [code: string, answer: unknown])[] = [
  ['new Date(0).toISOString()', '1970-01-01T00:00:00.000Z'],
  ['new Date(undefined).getTime()', null],
  ['new Date(2026, 0, 1).getTime() === Date.UTC(2026, 0, 1)', true],
  ["new Date('2026-01-01').getTime() === Date.parse('2026-01-01')", true],
  ['new Date() instanceof Date && new Date().constructor === Date', true],
  ['structuredClone(new Date(7)) instanceof Date', true],
  ['class Day extends Date { day() { return this.getTime() } }; new Day(5).day()', 5],
  ['class Day extends Date {}; new Day() - Date.now() < 1000', true],
]

for (const [code, answer] of dates) {
  test(`moved time: what has its own time keeps it: ${code}`, async () => {
    const statements = code.split('; ')
    const result = `${statements.slice(0, -1).join('; ')}; return ${statements.at(-1)}`
    assert.deepEqual(await thread().run(result), answer)
  })
}

test('moved time: long timers whose time has passed fire in the order of their times, with their arguments', async () => {
  const { run, move } = thread()
  await run(`setTimeout(note, 7200_000, 'c'); setTimeout(note, 3600_000, 'a', 'b'); setTimeout(note, 7201_000, 'd')
    timers.setTimeout(note, 1800_000, 'first')`)
  move(2 * HOUR)
  assert.deepEqual(await run('await sleep(50); return fired'), ['first', 'a', 'b', 'c'])
  move(1000)
  assert.deepEqual(await run('await sleep(50); return fired'), ['first', 'a', 'b', 'c', 'd'])
})

test('moved time: a timer that is not due yet waits for the rest of its time', async () => {
  const { run, move } = thread()
  await run('setTimeout(note, 3600_300, "rest")')
  move(HOUR)
  assert.deepEqual(await run('await sleep(100); return fired'), [])
  assert.deepEqual(await run('await sleep(300); return fired'), ['rest'])
})

const cancelled: readonly (readonly [how: string, code: string])[] = [
  ['clearTimeout', 'clearTimeout(setTimeout(note, 2000, "no"))'],
  ['clearTimeout with its number', 'clearTimeout(Number(setTimeout(note, 2000, "no")))'],
  ['clearInterval', 'clearInterval(setInterval(note, 2000, "no"))'],
  ['close()', 'setTimeout(note, 2000, "no").close()'],
  ['using', '{ using timer = setTimeout(note, 2000, "no") }'],
  ['another timer', 'const b = setTimeout(note, 3000, "no"); setTimeout(() => clearTimeout(b), 2000)'],
]

for (const [how, code] of cancelled) {
  test(`moved time: a timer that was cancelled by ${how} does not fire`, async () => {
    const { run, move } = thread()
    await run(code)
    move(HOUR)
    assert.deepEqual(await run('await sleep(50); return fired'), [])
  })
}

test('moved time: refresh() has a timer count anew', async () => {
  const { run, move } = thread()
  await run('globalThis.timer = setTimeout(note, 3600_000, "late"); return null')
  move(HOUR / 2)
  await run('timer.refresh(); return null')
  move(HOUR / 2)
  assert.deepEqual(await run('await sleep(50); return fired'), [])
  move(HOUR / 2)
  assert.deepEqual(await run('await sleep(50); return fired'), ['late'])
})

test('moved time: an interval fires once for a move, and goes on a whole period later', async () => {
  const { run, move } = thread()
  await run('setInterval(note, 1000, "tick"); await sleep(800); return null')
  move(HOUR)
  assert.deepEqual(await run('await sleep(500); return fired'), ['tick'])
  assert.deepEqual(await run('await sleep(800); return fired'), ['tick', 'tick'])
})

test('moved time: a callback that throws does not keep others from firing', async () => {
  const { run, move } = thread()
  await run(`process.once('uncaughtException', ({ message }) => note(message)); setTimeout(note, 3000, 'other')
    setTimeout(() => { throw new Error('mine') }, 2000); return null`)
  move(HOUR)
  assert.deepEqual(await run('await sleep(50); return fired'), ['mine', 'other'])
})

test('moved time: setTimeout can be promisified as ever', async () => {
  const { run } = thread()
  assert.equal(await run('return await promisify(setTimeout)(10, "value")'), 'value')
})
