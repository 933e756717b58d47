import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { testAdmin } from '../support/admin-ports.ts'
import { type RunPostern, runPostern, serve, serveAdmin } from './admin-server.ts'

const STARTED_AT = Date.UTC(2026, 10, 22, 10)

interface FakeLocal {
  readonly run: RunPostern
  readonly url: string
  /** Bodies of the moves that were asked for. */
  readonly moves: readonly unknown[]
}

/** An installation with the clock of local mode, which stands still otherwise. */
async function local(context: TestContext, offsetMs = 0): Promise<FakeLocal> {
  const moves: unknown[] = []
  let offset = offsetMs
  const url = await serve(context, async (request) => {
    assert.equal(request.url, '/_local/clock')
    assert.equal(request.headers.authorization, undefined)
    if (request.method === 'POST') {
      const body = JSON.parse((await buffer(request)).toString())
      moves.push(body)
      offset += body.advanceMs
    }
    return Response.json({ now: new Date(STARTED_AT + offset).toISOString(), offsetMs: offset })
  })
  return { url, moves, run: async (...args) => await runPostern(args, { POSTERN_URL: url }) }
}

test('postern time shows the time, and moves nothing', async (t) => {
  const { run, moves } = await local(t)
  assert.deepEqual(await run('time'), {
    status: 0,
    stdout: '2026-11-22T10:00:00.000Z, not moved\n',
    stderr: '',
  })
  assert.deepEqual(moves, [])
})

test('postern time says how far it was moved', async (t) => {
  const { run } = await local(t, 5_400_000)
  assert.equal((await run('time')).stdout, '2026-11-22T11:30:00.000Z, 1h30m ahead of this machine\n')
})

const durations = [
  { text: '+8h', advanceMs: 28_800_000 },
  { text: '+7m30s', advanceMs: 450_000 },
  { text: '+90s', advanceMs: 90_000 },
  { text: '+1ms', advanceMs: 1 },
]

for (const { text, advanceMs } of durations) {
  test(`postern time ${text} moves it by ${advanceMs} ms`, async (t) => {
    const { run, moves } = await local(t)
    assert.equal((await run('time', text)).status, 0)
    assert.deepEqual(moves, [{ advanceMs }])
  })
}

test("postern time --json prints the local cloud's answer", async (t) => {
  const { run } = await local(t)
  const { stdout } = await run('time', '+8h', '--json')
  assert.deepEqual(JSON.parse(stdout), { now: '2026-11-22T18:00:00.000Z', offsetMs: 28_800_000 })
})

const mistakes = [
  { text: '8h', reason: 'Time only moves forward: +8h, +7m30s or +90s.' },
  { text: '+8', reason: 'Durations look like 72h, 1h30m or 0.' },
  { text: '+-8h', reason: 'Durations look like 72h, 1h30m or 0.' },
  { text: '+0', reason: 'Time moves by at least +1ms.' },
]

for (const { text, reason } of mistakes) {
  test(`postern time ${text} is refused, and moves nothing`, async (t) => {
    const { run, moves } = await local(t)
    const stderr = `error: command-argument value '${text}' is invalid for argument '+duration'. ${reason}\n`
    assert.deepEqual(await run('time', text), { status: 1, stdout: '', stderr })
    assert.deepEqual(moves, [])
  })
}

test('postern time --reset is refused with the reason, once time was moved', async (t) => {
  const { run, moves } = await local(t, 28_800_000)
  assert.deepEqual(await run('time', '--reset', '+8h'), {
    status: 1,
    stdout: '',
    stderr:
      'error: time stays 8h ahead: the ids and times of the stored data would run backwards; ' +
      'to begin anew, stop npm start and delete its data directory\n',
  })
  assert.deepEqual(moves, [])
})

test('postern time --reset has nothing to do before', async (t) => {
  const { run } = await local(t)
  assert.deepEqual(await run('time', '--reset'), {
    status: 0,
    stdout: '2026-11-22T10:00:00.000Z, not moved\n',
    stderr: '',
  })
})

test('postern time: an installation that is no local one is named as such', async (t) => {
  const inAws = await serve(t, async () => Response.json({ message: 'Not Found' }, { status: 404 }))
  const elsewhere = await serve(t, async () => new Response('<html>'))
  const ours = await serveAdmin(t, testAdmin())
  for (const url of [inAws, elsewhere, ours]) {
    assert.deepEqual(await runPostern(['time', '+8h', '--url', url]), {
      status: 1,
      stdout: '',
      stderr: `error: ${url} is not a local Postern: only the time of npm start can be moved\n`,
    })
  }
})

test("postern time: a refusal is the local cloud's own text", async (t) => {
  const url = await serve(t, async () => Response.json({ message: 'the Host must be' }, { status: 403 }))
  assert.equal((await runPostern(['time', '--url', url])).stderr, 'error: the Host must be\n')
})
