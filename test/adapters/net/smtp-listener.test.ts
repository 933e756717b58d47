import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type TestContext, test } from 'node:test'
import { relayTransport } from '../../../shared/adapters/net/relay-transport.ts'
import { listenSmtp, type SmtpListener } from '../../../shared/adapters/net/smtp-listener.ts'
import { formatAddress, parseAddress } from '../../../shared/address/address.ts'
import type { Log } from '../../../shared/base/log.ts'
import type { ReceivedMessage } from '../../../shared/reception/receive.ts'
import type { ReceptionHooks } from '../../../shared/reception/reception-hooks.ts'
import { verdicts } from './delivery-request.ts'
import { smtpDialog } from './smtp-dialog.ts'

const EHLO = 'EHLO client.example'
const MAIL = 'MAIL FROM:<from@x.example>'
const RCPT = 'RCPT TO:<to@y.example>'
const OK = '250 2.1.0 Accepted'

test('announces what it can do and no more', async (t) => {
  const { port } = await start(t)
  const dialog = await smtpDialog(t, port)
  assert.equal(
    await dialog.say(EHLO),
    '250-mx.example | 250-PIPELINING | 250-8BITMIME | 250-SMTPUTF8 | 250-ENHANCEDSTATUSCODES | 250 SIZE 2000',
  )
  assert.equal(await dialog.say('HELO client.example'), '250 mx.example')
  for (const command of [
    'AUTH PLAIN',
    'STARTTLS',
    'XCLIENT ADDR=1.1.1.1',
    'XFORWARD NAME=a',
    'WIZ a',
    'KILL',
  ]) {
    assert.match(await dialog.say(command), /^500 5\.5\.2 /, command)
  }
})

test('replies have our enhanced codes and come in the order of the commands (RFC 5321 §4.1.4)', async (t) => {
  const { port } = await start(t)
  const dialog = await smtpDialog(t, port)
  const rows: readonly (readonly [string, string])[] = [
    [MAIL, '503 5.5.1 '],
    [EHLO, '250-'],
    [RCPT, '503 5.5.1 '],
    ['DATA', '503 5.5.1 '],
    [MAIL, OK],
    [MAIL, '503 5.5.1 '],
    ['DATA', '503 5.5.1 '],
    [RCPT, '250 2.1.5 '],
    ['RSET', '250 2.0.0 '],
    [RCPT, '503 5.5.1 '],
    ['NOOP', '250 2.0.0 '],
    ['VRFY to', '252 2.1.5 '],
    ['QUIT', '221 2.0.0 '],
  ]
  for (const [command, reply] of rows) assert.ok((await dialog.say(command)).startsWith(reply), command)
  assert.equal(await dialog.reply(), '')
})

test('reads paths and parameters strictly (RFC 5321 §4.1.1.2, §4.1.1.3, §4.1.1.11; RFC 1870; RFC 6531)', async (t) => {
  const { port } = await start(t)
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  const mails: readonly (readonly [string, string])[] = [
    ['MAIL FROM:<>', OK],
    ['mail from:<a@x.example>', OK],
    ['MAIL FROM: <a@x.example>', OK],
    ['MAIL FROM:<"a b@c>d"@x.example>', OK],
    ['MAIL FROM:<@relay.example,@two.example:a@x.example>', OK],
    ['MAIL FROM:<a@x.example> SIZE=2000 BODY=8BITMIME SMTPUTF8', OK],
    ['MAIL FROM:<ü@x.example> SMTPUTF8', OK],
    ['MAIL FROM:<ü@x.example>', '553 5.6.7 this address needs SMTPUTF8'],
    ['MAIL FROM:<a@ü.example>', '553 5.6.7 this address needs SMTPUTF8'],
    ['MAIL FROM:<a@x.example> SIZE=2001', '552 5.3.4 Error: message exceeds fixed maximum message size 2000'],
    ['MAIL FROM:<a@x.example> SIZE=much', '501 5.5.4 Error: Bad message size syntax'],
    ['MAIL FROM:<a@x.example> SIZE=1 SIZE=2', '501 5.5.4 Error: duplicate SIZE parameter'],
    [
      'MAIL FROM:<a@x.example> BODY=BINARYMIME',
      '501 5.5.4 Invalid BODY parameter value. Must be 7BIT or 8BITMIME',
    ],
    ['MAIL FROM:<a@x.example> RET=FULL', '555 5.5.4 a parameter is not supported'],
    ['MAIL FROM:a@x.example', '501 5.1.7 Error: Bad sender address syntax'],
    ['MAIL FROM:<a b@x.example>', '501 5.1.7 Error: Bad sender address syntax'],
    ['MAIL FROM:<a@x.example>SIZE=1', '501 5.1.7 Error: Bad sender address syntax'],
    ['MAIL FROM:<a@x_y.example>', '501 5.1.7 Error: Bad sender address syntax'],
    ['MAIL FROM:<a@x.example\x01>', '501 5.1.7 Error: Bad sender address syntax'],
    ['MAIL TO:<a@x.example>', '501 5.1.7 Error: Bad sender address syntax'],
  ]
  for (const [command, reply] of mails) {
    assert.equal(await dialog.say(command), reply, command)
    await dialog.say('RSET')
  }
  dialog.write(Buffer.from('MAIL FROM:<\xff@x.example> SMTPUTF8\r\n', 'latin1'))
  assert.match(await dialog.reply(), /^501 5\.1\.7 /)

  await dialog.say(MAIL)
  const recipients: readonly (readonly [string, string])[] = [
    ['RCPT TO:<>', '501 5.1.3 Error: Bad recipient address syntax'],
    ['RCPT TO:<to@>', '501 5.1.3 Error: Bad recipient address syntax'],
    ['RCPT TO:<to@y.example> NOTIFY=NEVER', '555 5.5.4 a parameter is not supported'],
    ['RCPT TO:<ü@y.example>', '553 5.6.7 this address needs SMTPUTF8'],
    ['RCPT TO:<"to me"@y.example>', '250 2.1.5 Accepted'],
  ]
  for (const [command, reply] of recipients) assert.equal(await dialog.say(command), reply, command)
})

test('SMTPUTF8 counts for the transaction that declared it only', async (t) => {
  const { port } = await start(t, { mailFrom: (address) => refuse(address?.localpart === 'ü') })
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  assert.match(await dialog.say('MAIL FROM:<ü@x.example> SMTPUTF8'), /^550 5\.7\.1 /)
  assert.equal(await dialog.say(MAIL), OK)
  assert.match(await dialog.say('RCPT TO:<ü@y.example>'), /^553 5\.6\.7 /)
})

test('hands over envelope, content without transparency dots, and client (RFC 5321 §4.5.2)', async (t) => {
  const { port, messages } = await start(t)
  const dialog = await smtpDialog(t, port)
  await dialog.say('EHLO Client.Example')
  await dialog.say(MAIL)
  for (const to of ['<to@y.example>', '<TO@y.example>', '<Postmaster>', '<two@y.example>']) {
    assert.equal(await dialog.say(`RCPT TO:${to}`), '250 2.1.5 Accepted')
  }
  assert.match(await dialog.say('DATA'), /^354 /)
  // A lone LF ends no line: neither `\n.\n` nor `\n.\r\n` ends the data.
  assert.match(await dialog.say('a: b\r\n\r\n..dot\r\nbare\n.\nstill\n.\r\nhere\r\n.'), /^250 2\.6\.0 /)
  const [message] = messages
  assert.equal(message?.content.toString(), 'a: b\r\n\r\n.dot\r\nbare\n.\nstill\n.\r\nhere\r\n')
  assert.deepEqual(envelopeOf(message), {
    mailFrom: 'from@x.example',
    recipients: ['to@y.example', 'Postmaster@mx.example', 'two@y.example'],
  })
  assert.deepEqual(message?.client, { ipAddress: '127.0.0.1', hello: 'client.example', protocol: 'ESMTP' })
})

test('the protocol is that of RFC 3848 and RFC 6531', async (t) => {
  const { port, messages } = await start(t)
  for (const [hello, mail] of [
    ['HELO a', 'MAIL FROM:<>'],
    ['EHLO a', 'MAIL FROM:<>'],
    ['EHLO a', 'MAIL FROM:<> SMTPUTF8'],
  ]) {
    const dialog = await smtpDialog(t, port)
    for (const command of [hello, mail, RCPT, 'DATA', '.']) await dialog.say(command ?? '')
  }
  assert.deepEqual(
    messages.map(({ client }) => client.protocol),
    ['SMTP', 'ESMTP', 'UTF8SMTP'],
  )
  assert.deepEqual(
    messages.map(({ mailFrom }) => mailFrom),
    [undefined, undefined, undefined],
  )
})

test('refusals of hooks reach the peer with their codes; what hooks throw does not', async (t) => {
  const { port, errors } = await start(t, {
    mailFrom: (address) =>
      address?.localpart === 'bug' ? Promise.reject(new Error('secret table')) : refuse(false),
    rcptTo: async (_transaction, address) =>
      address.localpart === 'no'
        ? { code: 550, enhancedCode: '5.7.23', text: 'not here' }
        : { account: 'a', address },
    message: async ({ recipients }) =>
      recipients.length === 2 ? { code: 452, enhancedCode: '4.3.1', text: 'disk full' } : undefined,
  })
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  const rows: readonly (readonly [string, string])[] = [
    ['MAIL FROM:<bug@x.example>', '451 4.3.0 temporary failure, try again later'],
    [MAIL, OK],
    ['RCPT TO:<no@y.example>', '550 5.7.23 not here'],
    [RCPT, '250 2.1.5 Accepted'],
    ['RCPT TO:<two@y.example>', '250 2.1.5 Accepted'],
    ['DATA', '354 End data with <CR><LF>.<CR><LF>'],
    ['.', '452 4.3.1 disk full'],
    [MAIL, OK],
    [RCPT, '250 2.1.5 Accepted'],
    ['DATA', '354 End data with <CR><LF>.<CR><LF>'],
    ['.', '250 2.6.0 OK: message queued'],
  ]
  for (const [command, reply] of rows) assert.equal(await dialog.say(command), reply, command)
  assert.deepEqual(errors, ['secret table'])
})

test('a message over the limit is refused once all of it has come (RFC 1870 §6.3), and the session goes on', async (t) => {
  const { port, messages } = await start(t)
  const dialog = await smtpDialog(t, port)
  for (const command of [EHLO, MAIL, RCPT, 'DATA']) await dialog.say(command)
  dialog.write('x'.repeat(70_000))
  assert.match(await dialog.say('\r\n.'), /^552 5\.3\.4 /)
  for (const command of [MAIL, RCPT, 'DATA']) assert.match(await dialog.say(command), /^[23]5/)
  assert.match(await dialog.say(`${'x'.repeat(1998)}\r\n.`), /^250 2\.6\.0 /)
  assert.deepEqual(
    messages.map(({ content }) => content.length),
    [2000],
  )
})

test('a transaction has at most 100 recipients (RFC 5321 §4.5.3.1.10)', async (t) => {
  const { port } = await start(t)
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  await dialog.say(MAIL)
  for (let at = 0; at < 100; at++) assert.match(await dialog.say(`RCPT TO:<to${at}@y.example>`), /^250 /)
  assert.match(await dialog.say(RCPT), /^452 4\.5\.3 /)
  assert.match(await dialog.say('RCPT TO:<to7@y.example>'), /^250 /)
})

test('a message with more than 50 Received fields goes round in circles (RFC 5321 §6.3)', async (t) => {
  const { port, messages } = await start(t, {}, 20_000)
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  for (const [hops, reply] of [
    [50, /^250 /],
    [51, /^554 5\.4\.6 /],
  ] as const) {
    for (const command of [MAIL, RCPT, 'DATA']) await dialog.say(command)
    assert.match(await dialog.say(`${'Received: x\r\n'.repeat(hops)}\r\n.`), reply)
  }
  assert.equal(messages.length, 1)
})

test('pipelined commands are answered in order, and what follows the data waits for its reply (RFC 2920)', async (t) => {
  const { port } = await start(t, {
    message: async () => {
      await new Promise((done) => setTimeout(done, 20))
      return undefined
    },
  })
  const dialog = await smtpDialog(t, port)
  await dialog.say(EHLO)
  dialog.write([MAIL, 'RCPT TO:<>', RCPT, 'DATA', 'hello', '.', 'NOOP', 'QUIT', ''].join('\r\n'))
  const codes: string[] = []
  for (let reply = await dialog.reply(); reply !== ''; reply = await dialog.reply())
    codes.push(reply.slice(0, 9))
  assert.deepEqual(codes, [
    '250 2.1.0',
    '501 5.1.3',
    '250 2.1.5',
    '354 End d',
    '250 2.6.0',
    '250 2.0.0',
    '221 2.0.0',
  ])
})

test('a peer that goes away ends what waits for it, and half a message is none', async (t) => {
  const gone = Promise.withResolvers<void>()
  const { port, messages, errors } = await start(t, {
    rcptTo: (_transaction, address, peerGone) =>
      new Promise((done) => {
        if (address.localpart !== 'silent') return done({ account: 'a', address })
        peerGone.addEventListener('abort', () => {
          gone.resolve()
          done({ account: 'a', address })
        })
      }),
  })
  const silent = await smtpDialog(t, port)
  for (const command of [EHLO, MAIL]) await silent.say(command)
  silent.write('RCPT TO:<silent@y.example>\r\n')
  setTimeout(() => silent.hangUp(), 50)
  await gone.promise

  const broken = await smtpDialog(t, port)
  for (const command of [EHLO, MAIL, RCPT, 'DATA']) await broken.say(command)
  broken.write('half a mess')
  setTimeout(() => broken.hangUp(), 50)
  await new Promise((done) => setTimeout(done, 150))
  assert.deepEqual([messages.length, errors.length], [0, 0])
})

test('at shutdown idle peers hear 421 at once, a message that is coming in is still taken, and nobody new is let in', async (t) => {
  const { listener, port, messages } = await start(t)
  const idle = await smtpDialog(t, port)
  const busy = await smtpDialog(t, port)
  await idle.say(EHLO)
  for (const command of [EHLO, MAIL, RCPT, 'DATA']) await busy.say(command)
  const closed = listener.close(5_000)
  assert.equal(await idle.reply(), '421 4.3.2 mx.example is shutting down')
  assert.equal(await idle.reply(), '')
  await assert.rejects(greetingOf(port))
  assert.match(await busy.say('late\r\n.'), /^250 2\.6\.0 /)
  assert.match(await busy.say(MAIL), /^421 4\./)
  await closed
  assert.equal(messages.length, 1)
})

test('a peer that is still busy when the grace is over hears 421 too', async (t) => {
  const { listener, port } = await start(t)
  const busy = await smtpDialog(t, port)
  for (const command of [EHLO, MAIL, RCPT, 'DATA']) await busy.say(command)
  await listener.close(50)
  assert.equal(await busy.reply(), '421 4.3.2 mx.example is shutting down')
})

test('the 201st connection at a time is sent away', async (t) => {
  const { port } = await start(t)
  const greetings = await Promise.all(Array.from({ length: 201 }, () => greetingOf(port, t)))
  const refused = greetings.filter((greeting) => greeting.startsWith('421 '))
  assert.deepEqual([greetings.length, refused.length], [201, 1])
})

test('listens on every address on one port, and rejects when the port is taken', async (t) => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === '::1'),
  )
  const { port } = await start(t, {}, 2_000, ['127.0.0.1', '::1'])
  for (const host of hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
    const dialog = await smtpDialog(t, port, host)
    assert.match(await dialog.say(EHLO), /^250-/)
  }
  const taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  t.after(() => void taken.close())
  const { port: takenPort } = taken.address() as { port: number }
  const options = { hostname: 'mx.example', maxSize: 1, hooks: hooksOf([], {}), log: logOf([]) }
  await assert.rejects(listenSmtp({ ...options, port: takenPort, addresses: ['127.0.0.1'] }), {
    code: 'EADDRINUSE',
  })
})

test('an address that the machine does not have is left out, unless it is the only one', async () => {
  // RFC 5737 and RFC 3849: no machine has these.
  const options = { hostname: 'mx.example', maxSize: 1, hooks: hooksOf([], {}), log: logOf([]), port: 0 }
  const listener = await listenSmtp({ ...options, addresses: ['192.0.2.1', '127.0.0.1', '2001:db8::1'] })
  await listener.close(0)
  await assert.rejects(
    listenSmtp({ ...options, addresses: ['192.0.2.1'] }),
    /no address to listen on: 192\.0\.2\.1/,
  )
})

test('takes whole mails from our own transport, byte by byte', async (t) => {
  const { port, messages } = await start(t, {}, 5_000_000)
  const content = Buffer.concat([
    Buffer.from('Subject: ü\r\n\r\n'),
    Buffer.alloc(3_000_000, `.${'x'.repeat(997)}\r\n`),
    Buffer.from('\r\n'),
  ])
  const outcomes = await verdicts(relayTransport(), {
    relay: { host: '127.0.0.1', port, tls: 'opportunistic' },
    hostname: 'client.example',
    mailFrom: parseAddress('from@x.example'),
    recipients: ['"to me"@y.example', 'ü@y.example'].map(parseAddress),
    content,
    has8bit: true,
    smtputf8: true,
  })
  const accepted = { kind: 'accepted', code: 250, enhancedCode: '2.6.0' }
  assert.deepEqual(outcomes, [accepted, accepted])
  assert.ok(messages[0] && content.equals(messages[0].content))
  assert.deepEqual(envelopeOf(messages[0]).recipients, ['"to me"@y.example', 'ü@y.example'])
})

interface Started {
  readonly listener: SmtpListener
  readonly port: number
  readonly messages: ReceivedMessage[]
  /** The texts of the errors that were logged. */
  readonly errors: string[]
}

async function start(
  t: TestContext,
  hooks: Partial<ReceptionHooks> = {},
  maxSize = 2_000,
  addresses: readonly string[] = ['127.0.0.1'],
): Promise<Started> {
  const messages: ReceivedMessage[] = []
  const errors: string[] = []
  const listener = await listenSmtp({
    port: 0,
    addresses,
    hostname: 'mx.example',
    maxSize,
    hooks: hooksOf(messages, hooks),
    log: logOf(errors),
  })
  t.after(() => listener.close(0))
  return { listener, port: listener.port, messages, errors }
}

function hooksOf(messages: ReceivedMessage[], hooks: Partial<ReceptionHooks>): ReceptionHooks {
  return {
    mailFrom: async () => undefined,
    rcptTo: async (_transaction, address) => ({ account: 'a', address }),
    message: async (message) => {
      messages.push(message)
      return undefined
    },
    ...hooks,
  }
}

function logOf(errors: string[]): Log {
  return { info() {}, warn() {}, error: (_event, error) => void errors.push((error as Error).message) }
}

async function refuse(isRefused: boolean): ReturnType<ReceptionHooks['mailFrom']> {
  return isRefused ? { code: 550, enhancedCode: '5.7.1', text: 'go away' } : undefined
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
function greetingOf(port: number, t?: TestContext): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    t?.after(() => void socket.destroy())
    socket.on('error', reject).once('data', (data) => resolve(data.toString()))
  })
}
