import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type TestContext, test } from 'node:test'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import { listenSmtp } from '../../../shared/adapters/net/smtp-listener.ts'
import { formatAddress, parseAddress } from '../../../shared/address/address.ts'
import { ConnectionLimits } from '../../../shared/limits/connection-limits.ts'
import type { ReceivedMessage } from '../../../shared/reception/receive.ts'
import { ContentMemory } from '../../../shared/smtp/incoming-content.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { verdicts } from './delivery-request.ts'
import { smtpDialog } from './smtp-dialog.ts'
import { listening } from './smtp-listening.ts'

const EHLO = 'EHLO client.example'
const MAIL = 'MAIL FROM:<from@x.example>'
const RCPT = 'RCPT TO:<to@y.example>'
const TRANSACTION = [MAIL, RCPT, 'DATA']

test('hands over envelope, content without transparency dots, and client (RFC 5321 §4.5.2)', async (t) => {
  const { port, received } = await listening(t)
  const dialog = await smtpDialog(t, port)
  await dialog.say('EHLO Client.Example')
  await dialog.say(MAIL)
  for (const to of ['<to@y.example>', '<TO@y.example>', '<Postmaster>', '<two@y.example>']) {
    assert.match(await dialog.say(`RCPT TO:${to}`), /^250 2\.1\.5 /)
  }
  assert.match(await dialog.say('DATA'), /^354 /)
  assert.match(await dialog.say('a: b\r\n\r\n..dot\r\n.'), /^250 2\.6\.0 /)
  const [message] = received
  assert.equal(message?.content.toString(), 'a: b\r\n\r\n.dot\r\n')
  assert.deepEqual(envelopeOf(message), {
    mailFrom: 'from@x.example',
    recipients: ['to@y.example', 'Postmaster@mx.example', 'two@y.example'],
  })
  const { sessionId, ...client } = message?.client ?? { sessionId: '' }
  assert.deepEqual(client, { ipAddress: '127.0.0.1', hello: 'Client.Example', protocol: 'ESMTP' })
  assert.match(sessionId, /^[0-9a-f]{10}$/)
})

test('the protocol is that of RFC 3848 and RFC 6531', async (t) => {
  const { port, received } = await listening(t)
  for (const [hello, mail] of [
    ['HELO a', 'MAIL FROM:<>'],
    ['EHLO a', 'MAIL FROM:<>'],
    ['EHLO a', 'MAIL FROM:<> SMTPUTF8'],
  ]) {
    const dialog = await smtpDialog(t, port)
    for (const command of [hello, mail, RCPT, 'DATA', '.']) await dialog.say(command ?? '')
  }
  assert.deepEqual(
    received.map(({ client, mailFrom }) => [client.protocol, mailFrom]),
    [
      ['SMTP', undefined],
      ['ESMTP', undefined],
      ['UTF8SMTP', undefined],
    ],
  )
})

test('a client that logged in through TLS is known as such (RFC 3848, RFC 6531 §4.3)', async (t) => {
  const { port, submitted } = await listening(t, { kind: 'submissions' })
  const dialog = await smtpDialog(t, port, '127.0.0.1', true)
  for (const command of [EHLO, 'AUTH PLAIN good']) await dialog.say(command)
  for (const utf8 of ['', ' SMTPUTF8']) {
    for (const command of [`${MAIL}${utf8}`, RCPT, 'DATA', '.']) await dialog.say(command)
  }
  const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
  assert.deepEqual(
    submitted.map(({ submission: { client, login } }) => [client.protocol, client.tls, login.name]),
    [
      ['ESMTPSA', tls, 'a'],
      ['UTF8SMTPSA', tls, 'a'],
    ],
  )
})

test('what hooks throw does not reach the client, and is logged', async (t) => {
  const { port, errors } = await listening(t, {
    hooks: {
      mailFrom: async () => {
        throw new Error('secret table')
      },
    },
  })
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  assert.match(await dialog.say(MAIL), /^451 4\.3\.0 temporary failure, try again later \([0-9a-f]{10}\)$/)
  assert.deepEqual(errors, ['secret table'])
})

test('greeting, refusals, log and message name the same session', async (t) => {
  const { port, received, events } = await listening(t)
  const socket = connect(port, '127.0.0.1')
  t.after(() => void socket.destroy())
  const greeting = await new Promise<string>((done) => socket.once('data', (data) => done(String(data))))
  const [, id = ''] = /^220 mx\.example ESMTP Postern \((\w+)\)\r\n$/.exec(greeting) ?? []
  socket.write([EHLO, 'RCPT TO:<a@b.example>', ...TRANSACTION, '.', 'QUIT', ''].join('\r\n'))
  let said = ''
  for await (const data of socket) said += String(data)
  assert.match(said, new RegExp(`^503 5\\.5\\.1 MAIL comes first \\(${id}\\)\\r$`, 'm'))
  assert.equal(received[0]?.client.sessionId, id)
  const [refused] = events.filter(({ event }) => event === 'smtp refused')
  assert.deepEqual([refused?.fields?.sessionId, refused?.fields?.code], [id, 503])
})

test('a message over the limit is refused once all of it has come (RFC 1870 §6.3), and the session goes on', async (t) => {
  const { port, received } = await listening(t)
  const dialog = await smtpDialog(t, port)
  for (const command of [EHLO, ...TRANSACTION]) await dialog.say(command)
  dialog.write('x'.repeat(70_000))
  assert.match(await dialog.say('\r\n.'), /^552 5\.3\.4 /)
  for (const command of TRANSACTION) assert.match(await dialog.say(command), /^[23]5/)
  assert.match(await dialog.say(`${'x'.repeat(1998)}\r\n.`), /^250 2\.6\.0 /)
  assert.deepEqual(
    received.map(({ content }) => content.length),
    [2000],
  )
})

test('messages that all sessions together have no memory for are put off (RFC 5321 §4.5.3.1)', async (t) => {
  const bounds = { connections: listenersOf(10), memory: new ContentMemory(100_000) }
  const { port, received } = await listening(t, { bounds, maxSize: 200_000 })
  const large = await smtpDialog(t, port)
  const other = await smtpDialog(t, port)
  for (const command of [EHLO, ...TRANSACTION]) await large.say(command)
  await other.say(EHLO)
  assert.match(await other.say(`${MAIL} SIZE=100001`), /^452 4\.3\.1 /)
  assert.match(await large.say(`${'x'.repeat(150_000)}\r\n.`), /^452 4\.3\.1 /)
  for (const command of TRANSACTION) assert.match(await other.say(command), /^[23]5/)
  assert.match(await other.say(`${'x'.repeat(40_000)}\r\n.`), /^250 /)
  assert.equal(received.length, 1)
  assert.ok(bounds.memory.hasRoomFor(100_000), 'all memory was given back')
})

test('a client that goes away in the middle of its content gives the memory back', async (t) => {
  const bounds = { connections: listenersOf(10), memory: new ContentMemory(100_000) }
  const { port } = await listening(t, { bounds })
  for (const begin of [['DATA'], ['BDAT 1000']]) {
    const dialog = await smtpDialog(t, port)
    for (const command of [EHLO, MAIL, RCPT]) await dialog.say(command)
    for (const command of begin) dialog.write(`${command}\r\nhello`)
    await new Promise((done) => setTimeout(done, 50))
    assert.ok(!bounds.memory.hasRoomFor(100_000), 'some is taken')
    dialog.hangUp()
    await new Promise((done) => setTimeout(done, 50))
    assert.ok(bounds.memory.hasRoomFor(100_000), begin[0])
  }
})

for (const [kind, most] of [
  ['smtp', 100],
  ['submission', 1_000],
] as const) {
  test(`of 10,000 pipelined recipients ${kind} takes ${most} (RFC 5321 §4.5.3.1.10), and others are served meanwhile`, async (t) => {
    const { port, received, submitted } = await listening(t, { kind })
    const crowd = await smtpDialog(t, port)
    await crowd.say(EHLO)
    if (kind === 'submission') await crowd.say('AUTH PLAIN good')
    await crowd.say(MAIL)
    const other = await smtpDialog(t, port)
    const recipients = Array.from({ length: 10_000 }, (_, at) => `RCPT TO:<to${at}@y.example>`)
    crowd.write(`${recipients.join('\r\n')}\r\n`)
    const replies: string[] = []
    const all = (async () => {
      while (replies.length < 10_000) replies.push(await crowd.reply())
    })()
    assert.match(await other.say(EHLO), /^250-/)
    const before = replies.length
    await all
    assert.ok(before < 10_000, `the other heard its reply after ${before} of 10,000`)
    const added = replies.filter((reply) => reply.startsWith('250 2.1.5 '))
    const putOff = replies.filter((reply) => reply.startsWith('452 4.5.3 '))
    assert.deepEqual([added.length, putOff.length], [most, 10_000 - most])
    await crowd.say('DATA')
    assert.match(await crowd.say('.'), /^250 /)
    assert.equal((received[0] ?? submitted[0]?.submission)?.recipients.length, most)
  })
}

test('a message with more than 50 Received fields goes round in circles (RFC 5321 §6.3)', async (t) => {
  const { port, received } = await listening(t, { maxSize: 20_000 })
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  for (const [hops, reply] of [
    [50, /^250 /],
    [51, /^554 5\.4\.6 /],
  ] as const) {
    for (const command of TRANSACTION) await dialog.say(command)
    assert.match(await dialog.say(`${'Received: x\r\n'.repeat(hops)}\r\n.`), reply)
  }
  assert.equal(received.length, 1)
})

test('a header section has at most 512,000 octets, however many lines follow it', async (t) => {
  const { port, received } = await listening(t, { maxSize: 2_000_000 })
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  for (const [content, reply] of [
    ['a: b\r\n'.repeat(100_000), /^550 5\.6\.0 the header section has more than 512000 octets/],
    [`a: b\r\n\r\n${'a: b\r\n'.repeat(100_000)}`, /^250 /],
  ] as const) {
    for (const command of TRANSACTION) await dialog.say(command)
    assert.match(await dialog.say(`${content}.`), reply)
  }
  assert.equal(received.length, 1)
})

test('a peer that goes away ends what waits for it, and half a message is none', async (t) => {
  const gone = Promise.withResolvers<void>()
  const { port, received, errors } = await listening(t, {
    hooks: {
      rcptTo: (_transaction, address, peerGone) =>
        new Promise((done) => {
          if (address.localpart !== 'silent') return done({ account: 'a', address })
          peerGone.addEventListener('abort', () => {
            gone.resolve()
            done({ account: 'a', address })
          })
        }),
    },
  })
  const silent = await smtpDialog(t, port)
  for (const command of [EHLO, MAIL]) await silent.say(command)
  silent.write('RCPT TO:<silent@y.example>\r\n')
  setTimeout(() => silent.hangUp(), 50)
  await gone.promise

  const broken = await smtpDialog(t, port)
  for (const command of [EHLO, ...TRANSACTION]) await broken.say(command)
  broken.write('half a mess')
  setTimeout(() => broken.hangUp(), 50)
  await new Promise((done) => setTimeout(done, 150))
  assert.deepEqual([received.length, errors.length], [0, 0])
})

test('at shutdown idle peers hear 421 at once, a message that is coming in is still taken, and nobody new is let in', async (t) => {
  const { listener, port, received } = await listening(t)
  const idle = await smtpDialog(t, port)
  const busy = await smtpDialog(t, port)
  await idle.say(EHLO)
  for (const command of [EHLO, ...TRANSACTION]) await busy.say(command)
  const closed = listener.close(5_000)
  assert.match(await idle.reply(), /^421 4\.3\.2 shutting down, come again \(\w+\)$/)
  assert.equal(await idle.reply(), '')
  await assert.rejects(greetingOf(port))
  assert.match(await busy.say('late\r\n.'), /^250 2\.6\.0 /)
  assert.match(await busy.reply(), /^421 4\.3\.2 /)
  await closed
  assert.equal(received.length, 1)
})

test('a peer that is still busy when the grace is over hears 421 too', async (t) => {
  const { listener, port } = await listening(t)
  const busy = await smtpDialog(t, port)
  for (const command of [EHLO, ...TRANSACTION]) await busy.say(command)
  await listener.close(50)
  assert.match(await busy.reply(), /^421 4\.3\.2 /)
})

test('connections beyond the bound are sent away, and who leaves makes room', async (t) => {
  const bounds = { connections: listenersOf(3), memory: new ContentMemory(1_000) }
  const { port } = await listening(t, { bounds })
  const greetings = await Promise.all(Array.from({ length: 4 }, () => greetingOf(port, t)))
  const refused = greetings.filter(({ text }) => /^421 4\.7\.0 .*\(\w+\)\r\n$/.test(text))
  assert.deepEqual([greetings.length, refused.length], [4, 1])
  for (const { hangUp } of greetings) hangUp()
  await new Promise((done) => setTimeout(done, 50))
  assert.match((await greetingOf(port, t)).text, /^220 /)
})

test('one network has at most 30 connections at once', async (t) => {
  const connections = new ConnectionLimits({ most: 1_000, exemptsLoopback: false })
  const { port } = await listening(t, { bounds: { connections, memory: new ContentMemory(1_000) } })
  const greetings = await Promise.all(Array.from({ length: 31 }, () => greetingOf(port, t)))
  assert.equal(greetings.filter(({ text }) => text.startsWith('421 4.7.0 ')).length, 1)
})

test('listens on every address on one port, and rejects when the port is taken', async (t) => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  )
  const { port } = await listening(t, { addresses: ['127.0.0.1', '::1'] })
  for (const host of hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
    const dialog = await smtpDialog(t, port, host)
    assert.match(await dialog.say(EHLO), /^250-/)
  }
  const taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  t.after(() => void taken.close())
  const { port: takenPort } = taken.address() as { port: number }
  await assert.rejects(listening(t, { port: takenPort }), { code: 'EADDRINUSE' })
})

test('an address that the machine does not have is left out, unless it is the only one', async (t) => {
  // RFC 5737 and RFC 3849: no machine has these.
  await listening(t, { addresses: ['192.0.2.1', '127.0.0.1', '2001:db8::1'] })
  await assert.rejects(listening(t, { addresses: ['192.0.2.1'] }), /no address to listen on: 192\.0\.2\.1/)
})

test('a port that begins with TLS needs a certificate', async () => {
  const authentication = { mechanisms: () => [], authenticate: unasked }
  const hooks = { mailFrom: nothing, rcptTo: nothing, message: nothing }
  const log = { info() {}, warn() {}, error() {} }
  await assert.rejects(
    listenSmtp({
      service: { kind: 'submissions', hooks, authentication },
      port: 0,
      addresses: ['127.0.0.1'],
      hostname: 'mx.example',
      maxSize: 1,
      clock: { now: () => 0 },
      log,
    }),
    /submissions needs a certificate/,
  )
})

test('takes whole mails from our own transport, byte by byte', async (t) => {
  const { port, received } = await listening(t, { maxSize: 5_000_000 })
  const content = Buffer.concat([
    Buffer.from('Subject: ü\r\n\r\n'),
    Buffer.alloc(3_000_000, `.${'x'.repeat(997)}\r\n`),
    Buffer.from('\r\n'),
  ])
  const outcomes = await verdicts(relayTransport(), {
    transport: { kind: 'smtp', host: '127.0.0.1', port, tls: 'opportunistic' },
    hostname: 'client.example',
    mailFrom: parseAddress('from@x.example'),
    messages: ['"to me"@y.example', 'ü@y.example'].map((text) =>
      queuedMessage({ recipient: parseAddress(text) }),
    ),
    content,
    has8bit: true,
    smtputf8: true,
  })
  const accepted = { kind: 'accepted', code: 250, enhancedCode: '2.6.0' }
  assert.deepEqual(outcomes, [accepted, accepted])
  assert.ok(received[0] && content.equals(received[0].content))
  assert.deepEqual(envelopeOf(received[0]).recipients, ['"to me"@y.example', 'ü@y.example'])
})

function listenersOf(most: number): ConnectionLimits {
  return new ConnectionLimits({ most, exemptsLoopback: true })
}

async function nothing(): Promise<undefined> {
  return undefined
}

async function unasked(): Promise<never> {
  throw new Error('nobody asks')
}

function envelopeOf(message: ReceivedMessage | undefined): {
  mailFrom: string
  recipients: readonly string[]
} {
  return {
    mailFrom: message?.mailFrom ? formatAddress(message.mailFrom) : '',
    recipients: (message?.recipients ?? []).map(({ address }) => formatAddress(address)),
  }
}

/** Rejects when nobody listens. */
function greetingOf(
  port: number,
  t?: TestContext,
): Promise<{ readonly text: string; readonly hangUp: () => void }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const hangUp = () => void socket.destroy()
    t?.after(hangUp)
    socket.on('error', reject).once('data', (data) => resolve({ text: data.toString(), hangUp }))
  })
}
