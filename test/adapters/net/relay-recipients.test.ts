import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import { request, type Verdict, verdicts } from './delivery-request.ts'
import { scriptedServer } from './scripted-server.ts'

const ACCEPTED: Verdict = { kind: 'accepted', code: 250, enhancedCode: '2.0.0' }
const NO_SUCH_USER: Verdict = { kind: 'permanent', code: 550, enhancedCode: '5.1.1', error: 'no such user' }
const TOO_MANY: Verdict = {
  kind: 'temporary',
  code: 452,
  enhancedCode: '4.5.3',
  error: 'too many recipients',
}

const [a, b, c] = ['a@x.example', 'b@x.example', 'c@x.example'] as const
const MAIL = 'MAIL FROM:<from@here.example>'
const [A, B, C] = ['RCPT TO:<a@x.example>', 'RCPT TO:<b@x.example>', 'RCPT TO:<c@x.example>'] as const

interface Expected {
  readonly rule: string
  readonly extensions?: readonly string[]
  readonly recipients: readonly string[]
  /** The n-th time that a command comes, from 0; undefined is 250. */
  readonly reply?: (command: string, time: number) => string | null | undefined
  readonly verdicts: readonly Verdict[]
  /** After EHLO and up to QUIT, without the data. */
  readonly commands: readonly string[]
}

const cases: readonly Expected[] = [
  {
    rule: 'AT-34: two recipients go in one transaction',
    recipients: [a, b],
    verdicts: [ACCEPTED, ACCEPTED],
    commands: [MAIL, A, B, 'DATA'],
  },
  {
    rule: 'AT-36: where the server takes one recipient at a time, two go in two transactions (RFC 9422 §4.2)',
    extensions: ['LIMITS MAILMAX=20 rcptmax=1 RCPTDOMAINMAX=1'],
    recipients: [a, b],
    verdicts: [ACCEPTED, ACCEPTED],
    commands: [MAIL, A, 'DATA', MAIL, B, 'DATA'],
  },
  {
    rule: 'limits that cannot be read are none (RFC 9422 §3)',
    extensions: ['LIMITS RCPTMAX=0 MAILMAX=one RCPTMAXIMUM=1', 'XLIMITS RCPTMAX=1'],
    recipients: [a, b],
    verdicts: [ACCEPTED, ACCEPTED],
    commands: [MAIL, A, B, 'DATA'],
  },
  {
    rule: 'AT-37: a recipient that was one too many (552) is delivered in a second transaction',
    recipients: [a, b],
    reply: (command, time) => (command === B && time === 0 ? '552 5.5.3 too many recipients' : undefined),
    verdicts: [ACCEPTED, ACCEPTED],
    commands: [MAIL, A, B, 'DATA', MAIL, B, 'DATA'],
  },
  {
    rule: 'transactions follow each other while each takes a recipient (RFC 5321 §4.5.3.1.10)',
    recipients: [a, b, c],
    reply: (command, time) => {
      const isTooMany = (command === B && time < 1) || (command === C && time < 2)
      return isTooMany ? '452 4.5.3 too many recipients' : undefined
    },
    verdicts: [ACCEPTED, ACCEPTED, ACCEPTED],
    commands: [MAIL, A, B, C, 'DATA', MAIL, B, C, 'DATA', MAIL, C, 'DATA'],
  },
  {
    rule: 'AT-70: where all are refused, each has its own reply, and 452 is one',
    recipients: [a, b, c],
    reply: (command) =>
      ({ [A]: '550 5.1.1 no such user', [B]: '452 4.5.3 too many recipients', [C]: '450 4.2.1 greylisted' })[
        command
      ],
    verdicts: [
      NO_SUCH_USER,
      TOO_MANY,
      { kind: 'temporary', code: 450, enhancedCode: '4.2.1', error: 'greylisted' },
    ],
    commands: [MAIL, A, B, C],
  },
  {
    rule: 'who is one too many even alone keeps that reply',
    recipients: [a, b],
    reply: (command) => (command === B ? '452 4.5.3 too many recipients' : undefined),
    verdicts: [ACCEPTED, TOO_MANY],
    commands: [MAIL, A, B, 'DATA', MAIL, B],
  },
  {
    rule: 'a refusal after the data is for its transaction alone',
    recipients: [a, b],
    reply: (command, time) => {
      if (command === B && time === 0) return '452 4.5.3 too many recipients'
      return command === '.' && time === 0 ? '550 5.1.1 no such user' : undefined
    },
    verdicts: [NO_SUCH_USER, ACCEPTED],
    commands: [MAIL, A, B, 'DATA', MAIL, B, 'DATA'],
  },
  {
    rule: 'a transaction that came to no data is ended before the next (RFC 5321 §4.1.1.5)',
    extensions: ['LIMITS RCPTMAX=1'],
    recipients: [a, b],
    reply: (command) => (command === A ? '550 5.1.1 no such user' : undefined),
    verdicts: [NO_SUCH_USER, ACCEPTED],
    commands: [MAIL, A, 'RSET', MAIL, B, 'DATA'],
  },
  {
    rule: 'the server’s limit of messages ends the use of its session (RFC 9422 §4.1)',
    extensions: ['LIMITS RCPTMAX=1 MAILMAX=1'],
    recipients: [a, b],
    verdicts: [
      ACCEPTED,
      {
        kind: 'temporary',
        code: 0,
        enhancedCode: '',
        error: 'the server takes no more messages in this session (MAILMAX)',
      },
    ],
    commands: [MAIL, A, 'DATA'],
  },
  {
    rule: 'a refused MAIL is for all, also for those of later transactions',
    extensions: ['LIMITS RCPTMAX=1'],
    recipients: [a, b],
    reply: (command) => (command === MAIL ? '550 5.1.1 no such user' : undefined),
    verdicts: [NO_SUCH_USER, NO_SUCH_USER],
    commands: [MAIL],
  },
  {
    rule: 'a MAIL that was taken before is refused for the session’s sake, so that it is temporary',
    extensions: ['LIMITS RCPTMAX=1'],
    recipients: [a, b, c],
    reply: (command, time) => (command === MAIL && time > 0 ? '554 5.7.0 enough of you' : undefined),
    verdicts: [
      ACCEPTED,
      { kind: 'temporary', code: 554, enhancedCode: '5.7.0', error: 'enough of you' },
      { kind: 'temporary', code: 554, enhancedCode: '5.7.0', error: 'enough of you' },
    ],
    commands: [MAIL, A, 'DATA', MAIL],
  },
  {
    rule: 'a RSET that is refused ends the use of the session',
    extensions: ['LIMITS RCPTMAX=1'],
    recipients: [a, b],
    reply: (command) => ({ [A]: '550 5.1.1 no such user', RSET: '502 5.5.1 what?' })[command],
    verdicts: [NO_SUCH_USER, broken('the server answered 502 5.5.1 what?')],
    commands: [MAIL, A, 'RSET'],
  },
  {
    rule: 'a server that hangs up when RSET comes makes the rest temporary',
    extensions: ['LIMITS RCPTMAX=1'],
    recipients: [a, b],
    reply: (command) => ({ [A]: '550 5.1.1 no such user', RSET: null })[command],
    verdicts: [NO_SUCH_USER, broken('connection closed')],
    commands: [MAIL, A, 'RSET'],
  },
  {
    rule: 'after 421 nobody else is asked, and who was one too many keeps that reply (RFC 5321 §3.8)',
    recipients: [a, b],
    reply: (command) => ({ [B]: '452 4.5.3 too many recipients', '.': '421 4.3.2 good night' })[command],
    verdicts: [{ kind: 'temporary', code: 421, enhancedCode: '4.3.2', error: 'good night' }, TOO_MANY],
    commands: [MAIL, A, B, 'DATA'],
  },
]
for (const expected of cases) {
  test(expected.rule, async (t) => {
    const { commands } = await deliver(t, expected, [])
    assert.deepEqual(commands, expected.commands)
  })

  test(`with PIPELINING: ${expected.rule}`, async (t) => {
    const { commands } = await deliver(t, expected, ['PIPELINING'])
    // What follows a refusal was on its way already.
    assert.deepEqual(commands.filter(isMail), expected.commands.filter(isMail))
  })
}

test('when the time is over, who was not delivered to yet is temporary', async (t) => {
  let ends = 0
  const server = await scriptedServer(t, {
    extensions: ['LIMITS RCPTMAX=1'],
    reply: (command) => (command.endsWith('.') && ends++ > 0 ? '250-wait' : undefined),
  })
  const hurried = relayTransport({ limits: { totalMs: 300 } })
  const error = `sending to 127.0.0.1:${server.port}: timed out after 0.3 s`
  const late: Verdict = { kind: 'temporary', code: 0, enhancedCode: '', error }
  assert.deepEqual(await verdicts(hurried, request(server.port, [a, b, c])), [ACCEPTED, late, late])
})

test('a hundred transactions fit into a session', async (t) => {
  const server = await scriptedServer(t, { extensions: ['LIMITS RCPTMAX=1'] })
  const recipients = Array.from({ length: 100 }, (_, at) => `to${at}@x.example`)
  const found = await verdicts(relayTransport(), request(server.port, recipients))
  assert.deepEqual(
    found,
    recipients.map(() => ACCEPTED),
  )
})

async function deliver(
  t: TestContext,
  expected: Expected,
  pipelining: readonly string[],
): Promise<{ readonly commands: readonly string[] }> {
  const times = new Map<string, number>()
  const server = await scriptedServer(t, {
    extensions: [...(expected.extensions ?? []), ...pipelining],
    reply: (said) => {
      const command = said.endsWith('.') ? '.' : said
      const time = times.get(command) ?? 0
      times.set(command, time + 1)
      return expected.reply?.(command, time)
    },
  })
  const found = await verdicts(relayTransport(), request(server.port, expected.recipients))
  assert.deepEqual(
    found.map(({ error, ...verdict }) =>
      error === undefined ? verdict : { ...verdict, error: error.replace(`:${server.port}`, ':PORT') },
    ),
    expected.verdicts,
  )
  assert.equal(server.connections, 1)
  return { commands: server.commands.filter((command) => !/^(EHLO|QUIT)|\.$/.test(command)) }
}

function isMail(command: string): boolean {
  return command.startsWith('MAIL')
}

function broken(reason: string): Verdict {
  return { kind: 'temporary', code: 0, enhancedCode: '', error: `sending to 127.0.0.1:PORT: ${reason}` }
}
