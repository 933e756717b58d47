import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Relay } from '../../../shared/account/options.ts'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import type { DeliveryRequest } from '../../../shared/queue/transport.ts'
import { CONTENT, request, type Verdict, verdicts } from './delivery-request.ts'
import { scriptedServer } from './scripted-server.ts'
import { selfSigned } from './self-signed.ts'
import { trustCertificate } from './trust-certificate.ts'

const ACCEPTED: Verdict = { kind: 'accepted', code: 250, enhancedCode: '2.0.0' }
const transport = relayTransport()

test('one transaction takes the message to all recipients, dots doubled, and reports the reply to DATA (RFC 5321 §3.3, §4.5.2)', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command) => (command === '.' ? '250 2.6.0 queued as 17' : undefined),
  })
  const outcomes = await verdicts(transport, request(server.port, ['a@x.example', 'b@x.example']))
  const accepted: Verdict = { kind: 'accepted', code: 250, enhancedCode: '2.6.0' }
  assert.deepEqual(outcomes, [accepted, accepted])
  assert.deepEqual(server.commands, [
    'EHLO here.example',
    `MAIL FROM:<from@here.example> BODY=7BIT SIZE=${CONTENT.length}`,
    'RCPT TO:<a@x.example>',
    'RCPT TO:<b@x.example>',
    'DATA',
    'Subject: hello\r\n\r\n..one\r\ntwo\r\n.',
    'QUIT',
  ])
})

test('the null reverse-path, 8-bit content and quoted local parts are sent as the RFCs write them', async (t) => {
  const server = await scriptedServer(t, {})
  const { mailFrom: _, ...anonymous } = request(server.port, ['"a b"@x.example'])
  assert.deepEqual(await verdicts(transport, { ...anonymous, has8bit: true }), [ACCEPTED])
  assert.deepEqual(server.commands.slice(1, 3), [
    `MAIL FROM:<> BODY=8BITMIME SIZE=${CONTENT.length}`,
    'RCPT TO:<"a b"@x.example>',
  ])
})

for (const extensions of [['PIPELINING'], []]) {
  const mode = extensions.length > 0 ? 'with PIPELINING' : 'without PIPELINING'

  test(`each refused recipient has its own reply, the others the reply to DATA, ${mode}`, async (t) => {
    const server = await scriptedServer(t, { extensions, reply: refusals({ '.': '451 4.3.0 disk full' }) })
    const recipients = ['no@x.example', 'yes@x.example', 'later@x.example', 'many@x.example', 'no@x.example']
    assert.deepEqual(await verdicts(transport, request(server.port, recipients)), [
      { kind: 'permanent', code: 550, enhancedCode: '5.1.1', error: 'no such user' },
      { kind: 'temporary', code: 451, enhancedCode: '4.3.0', error: 'disk full' },
      { kind: 'temporary', code: 450, enhancedCode: '', error: 'greylisted; come back' },
      { kind: 'temporary', code: 552, enhancedCode: '5.5.3', error: 'too many' },
      { kind: 'permanent', code: 550, enhancedCode: '5.1.1', error: 'no such user' },
    ])
    assert.equal(server.commands.filter((command) => command === 'RCPT TO:<no@x.example>').length, 1)
  })

  test(`when all recipients are refused, each keeps its reply, ${mode}`, async (t) => {
    const reply = refusals({ DATA: '554 5.5.1 no valid recipients' })
    const server = await scriptedServer(t, { extensions, reply })
    assert.deepEqual(await verdicts(transport, request(server.port, ['no@x.example', 'later@x.example'])), [
      { kind: 'permanent', code: 550, enhancedCode: '5.1.1', error: 'no such user' },
      { kind: 'temporary', code: 450, enhancedCode: '', error: 'greylisted; come back' },
    ])
  })

  test(`a refused MAIL is the outcome of all recipients, ${mode}`, async (t) => {
    const reply = (command: string) =>
      command.startsWith('MAIL')
        ? '550 5.7.1 go away'
        : /^RCPT|^DATA/.test(command)
          ? '503 5.5.1 no MAIL'
          : undefined
    const server = await scriptedServer(t, { extensions, reply })
    const refused: Verdict = { kind: 'permanent', code: 550, enhancedCode: '5.7.1', error: 'go away' }
    const outcomes = await verdicts(transport, request(server.port, ['a@x.example', 'b@x.example']))
    assert.deepEqual(outcomes, [refused, refused])
  })

  test(`421 in a transaction is temporary for all that were not refused, ${mode}`, async (t) => {
    const server = await scriptedServer(t, {
      extensions,
      reply: refusals({ '.': '421 4.3.2 shutting down' }),
    })
    assert.deepEqual(await verdicts(transport, request(server.port, ['no@x.example', 'yes@x.example'])), [
      { kind: 'permanent', code: 550, enhancedCode: '5.1.1', error: 'no such user' },
      { kind: 'temporary', code: 421, enhancedCode: '4.3.2', error: 'shutting down' },
    ])
  })
}

test('a refusal after the data is for all recipients', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command) => (command === '.' ? '552 5.3.4 too big' : undefined),
  })
  const refused: Verdict = { kind: 'permanent', code: 552, enhancedCode: '5.3.4', error: 'too big' }
  const outcomes = await verdicts(transport, request(server.port, ['a@x.example', 'b@x.example']))
  assert.deepEqual(outcomes, [refused, refused])
})

test('a message larger than the server takes is not sent (RFC 1870 §6.1)', async (t) => {
  const server = await scriptedServer(t, { extensions: ['SIZE 10'] })
  const [outcome] = await verdicts(transport, request(server.port, ['a@x.example']))
  const error = `127.0.0.1:${server.port} takes no message of ${CONTENT.length} bytes`
  assert.deepEqual(outcome, { kind: 'permanent', code: 0, enhancedCode: '5.3.4', error })
  assert.deepEqual(server.commands, ['EHLO here.example', 'QUIT'])
})

test('mail that needs SMTPUTF8 declares it, and is not sent where it is not offered (RFC 6531 §3.4)', async (t) => {
  const able = await scriptedServer(t, {})
  const needs = (port: number, recipient: string): DeliveryRequest<Relay> => ({
    ...request(port, [recipient]),
    smtputf8: true,
  })
  await verdicts(transport, needs(able.port, 'a@x.example'))
  await verdicts(transport, needs(able.port, 'ü@x.example'))
  const mails = able.commands
    .filter((command) => command.startsWith('MAIL'))
    .map((command) => command.split(' ').sort())
  const words = [
    'BODY=8BITMIME',
    'FROM:<from@here.example>',
    'MAIL',
    'SMTPUTF8',
    `SIZE=${CONTENT.length}`,
  ].sort()
  assert.deepEqual(mails, [words, words])

  const unable = await scriptedServer(t, { extensions: ['8BITMIME'] })
  for (const asked of [needs(unable.port, 'a@x.example'), request(unable.port, ['ü@x.example'])]) {
    const error = `127.0.0.1:${unable.port} does not take internationalized mail (SMTPUTF8)`
    assert.deepEqual(await verdicts(transport, asked), [
      { kind: 'permanent', code: 0, enhancedCode: '5.6.7', error },
    ])
  }
  assert.ok(!unable.commands.some((command) => command.startsWith('MAIL')))
})

test('a recipient that cannot be written does no harm to the others', async (t) => {
  const server = await scriptedServer(t, {})
  const [odd, good] = await verdicts(transport, request(server.port, ['"a<b"@x.example', 'a@x.example']))
  assert.equal(odd?.kind === 'permanent' && odd.enhancedCode, '5.1.3')
  assert.deepEqual(good, ACCEPTED)
})

test('a broken session is temporary, without code, and says what was being done', async (t) => {
  const nobody = createServer()
  await new Promise<void>((done) => nobody.listen(0, '127.0.0.1', done))
  const free = (nobody.address() as { port: number }).port
  await new Promise((done) => nobody.close(done))
  const silent = await scriptedServer(t, { greeting: null })
  const full = await scriptedServer(t, { greeting: '554-no service\r\n554 here' })
  const drops = await scriptedServer(t, { reply: (command) => (command === '.' ? null : undefined) })
  const mute = await scriptedServer(t, { reply: (command) => (command === '.' ? '250-ok' : undefined) })
  const noEhlo = await scriptedServer(t, {
    reply: (command) => (/^(EHLO|HELO)/.test(command) ? '502 what?' : undefined),
  })
  const rows: readonly (readonly [number, string])[] = [
    [free, 'connecting to 127.0.0.1:PORT: connection refused'],
    [silent.port, 'waiting for the greeting of 127.0.0.1:PORT: timed out'],
    [full.port, 'opening a session with 127.0.0.1:PORT: the server answered 554-no service; 554 here'],
    [drops.port, 'sending to 127.0.0.1:PORT: connection closed'],
    [mute.port, 'sending to 127.0.0.1:PORT: timed out'],
    [noEhlo.port, 'opening a session with 127.0.0.1:PORT: the server answered 502 what?'],
  ]
  const hasty = relayTransport({ limits: { greetingMs: 200, inactivityMs: 300, contentMs: 300 } })
  for (const [port, text] of rows) {
    const error = text.replace('PORT', String(port))
    const outcomes = await verdicts(hasty, request(port, ['a@x.example', 'b@x.example']))
    const expected: Verdict = { kind: 'temporary', code: 0, enhancedCode: '', error }
    assert.deepEqual(outcomes, [expected, expected])
  }
})

test('the limit of the whole call ends a server that keeps the line busy', async (t) => {
  const server = await scriptedServer(t, { extensions: [], reply: slowly })
  const hurried = relayTransport({ limits: { totalMs: 300 } })
  const [outcome] = await verdicts(hurried, request(server.port, ['a@x.example']))
  const error = `sending to 127.0.0.1:${server.port}: timed out after 0.3 s`
  assert.deepEqual(outcome, { kind: 'temporary', code: 0, enhancedCode: '', error })
})

test('without TLS a server that offers STARTTLS is not asked for it', async (t) => {
  const server = await scriptedServer(t, { identity: selfSigned(['mx.example']) })
  assert.deepEqual(await verdicts(transport, request(server.port, ['a@x.example'])), [ACCEPTED])
  assert.ok(!server.commands.includes('STARTTLS'))
})

test('opportunistic TLS takes any certificate', async (t) => {
  const server = await scriptedServer(t, { identity: selfSigned(['mx.example']) })
  assert.deepEqual(await verdicts(transport, request(server.port, ['a@x.example'], 'opportunistic')), [
    ACCEPTED,
  ])
  assert.deepEqual(server.commands.slice(0, 3), ['EHLO here.example', 'STARTTLS', 'EHLO here.example'])
})

test('opportunistic TLS goes without after a failed handshake, a refused STARTTLS, and where none is offered', async (t) => {
  const noCertificate = await scriptedServer(t, { extensions: ['STARTTLS'] })
  const refusing = await scriptedServer(t, {
    extensions: ['STARTTLS'],
    reply: (command) => (command === 'STARTTLS' ? '454 4.7.0 not now' : undefined),
  })
  const plain = await scriptedServer(t, {})
  const hasty = relayTransport({ limits: { greetingMs: 300, handshakeMs: 300 } })
  for (const { port } of [noCertificate, refusing, plain]) {
    assert.deepEqual(await verdicts(hasty, request(port, ['a@x.example'], 'opportunistic')), [ACCEPTED])
  }
  assert.equal(noCertificate.connections, 2)
  assert.equal(refusing.connections, 2)
})

test('required TLS needs a certificate that is trusted and names the host', async (t) => {
  const identity = selfSigned(['localhost'])
  const server = await scriptedServer(t, { identity })
  const asked = request(server.port, ['a@x.example'], 'required')
  const byName = { ...asked, transport: { ...asked.transport, host: 'localhost' } }
  const untrusted = `TLS handshake with localhost:${server.port}: certificate not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)`
  assert.deepEqual(await verdicts(transport, byName), [temporary(untrusted)])
  trustCertificate(t, identity.cert)
  assert.deepEqual(await verdicts(transport, byName), [ACCEPTED])
  const [wrongName] = await verdicts(transport, asked)
  assert.deepEqual(
    wrongName,
    temporary(`TLS handshake with 127.0.0.1:${server.port}: certificate is for another host name`),
  )
})

test('required TLS sends nothing where STARTTLS is refused or not offered', async (t) => {
  for (const extensions of [['STARTTLS'], []]) {
    const server = await scriptedServer(t, {
      extensions,
      reply: (command) => (command === 'STARTTLS' ? '502 5.5.1 not here' : undefined),
    })
    const error = `STARTTLS with 127.0.0.1:${server.port}: the server answered 502 5.5.1 not here`
    assert.deepEqual(await verdicts(transport, request(server.port, ['a@x.example'], 'required')), [
      temporary(error),
    ])
    assert.ok(!server.commands.some((command) => command.startsWith('MAIL')))
  }
})

test('submissions speaks TLS from the first byte (RFC 8314 §3.3)', async (t) => {
  const identity = selfSigned(['localhost'])
  const server = await scriptedServer(t, { identity, implicitTls: true })
  trustCertificate(t, identity.cert)
  const asked = request(server.port, ['a@x.example'], 'required')
  const by = { ...asked.transport, kind: 'submissions', host: 'localhost' } as const
  assert.deepEqual(await verdicts(transport, { ...asked, transport: by }), [ACCEPTED])
  assert.ok(!server.commands.includes('STARTTLS'))
})

function refusals(others: Readonly<Record<string, string>>): (command: string) => string | undefined {
  const replies: Readonly<Record<string, string>> = {
    'RCPT TO:<no@x.example>': '550 5.1.1 no such user',
    'RCPT TO:<later@x.example>': '450-greylisted\r\n450 come back',
    'RCPT TO:<many@x.example>': '552 5.5.3 too many',
    ...others,
  }
  return (command) => replies[command]
}

/** One line of the answer to RCPT and never the last. */
function slowly(command: string): string | undefined {
  return command.startsWith('RCPT') ? '250-wait' : undefined
}

function temporary(error: string): Verdict {
  return { kind: 'temporary', code: 0, enhancedCode: '', error }
}
