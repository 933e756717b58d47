import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { LoginMechanism, Relay } from '../../../shared/account/options.ts'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import type { DeliveryOutcome } from '../../../shared/queue/transport.ts'
import { type SaslServerTerms, saslServer } from '../../support/sasl-server.ts'
import { request } from './delivery-request.ts'
import { type ScriptedServer, scriptedServer } from './scripted-server.ts'
import { selfSigned } from './self-signed.ts'

const ALL: readonly LoginMechanism[] = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-1',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
]
const identity = selfSigned(['localhost'])

interface Terms {
  readonly mechanisms?: readonly LoginMechanism[]
  readonly offered?: readonly string[]
  readonly tls?: Relay['tls']
  readonly maxVersion?: 'TLSv1.2'
  readonly server?: SaslServerTerms
  readonly reply?: (command: string) => string | null | undefined
  readonly username?: string
  readonly password?: string | undefined
}

/** Delivers with a login to a relay on this machine. */
async function deliver(
  t: TestContext,
  { tls = 'unverified', mechanisms = ALL, offered = ALL, ...terms }: Terms,
): Promise<{ readonly outcome: DeliveryOutcome | undefined; readonly server: ScriptedServer }> {
  const login = saslServer(terms.server)
  const server = await scriptedServer(t, {
    extensions: [`AUTH ${offered.join(' ')}`],
    identity: { ...identity, ...(terms.maxVersion && { maxVersion: terms.maxVersion }) },
    reply: (command, socket) => {
      const scripted = terms.reply?.(command)
      return scripted === undefined ? login(command, socket) : scripted
    },
  })
  const password = 'password' in terms ? terms.password : 'secret'
  const transport = relayTransport({
    passwords: { read: async (name) => (name === 'smarthost' ? password : undefined) },
  })
  const asked = request(server.port, ['a@x.example'], tls)
  const [outcome] = await transport.deliver({
    ...asked,
    transport: {
      ...asked.transport,
      login: { username: terms.username ?? 'relay-user', secretName: 'smarthost', mechanisms },
    },
  })
  return { outcome, server }
}

for (const mechanism of ALL) {
  test(`a relay is logged in at by ${mechanism}`, async (t) => {
    const { outcome, server } = await deliver(t, { mechanisms: [mechanism] })
    assert.equal(outcome?.kind, 'accepted', outcome?.kind === 'temporary' ? outcome.error : '')
    assert.ok(server.commands.some((command) => command.startsWith(`AUTH ${mechanism}`)))
  })

  test(`a wrong password for ${mechanism} is temporary, said so, and nowhere to be read`, async (t) => {
    const { outcome, server } = await deliver(t, { mechanisms: [mechanism], server: { password: 'other' } })
    const error = `logging in at 127.0.0.1:${server.port} as relay-user: ${mechanism}: the server answered 535 5.7.8 wrong password`
    assert.equal(outcome?.kind === 'temporary' && outcome.error, error)
    assert.ok(!server.commands.some((command) => command.startsWith('MAIL')))
    const secrets = [
      'secret',
      Buffer.from('secret').toString('base64'),
      Buffer.from('\0relay-user\0secret').toString('base64'),
    ]
    const told = JSON.stringify(outcome)
    assert.ok(!secrets.some((secret) => told.includes(secret)))
    assert.match(told, new RegExp(`C: AUTH ${mechanism} \\*\\*\\*`))
  })
}

for (const mechanism of ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'] as const) {
  test(`${mechanism} binds to the certificate where TLS 1.2 has nothing better (RFC 5929 §4)`, async (t) => {
    const { outcome } = await deliver(t, { mechanisms: [mechanism], maxVersion: 'TLSv1.2' })
    assert.equal(outcome?.kind, 'accepted')
    assert.equal(outcome.remote?.tls?.protocol, 'TLSv1.2')
  })
}

test('the first mechanism of ours that the server offers is used', async (t) => {
  const mechanisms: readonly LoginMechanism[] = ['SCRAM-SHA-256-PLUS', 'CRAM-MD5', 'PLAIN']
  const { outcome, server } = await deliver(t, { mechanisms, offered: ['LOGIN', 'plain', 'cram-md5'] })
  assert.equal(outcome?.kind, 'accepted')
  assert.deepEqual(
    server.commands.filter((command) => command.startsWith('AUTH')),
    ['AUTH CRAM-MD5'],
  )
})

test('a server that hides channel binding hears that we could have bound (RFC 5802 §6)', async (t) => {
  const firstOf = ({ commands }: ScriptedServer) => {
    const [, initial = ''] = /^AUTH SCRAM-SHA-256 (.*)$/m.exec(commands.join('\n')) ?? []
    return Buffer.from(initial, 'base64').toString()
  }
  const hidden = await deliver(t, { offered: ['SCRAM-SHA-256'] })
  assert.match(firstOf(hidden.server), /^y,,/)
  const unwanted = await deliver(t, { mechanisms: ['SCRAM-SHA-256'] })
  assert.match(firstOf(unwanted.server), /^n,,/)
  const plain = await deliver(t, { tls: 'none' })
  assert.match(firstOf(plain.server), /^n,,/)
})

const problems: readonly (readonly [rule: string, terms: Terms, error: RegExp])[] = [
  ['without a password stored', { password: undefined }, /: no password is stored$/],
  ['with NUL in the name', { username: 'a\0b' }, /as a b: name and password may have no NUL$/],
  [
    'where no mechanism is common',
    { mechanisms: ['CRAM-MD5'], offered: ['GSSAPI', 'XOAUTH2'] },
    /: none of the mechanisms of the transport fits \(the server offers GSSAPI, XOAUTH2\)$/,
  ],
  [
    'where none is offered',
    { reply: (command) => (command.startsWith('EHLO') ? '250 mx.example' : undefined), tls: 'none' },
    /: none of the mechanisms of the transport fits \(the server offers none\)$/,
  ],
  [
    'by -PLUS without TLS',
    { tls: 'none', mechanisms: ['SCRAM-SHA-256-PLUS'] },
    /: none of the mechanisms of the transport fits/,
  ],
  [
    'at a server that knows another password',
    { server: { signsAs: 'other' } },
    /: SCRAM-SHA-256-PLUS: the server does not know the password itself$/,
  ],
  [
    'at a server that proves nothing',
    { server: { skipsProof: true } },
    /: SCRAM-SHA-256-PLUS: the server has not proved that it knows the password$/,
  ],
  [
    'at a server that says yes before it has asked',
    { mechanisms: ['LOGIN'], reply: (command) => (command === 'AUTH LOGIN' ? '235 2.7.0 hi' : undefined) },
    /: LOGIN: the server did not ask for the password$/,
  ],
  [
    'where the challenge is no base64',
    { mechanisms: ['CRAM-MD5'], reply: (command) => (command === 'AUTH CRAM-MD5' ? '334 <*>' : undefined) },
    /: CRAM-MD5: the challenge is not base64$/,
  ],
  [
    'where the server hangs up',
    { reply: (command) => (command.startsWith('AUTH') ? null : undefined) },
    /: connection closed$/,
  ],
]
for (const [rule, terms, error] of problems) {
  test(`a login ${rule} is temporary and says so`, async (t) => {
    const { outcome, server } = await deliver(t, terms)
    assert.equal(outcome?.kind, 'temporary')
    assert.match(outcome.error, error)
    assert.ok(!server.commands.some((command) => command.startsWith('MAIL')))
  })
}

test('on this machine the password may go without TLS', async (t) => {
  for (const mechanism of ['PLAIN', 'LOGIN'] as const) {
    const { outcome } = await deliver(t, { tls: 'none', mechanisms: [mechanism] })
    assert.equal(outcome?.kind, 'accepted')
  }
})

test('a response that no command has room for waits to be asked (RFC 4954 §4)', async (t) => {
  const username = 'u'.repeat(500)
  const { server } = await deliver(t, { mechanisms: ['PLAIN'], username })
  assert.ok(server.commands.includes('AUTH PLAIN'))
  assert.ok(server.commands.includes(Buffer.from(`\0${username}\0secret`).toString('base64')))
})
