import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { beginSasl, type SaslPorts } from '../../../shared/account/begin-sasl.ts'
import { freshAccount, freshOptions, type Options } from '../../../shared/account/options.ts'
import { type StoredPassword, storePassword } from '../../../shared/account/password.ts'
import { passwordVerifier } from '../../../shared/account/password-verifier.ts'
import type { ChannelBindings, SaslMechanism, SaslStep } from '../../../shared/account/sasl.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type ScramCredentials, scramClient } from '../../support/scram-client.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const random = seededRandom()
const PASSWORD = 'pässword of one'
const CHANNEL: ChannelBindings = {
  'tls-exporter': Buffer.from('an exported key'),
  'tls-server-end-point': Buffer.from('a hash'),
}
const options: Options = {
  ...freshOptions,
  domains: { 'x.example': { separators: ['+'], disabled: false } },
  accounts: { one: freshAccount, two: { ...freshAccount, loginDisabled: 'unpaid' } },
}
const owners: Readonly<Record<string, string>> = { me: 'one', late: 'two' }
let stored: StoredPassword

before(async () => {
  stored = await storePassword(PASSWORD, random)
})

function ports(saltSecret = 'a secret'): SaslPorts {
  const unused = () => Promise.reject(new Error('not used'))
  const credentials = { password: async () => stored, setPassword: unused, remove: unused }
  return {
    options,
    directory: {
      find: async (_domain, localpart) => owners[localpart],
      add: unused,
      move: unused,
      remove: unused,
      list: unused,
    },
    credentials,
    passwords: passwordVerifier({ credentials, clock: fakeClock(), random }),
    random,
    saltSecret: async () => saltSecret,
  }
}

/** The challenges, and the end. */
async function converse(
  mechanism: SaslMechanism,
  answers: readonly (string | Uint8Array | ((challenge: string) => string))[],
  { bindings = {} as ChannelBindings, sendsAtOnce = true } = {},
) {
  const bytesOf = (answer: (typeof answers)[number], challenge: string) =>
    Buffer.from(typeof answer === 'function' ? answer(challenge) : answer)
  const rest = [...answers]
  const initial = sendsAtOnce ? bytesOf(rest.shift() ?? '', '') : undefined
  const challenges: string[] = []
  let step: SaslStep = await beginSasl(ports(), mechanism, bindings, initial)
  while (step.kind === 'challenge') {
    challenges.push(step.text)
    const answer = rest.shift()
    if (answer === undefined) return { challenges, kind: 'unfinished' as const }
    step = await step.answer(bytesOf(answer, step.text))
  }
  return { challenges, ...step }
}

async function scram(credentials: ScramCredentials, bindings: ChannelBindings = {}) {
  const client = scramClient(credentials)
  const mechanism = credentials.binding ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256'
  const end = await converse(mechanism, [client.first, (first) => client.final(first), ''], { bindings })
  return { ...end, isMutual: client.knows(end.challenges.at(-1) ?? '') }
}

const rightWays = {
  'PLAIN with an initial response': () => converse('PLAIN', [`\0me@x.example\0${PASSWORD}`]),
  'PLAIN after an empty challenge': () =>
    converse('PLAIN', [`\0me@x.example\0${PASSWORD}`], { sendsAtOnce: false }),
  'PLAIN that says who it is twice': () => converse('PLAIN', [`me@x.example\0me@x.example\0${PASSWORD}`]),
  'LOGIN with its two questions': () => converse('LOGIN', ['me@x.example', PASSWORD], { sendsAtOnce: false }),
  'LOGIN with the user name sent along': () => converse('LOGIN', ['me@x.example', PASSWORD]),
  'SCRAM-SHA-256': () => scram({ userName: 'me@x.example', password: PASSWORD }),
  'SCRAM-SHA-256 of a client that can bind, where nothing can be bound to': () =>
    scram({ userName: 'me@x.example', password: PASSWORD, flag: 'y' }),
  'SCRAM-SHA-256 of a client that cannot bind, over TLS': () =>
    scram({ userName: 'me@x.example', password: PASSWORD }, CHANNEL),
  'SCRAM-SHA-256 with an identity that is the same': () =>
    scram({ userName: 'me@x.example', password: PASSWORD, authorizationId: 'me@x.example' }),
  ...Object.fromEntries(
    Object.entries(CHANNEL).map(([name, data]) => [
      `SCRAM-SHA-256-PLUS bound by ${name}`,
      () => scram({ userName: 'me@x.example', password: PASSWORD, binding: { name, data } }, CHANNEL),
    ]),
  ),
}
for (const [way, run] of Object.entries(rightWays)) {
  test(`a login succeeds: ${way}`, async () => {
    const end = await run()
    assert.equal(end.kind === 'login' && end.login.name, 'one')
  })
}

test('LOGIN asks for "Username:" and "Password:"', async () => {
  const { challenges } = await converse('LOGIN', ['me@x.example', PASSWORD], { sendsAtOnce: false })
  assert.deepEqual(challenges, ['Username:', 'Password:'])
})

test('RFC 5802 §3: the server proves that it knows the password too, and the client answers with nothing', async () => {
  assert.equal((await scram({ userName: 'me@x.example', password: PASSWORD })).isMutual, true)
  const client = scramClient({ userName: 'me@x.example', password: PASSWORD })
  const end = await converse('SCRAM-SHA-256', [client.first, (first) => client.final(first), 'more'])
  assert.equal(end.kind, 'malformed')
})

const other = { name: 'tls-exporter', data: Buffer.from('the key of another channel') }
const wrongWays = {
  'refused: PLAIN with a wrong password': () => converse('PLAIN', ['\0me@x.example\0wrong']),
  'refused: PLAIN of nobody': () => converse('PLAIN', [`\0nobody@x.example\0${PASSWORD}`]),
  'refused: PLAIN to act as another': () => converse('PLAIN', [`late@x.example\0me@x.example\0${PASSWORD}`]),
  'refused: LOGIN with a wrong password': () => converse('LOGIN', ['me@x.example', 'wrong']),
  'refused: SCRAM with a wrong password': () => scram({ userName: 'me@x.example', password: 'wrong' }),
  'refused: SCRAM of nobody': () => scram({ userName: 'nobody@x.example', password: PASSWORD }),
  'refused: SCRAM of what is no address': () => scram({ userName: 'me', password: PASSWORD }),
  'refused: SCRAM to act as another': () =>
    scram({ userName: 'me@x.example', password: PASSWORD, authorizationId: 'late@x.example' }),
  'disabled: PLAIN': () => converse('PLAIN', [`\0late@x.example\0${PASSWORD}`]),
  'disabled: SCRAM': () => scram({ userName: 'late@x.example', password: PASSWORD }),
  'refused: SCRAM of a disabled account with a wrong password': () =>
    scram({ userName: 'late@x.example', password: 'wrong' }),
  'unbound: SCRAM-PLUS over another channel': () =>
    scram({ userName: 'me@x.example', password: PASSWORD, binding: other }, CHANNEL),
  'unbound: SCRAM-PLUS by a kind that we do not have': () =>
    scram(
      { userName: 'me@x.example', password: PASSWORD, binding: { ...other, name: 'tls-unique' } },
      CHANNEL,
    ),
  'unbound: SCRAM-PLUS by a name that every object inherits': () =>
    scram(
      { userName: 'me@x.example', password: PASSWORD, binding: { ...other, name: 'constructor' } },
      CHANNEL,
    ),
  'unbound: SCRAM of a client that was not told of -PLUS (RFC 5802 §6)': () =>
    scram({ userName: 'me@x.example', password: PASSWORD, flag: 'y' }, CHANNEL),
  'unbound: SCRAM-PLUS without binding': () =>
    converse('SCRAM-SHA-256-PLUS', ['n,,n=me@x.example,r=abc'], { bindings: CHANNEL }),
  'unbound: SCRAM with binding': () =>
    converse('SCRAM-SHA-256', ['p=tls-exporter,,n=me@x.example,r=abc'], { bindings: CHANNEL }),
  'malformed: PLAIN of one part': () => converse('PLAIN', ['me@x.example']),
  'malformed: PLAIN of four parts': () => converse('PLAIN', [`\0me@x.example\0${PASSWORD}\0`]),
  'malformed: PLAIN without password': () => converse('PLAIN', ['\0me@x.example\0']),
  'malformed: PLAIN that is not UTF-8': () => converse('PLAIN', [Buffer.from([0, 0xff, 0, 0xff])]),
  'malformed: LOGIN with an empty user name': () => converse('LOGIN', ['', PASSWORD]),
  'malformed: LOGIN with an empty password': () => converse('LOGIN', ['me@x.example', '']),
  'malformed: SCRAM that begins with anything': () => converse('SCRAM-SHA-256', ['hello']),
}
for (const [way, run] of Object.entries(wrongWays)) {
  test(`a login is ${way}`, async () => {
    assert.equal((await run()).kind, way.split(':')[0])
  })
}

test('a disabled account is told why, and only with the right password', async () => {
  const end = await converse('PLAIN', [`\0late@x.example\0${PASSWORD}`])
  assert.equal(end.kind === 'disabled' && end.reason, 'login disabled: unpaid')
})

test('a user that does not exist has a salt of its own, the same each time and for each spelling', async () => {
  const saltOf = async (userName: string, secret?: string) => {
    const { first } = scramClient({ userName, password: '' })
    const step = await beginSasl(ports(secret), 'SCRAM-SHA-256', {}, Buffer.from(first))
    return /,(s=[A-Za-z0-9+/]{22}==,i=\d+)$/.exec(step.kind === 'challenge' ? step.text : '')?.[1]
  }
  const salt = await saltOf('nobody@x.example')
  assert.ok(salt)
  assert.equal(await saltOf('nobody@x.example'), salt)
  assert.equal(await saltOf('NoBody+more@x.example'), salt)
  assert.notEqual(await saltOf('somebody@x.example'), salt)
  assert.notEqual(await saltOf('nobody@x.example', 'another secret'), salt)
  const known = await saltOf('me@x.example')
  assert.equal(known?.split(',i=')[1], salt.split(',i=')[1])
})
