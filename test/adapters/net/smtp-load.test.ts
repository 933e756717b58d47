import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { smtpDialog } from './smtp-dialog.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')
const IDLE_CONNECTIONS = 1_000
const ROUNDS = 20
const MEBIBYTE = 1_048_576
/** Under load to without. */
const MOST = 5

interface Target {
  readonly server: ChildProcess
  readonly flood: ChildProcess
  readonly client: Awaited<ReturnType<typeof smtpDialog>>
}

test('with 1,000 idle connections, a client that sends 5 MB of dot lines leaves the others their turn', async (t) => {
  const { server, flood, client } = await target(t)
  const idle: number[] = []
  const flooded: number[] = []
  const memory: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    idle.push(await measure(client, sleep(40)))
    flood.send('send')
    flooded.push(await measure(client, answer(flood)))
    server.send('rss')
    memory.push(((await answer(server)) as { rss: number }).rss / MEBIBYTE)
  }
  // The median round: in some of them the machine does something else.
  const [without, under] = [percentile(idle, 0.5), percentile(flooded, 0.5)]
  const measured = `p99 of EHLO: ${without.toFixed(2)} ms, under load ${under.toFixed(2)} ms`
  t.diagnostic(measured)
  t.diagnostic(`RSS ${Math.max(...memory).toFixed(0)} MiB`)
  assert.ok(under <= MOST * without, measured)
  assert.ok(Math.max(...memory) <= 300, `RSS ${Math.max(...memory)} MiB`)
})

async function target(t: TestContext): Promise<Target> {
  const server = start(t, 'smtp-load-server.ts')
  const { port } = (await answer(server)) as { port: number }
  await Promise.all(Array.from({ length: IDLE_CONNECTIONS }, () => greeted(t, port)))
  const flood = start(t, 'smtp-load-client.ts', String(port))
  await answer(flood)
  return { server, flood, client: await smtpDialog(t, port) }
}

/** Says EHLO again and again until the time is over; how long 99 of 100 replies took at most, in milliseconds. */
async function measure(client: Target['client'], over: Promise<unknown>): Promise<number> {
  const took: number[] = []
  let isOver = false
  over.then(() => {
    isOver = true
  })
  while (!isOver) {
    const startedAt = performance.now()
    assert.match(await client.say('EHLO client.example'), /^250-/)
    took.push(performance.now() - startedAt)
  }
  return percentile(took, 0.99)
}

function percentile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN
}

function start(t: TestContext, fixture: string, ...words: readonly string[]): ChildProcess {
  const child = fork(join(FIXTURES, fixture), words)
  t.after(() => child.disconnect())
  return child
}

async function answer(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

async function greeted(t: TestContext, port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => void socket.destroy())
  await once(socket, 'data')
}
