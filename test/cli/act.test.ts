import assert from 'node:assert/strict'
import { once } from 'node:events'
import { json, text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { act } from '../../scripts/cli/act.ts'
import { CliError } from '../../scripts/cli/cli-error.ts'
import { adminClient } from '../../scripts/cli/client.ts'
import { eventually } from '../../scripts/eventually.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { runPostern, serve, startPostern } from './admin-server.ts'

const ID = 115_318_000_123_904

function operation(more: Partial<OperationJson> = {}): OperationJson {
  return {
    ID,
    Queue: 'messages',
    Action: 'hold',
    DryRun: false,
    State: 'done',
    Started: '2026-06-01T00:00:00.000Z',
    Moved: '2026-06-01T00:00:00.000Z',
    Accounts: 1,
    AccountsDone: 1,
    Read: 0,
    Matched: 0,
    Changed: 0,
    Attempting: 0,
    TooLate: 0,
    ...more,
  }
}

interface Api {
  readonly url: string
  readonly environment: Readonly<Record<string, string>>
  /** What was asked: method, path and body. */
  readonly asked: (readonly [call: string, body: unknown])[]
}

/** An admin API that answers these operations, one after the other, and then the last one again. */
async function api(context: TestContext, ...answers: readonly OperationJson[]): Promise<Api> {
  const asked: [string, unknown][] = []
  const url = await serve(context, async (request) => {
    const hasBody = request.method === 'POST'
    asked.push([`${request.method} ${request.url}`, hasBody ? await json(request) : undefined])
    return Response.json(answers[Math.min(asked.length, answers.length) - 1])
  })
  return { url, environment: { POSTERN_URL: url, POSTERN_ADMIN_PASSWORD: 'x' }, asked }
}

const hold = { Action: 'hold', Filter: { Account: 'shop' }, DryRun: false }

const commands: readonly { args: readonly string[]; path?: string; body: object }[] = [
  { args: ['queue', 'hold', '--account', 'shop'], body: hold },
  { args: ['queue', 'hold', '--all'], body: { ...hold, Filter: {} } },
  { args: ['queue', 'release', '--hold', 'true'], body: { Action: 'release', Filter: { Hold: true } } },
  { args: ['queue', 'unhold', '--all'], body: { Action: 'release', Filter: {} } },
  {
    args: ['queue', 'schedule', 'now', '--ids', '1, shop/2'],
    body: { Action: 'schedule', At: 'now', Filter: { IDs: ['1', 'shop/2'] } },
  },
  {
    args: ['queue', 'schedule', '30m', '--to', '@example.org', '--from', 'ann'],
    body: { Action: 'schedule', At: '30m', Filter: { From: 'ann', To: '@example.org' } },
  },
  {
    args: ['queue', 'schedule', '2026-12-24T18:00:00Z', '--next-attempt', '<1h'],
    body: { Action: 'schedule', At: '2026-12-24T18:00:00Z', Filter: { NextAttempt: '<1h' } },
  },
  { args: ['queue', 'postpone', '1h30m', '--all'], body: { Action: 'postpone', By: '1h30m', Filter: {} } },
  {
    args: ['queue', 'postpone', '-10m', '--submitted', '<-1h'],
    body: { Action: 'postpone', By: '-10m', Filter: { Submitted: '<-1h' } },
  },
  {
    args: ['queue', 'postpone', '--hold', 'false', '-10m'],
    body: { Action: 'postpone', By: '-10m', Filter: { Hold: false } },
  },
  {
    args: ['queue', 'transport', 'relay', '--transport', ''],
    body: { Action: 'transport', Transport: 'relay', Filter: { Transport: '' } },
  },
  {
    args: ['queue', 'transport', '--default', '--transport', 'relay'],
    body: { Action: 'transport', Transport: '', Filter: { Transport: 'relay' } },
  },
  ...(
    [
      ['yes', true],
      ['no', false],
      ['default', null],
    ] as const
  ).map(([wish, RequireTLS]) => ({
    args: ['queue', 'requiretls', wish, '--all'],
    body: { Action: 'requiretls', RequireTLS, Filter: {} },
  })),
  { args: ['queue', 'fail', '--yes', '--all'], body: { Action: 'fail', Filter: {} } },
  { args: ['queue', 'drop', '--yes', '--all'], body: { Action: 'drop', Filter: {} } },
  {
    args: ['queue', 'drop', '--dry-run', '--all'],
    body: { Action: 'drop', Filter: {}, DryRun: true },
  },
  {
    args: ['webhook', 'replay', '--last-activity', '>-24h', '--result', 'failure'],
    path: '/webhooks/actions',
    body: { Action: 'replay', Filter: { LastActivity: '>-24h', Success: false } },
  },
  {
    args: ['webhook', 'schedule', 'now', '--event', 'failed'],
    path: '/webhooks/actions',
    body: { Action: 'schedule', At: 'now', Filter: { Event: 'failed' } },
  },
  {
    args: ['webhook', 'postpone', '-1h', '--account', 'shop'],
    path: '/webhooks/actions',
    body: { Action: 'postpone', By: '-1h', Filter: { Account: 'shop' } },
  },
  {
    args: ['webhook', 'release', '--all'],
    path: '/webhooks/actions',
    body: { Action: 'release', Filter: {} },
  },
  {
    args: ['webhook', 'cancel', '--ids', 'shop/1', '--yes'],
    path: '/webhooks/actions',
    body: { Action: 'cancel', Filter: { IDs: ['shop/1'] } },
  },
]
for (const { args, path = '/queue/actions', body } of commands) {
  test(`postern ${args.join(' ')} asks the API for that`, async (t) => {
    const { environment, asked } = await api(t, operation())
    assert.deepEqual(await runPostern(args, environment), {
      status: 0,
      stdout: 'no message matches\n',
      stderr: '',
    })
    assert.deepEqual(asked, [[`POST /admin/api${path}`, { DryRun: false, ...body }]])
  })
}

const CHOOSE = 'choose some (see --help), or give --all'
const mistakes = [
  { args: ['queue', 'hold'], error: `nothing says which messages: ${CHOOSE}` },
  { args: ['queue', 'hold', '--dry-run'], error: `nothing says which messages: ${CHOOSE}` },
  { args: ['queue', 'drop', '--yes'], error: `nothing says which messages: ${CHOOSE}` },
  { args: ['webhook', 'replay'], error: `nothing says which webhooks: ${CHOOSE}` },
  { args: ['webhook', 'cancel', '--yes'], error: `nothing says which webhooks: ${CHOOSE}` },
  {
    args: ['queue', 'fail', '--all'],
    error: 'fail cannot be taken back: give --yes where nobody can be asked',
  },
  {
    args: ['webhook', 'cancel', '--all'],
    error: 'cancel cannot be taken back: give --yes where nobody can be asked',
  },
  {
    args: ['queue', 'drop', '--account', '', '--yes'],
    error: "option '--account <name>' argument '' is invalid. It is empty, which would be everything.",
  },
  {
    args: ['queue', 'drop', '--ids', ' ', '--yes'],
    error: "option '--ids <names>' argument ' ' is invalid. It is empty, which would be everything.",
  },
  {
    args: ['queue', 'transport', '--all'],
    error: 'give the name of a transport, or --default for the routes',
  },
  {
    args: ['queue', 'transport', 'relay', '--default', '--all'],
    error: 'give the name of a transport, or --default for the routes',
  },
  {
    args: ['queue', 'requiretls', 'maybe', '--all'],
    error:
      "command-argument value 'maybe' is invalid for argument 'wish'. Allowed choices are yes, no, default.",
  },
  {
    args: ['queue', 'postpone', '3d', '--all'],
    error:
      "command-argument value '3d' is invalid for argument 'duration'. Durations look like 72h, 1h30m or -10m.",
  },
  {
    args: ['queue', 'postpone', '--acount', 'shop', '1h'],
    error: "too many arguments for 'postpone'. Expected 1 argument but got 3: --acount, shop, 1h.",
  },
  {
    args: ['queue', 'postpone', '--acount=shop'],
    error:
      "command-argument value '--acount=shop' is invalid for argument 'duration'. There is no such option.",
  },
  { args: ['queue', 'schedule', '--all'], error: "missing required argument 'time'" },
]
for (const { args, error } of mistakes) {
  test(`postern ${args.join(' ')} is refused in one line, and asks the API for nothing`, async (t) => {
    const { environment, asked } = await api(t, operation())
    const outcome = await runPostern(args, environment)
    assert.deepEqual(outcome, { status: 1, stdout: '', stderr: `error: ${error}\n` })
    assert.deepEqual(asked, [])
  })
}

const outcomes: readonly { ended: Partial<OperationJson>; line: string; status?: number }[] = [
  { ended: {}, line: 'no message matches' },
  { ended: { Matched: 1, Changed: 1 }, line: '1 message held' },
  {
    ended: { Matched: 14, Changed: 12, Attempting: 2 },
    line: '12 of 14 messages held, 2 were being attempted: try again',
    status: 1,
  },
  { ended: { Matched: 14, Changed: 0 }, line: '0 of 14 messages held, 14 needed no change' },
  {
    ended: { Action: 'postpone', Matched: 4, Changed: 1, TooLate: 1, Attempting: 1 },
    line: '1 of 4 messages postponed, 1 needed no change, 1 would wait more than 80 days, 1 was being attempted: try again',
    status: 1,
  },
  { ended: { Action: 'requiretls', Matched: 2, Changed: 2 }, line: '2 messages changed' },
  { ended: { DryRun: true, Matched: 14 }, line: '14 messages would be held' },
  {
    ended: { Queue: 'webhooks', Action: 'cancel', Matched: 2, Changed: 2 },
    line: '2 webhook calls canceled',
  },
  {
    ended: { Queue: 'webhooks', Action: 'replay', Matched: 3, Changed: 2 },
    line: '2 of 3 webhook calls replayed, 1 cannot be replayed',
  },
  {
    ended: { State: 'canceled', Matched: 14, Changed: 14 },
    line: `operation ${ID} was canceled: 14 messages held`,
    status: 1,
  },
]
for (const { ended, line, status = 0 } of outcomes) {
  test(`an act that ended so is told as: ${line}`, async (t) => {
    const { environment } = await api(t, operation(ended))
    const outcome = await runPostern(['queue', 'hold', '--all'], environment)
    assert.deepEqual(outcome, { status, stdout: `${line}\n`, stderr: '' })
  })
}

test('what goes on after the call is followed to its end, with its progress on stderr', async (t) => {
  const { environment, asked } = await api(
    t,
    operation({ State: 'running', Matched: 500, Changed: 500 }),
    operation({ State: 'running', Matched: 500, Changed: 500 }),
    operation({ Matched: 700, Changed: 700 }),
  )
  assert.deepEqual(await runPostern(['queue', 'hold', '--all'], environment), {
    status: 0,
    stdout: '700 messages held\n',
    stderr: `operation ${ID}: 500 messages held so far\n`,
  })
  const ask = [`GET /admin/api/operations/${ID}`, undefined]
  assert.deepEqual(asked.slice(1), [ask, ask])
})

test('with --json the last state of the operation is printed', async (t) => {
  const ended = operation({ Matched: 700, Changed: 700 })
  const { environment } = await api(t, { ...ended, State: 'running' }, ended)
  const { stdout } = await runPostern(['queue', 'hold', '--all', '--json'], environment)
  assert.deepEqual(JSON.parse(stdout), ended)
})

test('with --no-wait the command ends, and says how to go on', async (t) => {
  const { environment, asked } = await api(t, operation({ State: 'running', Matched: 500, Changed: 500 }))
  assert.deepEqual(await runPostern(['queue', 'hold', '--all', '--no-wait'], environment), {
    status: 0,
    stdout: `500 messages held so far; it goes on: postern operation show ${ID}\n`,
    stderr: '',
  })
  assert.equal(asked.length, 1)
})

test('Ctrl-C leaves the operation running, and says how to stop it', async (t) => {
  const { environment, asked } = await api(t, operation({ State: 'running', Matched: 500, Changed: 500 }))
  const child = startPostern(['queue', 'hold', '--all'], environment)
  const ended = once(child, 'exit')
  const stderr = text(child.stderr)
  await eventually('it asks how far the operation is', () => asked.length > 1)
  child.kill('SIGINT')
  assert.deepEqual(await ended, [130, null])
  const last = `\noperation ${ID} goes on; this stops it: postern operation cancel ${ID}\n`
  assert.equal(await stderr, `operation ${ID}: 500 messages held so far\n${last}`)
  assert.ok(asked.every(([call]) => !call.startsWith('DELETE')))
})

test('a call that fails while waiting says that the operation goes on', async (t) => {
  let calls = 0
  const url = await serve(t, async () =>
    calls++ === 0
      ? Response.json(operation({ State: 'running' }))
      : Response.json({ Code: 'server', Message: 'internal error' }, { status: 500 }),
  )
  const outcome = await runPostern(['queue', 'hold', '--all', '--url', url], { POSTERN_ADMIN_PASSWORD: 'x' })
  assert.equal(outcome.status, 1)
  assert.match(outcome.stderr, new RegExp(`error: internal error; operation ${ID} goes on\\n$`))
})

/** Runs an act of somebody at a terminal who answers so; tells what was asked and shown. */
async function atTerminal(context: TestContext, isYes: boolean, ...answers: readonly OperationJson[]) {
  const { url, asked } = await api(context, ...answers)
  const shown: string[] = []
  const questions: string[] = []
  const session = {
    url: () => url,
    client: async () => adminClient({ url, password: 'x' }),
    show: (_value: unknown, line: string) => void shown.push(line),
  }
  const person = {
    canAsk: () => true,
    async demandYes(question: string) {
      questions.push(question)
      if (!isYes) throw new CliError('nothing was done')
    },
  }
  const fail = { queue: 'messages', body: { Action: 'fail' }, isFinal: true } as const
  const run = () => act(session, fail, { account: 'shop', wait: true }, person)
  return { run, asked, shown, questions }
}

const counted = operation({ Action: 'fail', DryRun: true, Matched: 12 })

test('at a terminal fail counts first, asks, and then acts', async (t) => {
  const ended = operation({ Action: 'fail', Matched: 12, Changed: 12 })
  const { run, asked, shown, questions } = await atTerminal(t, true, counted, ended)
  await run()
  assert.deepEqual(questions, ['fail 12 messages?'])
  assert.deepEqual(shown, ['12 messages failed'])
  assert.deepEqual(
    asked.map(([, body]) => (body as { DryRun: boolean }).DryRun),
    [true, false],
  )
})

test('at a terminal fail does nothing unless the answer is yes', async (t) => {
  const { run, asked } = await atTerminal(t, false, counted)
  await assert.rejects(run(), { message: 'nothing was done' })
  assert.equal(asked.length, 1)
})

test('at a terminal fail asks nothing where nothing matches', async (t) => {
  const { run, asked, shown, questions } = await atTerminal(t, true, { ...counted, Matched: 0 })
  await run()
  assert.deepEqual([questions, shown, asked.length], [[], ['no message matches'], 1])
})
