import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Relay } from '../../../shared/account/options.ts'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import type { DeliveryRequest } from '../../../shared/queue/transport.ts'
import { request, type Verdict, verdicts } from './delivery-request.ts'
import { scriptedServer } from './scripted-server.ts'
import { selfSigned } from './self-signed.ts'
import { trustCertificate } from './trust-certificate.ts'

const ACCEPTED: Verdict = { kind: 'accepted', code: 250, enhancedCode: '2.0.0' }
const EXTENSIONS = ['PIPELINING', 'SIZE', 'REQUIRETLS']

const transport = relayTransport({ limits: { greetingMs: 300, handshakeMs: 300 } })

/** What the sender wishes, of a relay by name that the operator has set up so. */
function wished(requireTls: boolean, port: number, tls: Relay['tls'] = 'none'): DeliveryRequest<Relay> {
  const asked = request(port, ['a@x.example', 'b@x.example'], tls)
  return { ...asked, transport: { ...asked.transport, host: 'localhost' }, requireTls }
}

for (const tls of ['none', 'opportunistic', 'required'] as const) {
  test(`AT-39d: a message that demands TLS gets it, verified, and says so, where the relay's TLS is ${tls} (RFC 8689 §4.2.1)`, async (t) => {
    const { port, commands } = await trustedServer(t, EXTENSIONS)
    assert.deepEqual(await verdicts(transport, wished(true, port, tls)), [ACCEPTED, ACCEPTED])
    assert.deepEqual(commands.slice(0, 3), ['EHLO here.example', 'STARTTLS', 'EHLO here.example'])
    assert.match(commands[3] ?? '', /^MAIL FROM:<from@here\.example> .*REQUIRETLS$/)
  })
}

test('AT-39h: a server that does not offer REQUIRETLS is not given the message, for good', async (t) => {
  const { port, commands } = await trustedServer(t, ['PIPELINING', 'SIZE'])
  const error = `localhost:${port} does not offer REQUIRETLS, which the message demands (RFC 8689)`
  assert.deepEqual(await verdicts(transport, wished(true, port)), [refused(error), refused(error)])
  assert.ok(!commands.some((command) => command.startsWith('MAIL')))
})

test('what a server offers without TLS is not what it offers with it (RFC 3207 §4.2)', async (t) => {
  let helloes = 0
  const { port } = await trustedServer(t, [], (command) =>
    command.startsWith('EHLO') && helloes++ === 0
      ? '250-mx.example\r\n250-REQUIRETLS\r\n250 STARTTLS'
      : undefined,
  )
  const [verdict] = await verdicts(transport, wished(true, port))
  assert.match(verdict?.error ?? '', /does not offer REQUIRETLS/)
})

test('a server without TLS that we trust is not given a message that demands it, for good', async (t) => {
  const notOffered = await scriptedServer(t, {
    extensions: EXTENSIONS,
    reply: (command) => (command === 'STARTTLS' ? '502 5.5.1 not here' : undefined),
  })
  const noEhlo = await scriptedServer(t, {
    reply: (command) => (command.startsWith('EHLO') ? '502 5.5.1 what?' : undefined),
  })
  const untrusted = await scriptedServer(t, { extensions: EXTENSIONS, identity: selfSigned(['localhost']) })
  const rows: readonly (readonly [port: number, problem: string])[] = [
    [notOffered.port, 'STARTTLS with PLACE: the server answered 502 5.5.1 not here'],
    [noEhlo.port, 'EHLO with PLACE: the server answered 502 5.5.1 what?'],
    [untrusted.port, 'TLS handshake with PLACE: certificate not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'],
  ]
  for (const [port, problem] of rows) {
    const error = `${problem.replace('PLACE', `localhost:${port}`)}; the message demands TLS with a verified certificate (RFC 8689)`
    assert.deepEqual(await verdicts(transport, wished(true, port)), [refused(error), refused(error)])
  }
  const servers = [notOffered, noEhlo, untrusted]
  assert.ok(!servers.some(({ commands }) => commands.some((command) => command.startsWith('MAIL'))))
  assert.deepEqual(
    servers.map(({ connections }) => connections),
    [1, 1, 1],
  )
})

test('trouble that may pass is temporary also for a message that demands TLS (RFC 3207 §4)', async (t) => {
  const reply = (answer: string | null) => (command: string) => (command === 'STARTTLS' ? answer : undefined)
  const notNow = await scriptedServer(t, { extensions: EXTENSIONS, reply: reply('454 4.7.0 not now') })
  const hangsUp = await scriptedServer(t, { extensions: EXTENSIONS, reply: reply(null) })
  const silent = await scriptedServer(t, { extensions: EXTENSIONS, reply: reply('220 go on') })
  for (const { port } of [notNow, hangsUp, silent]) {
    const [verdict] = await verdicts(transport, wished(true, port))
    assert.deepEqual([verdict?.kind, verdict?.code, verdict?.enhancedCode], ['temporary', 0, ''])
  }
})

test('AT-39g: a message for which TLS is not worth a failure goes without what the operator requires (RFC 8689 §4.2.2)', async (t) => {
  const identity = selfSigned(['other.example'])
  const untrusted = await scriptedServer(t, { extensions: EXTENSIONS, identity })
  const plain = await scriptedServer(t, { extensions: [] })
  for (const { port } of [untrusted, plain]) {
    assert.deepEqual(await verdicts(transport, wished(false, port, 'required')), [ACCEPTED, ACCEPTED])
  }
  assert.equal(untrusted.commands[1], 'STARTTLS')
  assert.ok(!untrusted.commands.some((command) => command.endsWith('REQUIRETLS')))
})

test('where the relay wants a login, TLS is as the operator requires, lest a message has its password told to anybody', async (t) => {
  const login = { username: 'me', secretName: 'smarthost', mechanisms: ['PLAIN'] } as const
  const passwords = { read: async () => 'secret' }
  const identity = selfSigned(['other.example'])
  const untrusted = await scriptedServer(t, { extensions: ['AUTH PLAIN'], identity })
  const asked = wished(false, untrusted.port, 'required')
  const withLogin = { ...asked, transport: { ...asked.transport, login } }
  const [verdict] = await verdicts(relayTransport({ passwords }), withLogin)
  assert.equal(verdict?.kind, 'temporary')
  assert.ok(!untrusted.commands.some((command) => command.startsWith('AUTH')))
})

test('a message for which TLS is not worth a failure has no TLS where the operator wants none', async (t) => {
  const { port, commands } = await trustedServer(t, EXTENSIONS)
  assert.deepEqual(await verdicts(transport, wished(false, port)), [ACCEPTED, ACCEPTED])
  assert.ok(!commands.includes('STARTTLS'))
})

/** With a certificate for localhost that this process trusts. */
async function trustedServer(
  t: TestContext,
  extensions: readonly string[],
  reply?: (command: string) => string | undefined,
): ReturnType<typeof scriptedServer> {
  const identity = selfSigned(['localhost'])
  trustCertificate(t, identity.cert)
  return await scriptedServer(t, { extensions, identity, ...(reply && { reply }) })
}

function refused(error: string): Verdict {
  return { kind: 'permanent', code: 0, enhancedCode: '5.7.30', error }
}
