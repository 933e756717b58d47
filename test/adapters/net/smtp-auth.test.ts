import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { freshAccount, freshOptions, type Options } from '../../../shared/account/options.ts'
import { type StoredPassword, storePassword } from '../../../shared/account/password.ts'
import { passwordVerifier } from '../../../shared/account/password-verifier.ts'
import { smtpAuthentication } from '../../../shared/adapters/net/smtp-auth.ts'
import { MINUTE } from '../../../shared/base/clock.ts'
import { loginLimiter } from '../../../shared/limits/login-limiter.ts'
import { testCounters } from '../../rooms/limits/counters.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const random = seededRandom()
const RIGHT = base64('\0me@x.example\0a password')
const WRONG = base64('\0me@x.example\0another')
const options: Options = {
  ...freshOptions,
  domains: { 'x.example': { separators: [], disabled: false } },
  accounts: { one: freshAccount, two: { ...freshAccount, loginDisabled: 'unpaid' } },
}
const owners: Readonly<Record<string, string>> = { me: 'one', late: 'two' }
let stored: StoredPassword

before(async () => {
  stored = await storePassword('a password', random)
})

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Hooks of a server without TLS on which loopback may log in, and what it waited. */
function server(clock = fakeClock()) {
  const unused = () => Promise.reject(new Error('not used'))
  const credentials = { password: async () => stored, setPassword: unused, remove: unused }
  const waits: number[] = []
  const hooks = smtpAuthentication(
    {
      options: { read: async () => options, readNewest: unused, change: unused },
      directory: {
        find: async (_domain, localpart) => owners[localpart],
        add: unused,
        move: unused,
        remove: unused,
        list: unused,
      },
      credentials,
      passwords: passwordVerifier({ credentials, clock, random }),
      loginLimiter: loginLimiter({ counters: testCounters(), clock }),
      random,
      saltSecret: async () => 'a secret',
      log: { info() {}, warn() {}, error() {} },
      wait: async (milliseconds) => void waits.push(milliseconds),
    },
    { plaintextOnLoopback: true },
  )
  const gone = new AbortController().signal
  const client = (ipAddress: string) => ({ ipAddress, hello: 'x', protocol: 'ESMTP', sessionId: 's' })
  return {
    waits,
    offers: (ipAddress: string) => hooks.mechanisms({ client: client(ipAddress), failures: 0 }),
    /** The reply, `235` or the code with its enhanced one; and the challenges before it. */
    async auth(command: string, lines: readonly (string | undefined)[] = [], more = {}) {
      const [mechanism = '', initialResponse] = command.split(' ')
      const rest = [...lines]
      const { ipAddress = '127.0.0.1', failures = 0 } = more as { ipAddress?: string; failures?: number }
      const challenges: string[] = []
      const end = await hooks.authenticate(
        {
          client: client(ipAddress),
          failures,
          mechanism,
          ...(initialResponse !== undefined && { initialResponse }),
          challenge: async (text) => {
            challenges.push(text)
            return rest.shift()
          },
        },
        gone,
      )
      const reply = 'code' in end ? `${end.code} ${end.enhancedCode} ${end.text}` : `235 ${end.name}`
      return { reply, challenges }
    },
  }
}

const replies = {
  'a right password: 235': [`PLAIN ${RIGHT}`, [], /^235 one$/],
  'a right password on a line of its own: 235': ['PLAIN', [RIGHT], /^235 one$/],
  'LOGIN: 235': ['LOGIN', [base64('me@x.example'), base64('a password')], /^235 one$/],
  'a wrong password: 535 5.7.8': [`PLAIN ${WRONG}`, [], /^535 5\.7\.8 bad user name or password$/],
  'a disabled login: 525 5.7.13 with its reason': [
    `PLAIN ${base64('\0late@x.example\0a password')}`,
    [],
    /^525 5\.7\.13 login disabled: unpaid$/,
  ],
  'a client that believes we cannot bind, where we cannot: goes on': [
    `SCRAM-SHA-256 ${base64('y,,n=me@x.example,r=abc')}`,
    ['*'],
    /^501/,
  ],
  'channel binding without TLS: 504 5.5.4': ['SCRAM-SHA-256-PLUS', [], /^504 5\.5\.4 /],
  'a mechanism that nobody knows: 504 5.5.4': ['CRAM-MD5', [], /^504 5\.5\.4 /],
  'no mechanism: 504 5.5.4': ['', [], /^504 5\.5\.4 /],
  'an asterisk: 501': ['PLAIN', ['*'], /^501 5\.5\.0 /],
  'a client that has gone: any reply': ['PLAIN', [undefined], /^501 /],
  'no base64: 501 5.5.2': ['PLAIN !!!!', [], /^501 5\.5\.2 /],
  'base64 without padding: 501 5.5.2': ['PLAIN QQ', [], /^501 5\.5\.2 /],
  'base64 with a space after it: 501 5.5.2': ['PLAIN', [`${RIGHT} `], /^501 5\.5\.2 /],
  'base64 with bits left over: 501 5.5.2': ['PLAIN AB==', [], /^501 5\.5\.2 /],
  'an equals sign, which is an empty response: 501 5.5.2': [
    'PLAIN =',
    [],
    /^501 5\.5\.2 not a message of PLAIN/,
  ],
  'an equals sign on a line of its own: 501 5.5.2': ['PLAIN', ['='], /^501 5\.5\.2 not base64/],
} as const
for (const [rule, [command, lines, reply]] of Object.entries(replies)) {
  test(`RFC 4954 §4: AUTH answers ${rule}`, async () => {
    assert.match((await server().auth(command, lines)).reply, reply)
  })
}

test('RFC 4954 §4: challenges are base64, and the first one of PLAIN is empty', async () => {
  assert.deepEqual((await server().auth('PLAIN', ['*'])).challenges, [''])
  const { challenges } = await server().auth('LOGIN', [base64('me@x.example'), '*'])
  assert.deepEqual(challenges, ['VXNlcm5hbWU6', 'UGFzc3dvcmQ6'])
})

test('RFC 4954 §4: without TLS only this machine may log in', async () => {
  assert.deepEqual(server().offers('127.0.0.1'), ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'])
  assert.deepEqual(server().offers('::1'), ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'])
  for (const ipAddress of ['192.0.2.1', '2001:db8::1', '::ffff:192.0.2.1']) {
    assert.deepEqual(server().offers(ipAddress), [])
    const { reply } = await server().auth(`PLAIN ${RIGHT}`, [], { ipAddress })
    assert.match(reply, /^538 5\.7\.11 /)
  }
})

test('from the third refusal on a connection the answer comes later, and the fifth ends it', async () => {
  const { auth, waits } = server()
  const heard: string[] = []
  for (const failures of [0, 1, 2, 3, 4]) {
    heard.push((await auth(`PLAIN ${WRONG}`, [], { failures })).reply.slice(0, 9))
  }
  assert.deepEqual(heard, [...new Array(4).fill('535 5.7.8'), '421 4.7.0'])
  assert.deepEqual(waits, [0, 0, 1000, 2000, 3000])
})

test('AT-60: after ten refusals within a minute the network must wait, whatever it sends', async () => {
  const clock = fakeClock()
  const { auth } = server(clock)
  for (let refusals = 0; refusals < 10; refusals++) {
    assert.match((await auth(`PLAIN ${WRONG}`)).reply, /^535/)
  }
  assert.match((await auth(`PLAIN ${RIGHT}`)).reply, /^421 4\.7\.0 /)
  assert.match((await auth(`PLAIN ${RIGHT}`, [], { ipAddress: '127.9.0.1' })).reply, /^235/)
  clock.advance(MINUTE)
  assert.match((await auth(`PLAIN ${RIGHT}`)).reply, /^235/)
})

test('a success forgives the refusals before it, and what is malformed counts for nothing', async () => {
  const { auth } = server()
  for (let round = 0; round < 3; round++) {
    for (let refusals = 0; refusals < 9; refusals++) await auth(`PLAIN ${WRONG}`)
    for (let errors = 0; errors < 9; errors++) await auth('PLAIN AAAA')
    assert.match((await auth(`PLAIN ${RIGHT}`)).reply, /^235/)
  }
})
