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
const ROUNDS = 10
const MEBIBYTE = 1_048_576

test('with 1,000 idle connections, a client that sends 5 MB of dot lines leaves the others their turn', async (t) => {
  const server = start(t, 'smtp-load-server.ts')
  const { port } = (await answer(server)) as { port: number }
  await Promise.all(Array.from({ length: IDLE_CONNECTIONS }, () => greeted(t, port)))
  const flood = start(t, 'smtp-load-client.ts', String(port))
  await answer(flood)
  const other = await smtpDialog(t, port)

  const memory: number[] = []
  const ratios: number[] = []
  const until = performance.now() + 15_000
  while (ratios.length === 0 || (Math.min(...ratios) > 5 && performance.now() < until)) {
    ratios.push(await attempt(other, flood))
    server.send('rss')
    memory.push(((await answer(server)) as { rss: number }).rss / MEBIBYTE)
  }
  t.diagnostic(`p99 of EHLO, under load to without: ${ratios.map((ratio) => ratio.toFixed(1)).join(', ')}`)
  t.diagnostic(`RSS ${Math.max(...memory).toFixed(0)} MiB`)
  assert.ok(Math.min(...ratios) <= 5, `p99 of EHLO under load is ${Math.min(...ratios)} times that without`)
  assert.ok(Math.max(...memory) <= 300, `RSS ${Math.max(...memory)} MiB`)
})

/** The p99 of EHLO under load by that without. By turns, so that what else this machine does is in both. */
async function attempt(client: Awaited<ReturnType<typeof smtpDialog>>, flood: ChildProcess): Promise<number> {
  const idle: number[] = []
  const flooded: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await measure(client, idle, sleep(40))
    flood.send('send')
    await measure(client, flooded, answer(flood))
  }
  return percentile99(flooded) / percentile99(idle)
}

/** Says EHLO again and again, and notes how long each reply took, until the time is over. */
async function measure(
  client: Awaited<ReturnType<typeof smtpDialog>>,
  into: number[],
  over: Promise<unknown>,
): Promise<void> {
  let isOver = false
  over.then(() => {
    isOver = true
  })
  while (!isOver) {
    const startedAt = performance.now()
    assert.match(await client.say('EHLO client.example'), /^250-/)
    into.push(performance.now() - startedAt)
  }
}

function percentile99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN
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
