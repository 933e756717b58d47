import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import type { DeliveryOutcome } from '../../../shared/queue/transport.ts'
import { CONTENT, request } from './delivery-request.ts'
import { scriptedServer } from './scripted-server.ts'
import { selfSigned } from './self-signed.ts'
import { trustCertificate } from './trust-certificate.ts'

const transport = relayTransport({
  limits: { greetingMs: 300, handshakeMs: 300, inactivityMs: 300, contentMs: 300 },
})

test('an accepted recipient remembers the server and what it said, and no transcript', async (t) => {
  const { port } = await scriptedServer(t, {
    reply: (command) => (command.endsWith('.') ? '250-2.0.0 queued as\r\n250 2.0.0 4F2A' : undefined),
  })
  assert.deepEqual(await transport.deliver(request(port, ['a@x.example'])), [
    {
      kind: 'accepted',
      code: 250,
      enhancedCode: '2.0.0',
      reply: '2.0.0 queued as; 4F2A',
      remote: { host: '127.0.0.1', ipAddress: '127.0.0.1' },
    },
  ])
})

test('each failure remembers the reply that decided about it, and the dialogue without the content', async (t) => {
  const { port } = await scriptedServer(t, {
    extensions: ['SIZE'],
    reply: (command) =>
      ({ 'RCPT TO:<no@x.example>': '550 5.1.1 no such user' })[command] ??
      (command.endsWith('.') ? '451-4.3.0 disk\r\n451 4.3.0 full' : undefined),
  })
  const outcomes = await transport.deliver(request(port, ['no@x.example', 'yes@x.example']))
  assert.deepEqual(
    outcomes.map(({ reply }) => reply),
    ['5.1.1 no such user', '4.3.0 disk; full'],
  )
  // One dot is doubled, and one ends the data.
  const octets = CONTENT.length + '.'.length + '.\r\n'.length
  for (const outcome of outcomes) {
    assert.deepEqual(transcriptOf(outcome), [
      'S: 220 mx.example ESMTP',
      'C: EHLO here.example',
      'S: 250-mx.example',
      'S: 250 SIZE',
      `C: MAIL FROM:<from@here.example> SIZE=${CONTENT.length}`,
      'S: 250 2.0.0 ok',
      'C: RCPT TO:<no@x.example>',
      'S: 550 5.1.1 no such user',
      'C: RCPT TO:<yes@x.example>',
      'S: 250 2.0.0 ok',
      'C: DATA',
      'S: 354 go on',
      `C: (${octets} octets of content)`,
      'S: 451-4.3.0 disk',
      'S: 451 4.3.0 full',
    ])
  }
})

test('who was delivered to in one transaction with a failure keeps no transcript', async (t) => {
  const { port } = await scriptedServer(t, {
    reply: (command) => (command === 'RCPT TO:<no@x.example>' ? '550 5.1.1 no such user' : undefined),
  })
  const outcomes = await transport.deliver(request(port, ['no@x.example', 'yes@x.example']))
  assert.deepEqual(
    outcomes.map(({ kind, transcript }) => [kind, transcript !== undefined]),
    [
      ['permanent', true],
      ['accepted', false],
    ],
  )
})

test('a reply is one clean line of at most 1000 characters, also the one to the greeting', async (t) => {
  const { port } = await scriptedServer(t, { greeting: `554-5.7.1 \x07go\r\n554 5.7.1 ${'x'.repeat(2000)}` })
  const [outcome] = await transport.deliver(request(port, ['a@x.example']))
  assert.match(outcome?.reply ?? '', /^5\.7\.1 go; x+$/)
  assert.equal(outcome?.reply.length, 1000)
  assert.deepEqual(outcome?.remote, { host: '127.0.0.1', ipAddress: '127.0.0.1' })
})

test('where nobody answers there is no server to remember, and nothing that was said', async () => {
  const nobody = createServer()
  await new Promise<void>((done) => nobody.listen(0, '127.0.0.1', done))
  const { port } = nobody.address() as { port: number }
  await new Promise((done) => nobody.close(done))
  const [outcome] = await transport.deliver(request(port, ['a@x.example']))
  const error = `connecting to 127.0.0.1:${port}: connection refused`
  assert.deepEqual(outcome, { kind: 'temporary', code: 0, enhancedCode: '', error, reply: '' })
})

test('a server that falls silent leaves the dialogue up to there, and no reply', async (t) => {
  const { port } = await scriptedServer(t, {
    reply: (command) => (command.endsWith('.') ? '250-wait' : undefined),
  })
  const [outcome] = await transport.deliver(request(port, ['a@x.example']))
  assert.equal(outcome?.reply, '')
  assert.match(transcriptOf(outcome).at(-1) ?? '', /^C: \(\d+ octets of content\)$/)
})

test('the server is remembered with its TLS, and whether that was verified', async (t) => {
  const identity = selfSigned(['localhost'])
  const { port } = await scriptedServer(t, { identity })
  const asked = request(port, ['a@x.example'], 'opportunistic')
  const byName = { ...asked, transport: { ...asked.transport, host: 'localhost' } }
  const remoteOf = async () => (await transport.deliver(byName))[0]?.remote
  const { tls, ...remote } = (await remoteOf()) ?? {}
  assert.deepEqual(remote, { host: 'localhost', ipAddress: '127.0.0.1' })
  assert.deepEqual([tls?.protocol, tls?.isVerified], ['TLSv1.3', false])
  assert.match(tls?.cipher ?? '', /^TLS_[A-Z0-9_]+$/)
  trustCertificate(t, identity.cert)
  assert.equal((await remoteOf())?.tls?.isVerified, true)
})

test('after a failed handshake the dialogue goes on without TLS, and so is the server remembered', async (t) => {
  const { port } = await scriptedServer(t, {
    extensions: ['STARTTLS'],
    reply: (command) => (command.startsWith('MAIL') ? '451 4.3.0 later' : undefined),
  })
  const [outcome] = await transport.deliver(request(port, ['a@x.example'], 'opportunistic'))
  assert.deepEqual(outcome?.remote, { host: '127.0.0.1', ipAddress: '127.0.0.1' })
  const commands = transcriptOf(outcome).filter((line) => /^C: (EHLO|STARTTLS|MAIL)/.test(line))
  assert.deepEqual(commands, [
    'C: EHLO here.example',
    'C: STARTTLS',
    'C: EHLO here.example',
    'C: MAIL FROM:<from@here.example>',
  ])
})

function transcriptOf(outcome: DeliveryOutcome | undefined): readonly string[] {
  return (outcome?.transcript ?? []).map((line) => line.replace(/^\d+ /, ''))
}
