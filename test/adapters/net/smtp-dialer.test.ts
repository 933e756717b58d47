import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { smtpDialer } from '../../../shared/adapters/net/smtp-dialer.ts'
import { connectionAttempts } from './connection-attempts.ts'
import { scriptedServer } from './scripted-server.ts'
import { selfSigned } from './self-signed.ts'
import { assertFailed, assertOpen, directRequest, sessionRequest } from './session-request.ts'

const hasty = smtpDialer({
  greetingMs: 200,
  handshakeMs: 200,
  inactivityMs: 300,
  contentMs: 300,
  quitMs: 200,
})

test('a session knows who answered and what is offered, and takes leave (RFC 5321 §3.1)', async (t) => {
  const server = await scriptedServer(t, { extensions: ['PIPELINING', 'size 1000', 'LIMITS RCPTMAX=7'] })
  const session = await hasty.open(sessionRequest(server.port))
  assertOpen(session)
  assert.deepEqual(session.remote, { host: 'mx.example', ipAddress: '127.0.0.1' })
  assert.deepEqual(
    [...session.extensions],
    [
      ['PIPELINING', ''],
      ['SIZE', '1000'],
      ['LIMITS', 'RCPTMAX=7'],
    ],
  )
  assert.equal(session.withoutTls?.resultType, 'starttls-not-supported')
  assert.ok(session.isReusable())
  await session.end()
  assert.ok(!session.isReusable())
  assert.deepEqual(server.commands, ['EHLO here.example', 'QUIT'])
})

test('addresses are tried in their order until one answers', async (t) => {
  const attempts = connectionAttempts(t)
  const server = await scriptedServer(t, {})
  const ipAddresses = ['127.0.0.9', '127.0.0.1', '127.0.0.8']
  const session = await hasty.open(sessionRequest(server.port, { ipAddresses }))
  assertOpen(session)
  assert.equal(session.remote.ipAddress, '127.0.0.1')
  assert.deepEqual(attempts, ['127.0.0.9', '127.0.0.1'])
  await session.end()
})

test('where no address answers there is no connection, and no address in what is said of it', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  const none = await hasty.open(sessionRequest(port, { ipAddresses: ['127.0.0.1', '127.0.0.2'] }))
  assertFailed(none)
  const error = `connecting to mx.example:${port}: connection refused`
  assert.deepEqual(none, { kind: 'failed', stage: 'connection', error, code: 0, enhancedCode: '', reply: '' })
})

for (const [rule, reply] of [
  ['of many lines', `${'250-and so on\r\n'.repeat(6_000)}250 ok`],
  ['of a line', `250 ${'x'.repeat(200_000)}`],
] as const) {
  test(`a reply ${rule} that is much longer than 64 KiB ends the session`, async (t) => {
    const server = await scriptedServer(t, {
      reply: (command) => (command.startsWith('RCPT') ? reply : undefined),
    })
    const session = await hasty.open(sessionRequest(server.port))
    assertOpen(session)
    const [outcome] = await session.send(directRequest(['a@x.example']))
    assert.ok(outcome?.kind === 'temporary' && outcome.code === 0)
    assert.match(outcome.error, /exceeds maximum allowed size$/)
    assert.ok(!session.isReusable())
  })
}

/** What a server says at first, and what is known of the session that there is not. */
const greetings: readonly (readonly [rule: string, greeting: string | null, error: RegExp, code: number])[] =
  [
    ['says nothing', null, /^waiting for the greeting of mx\.example:\d+: timed out$/, 0],
    ['refuses for good', '554 5.7.1 go away', /the server answered 554 5\.7\.1 go away$/, 554],
    ['refuses for now', '421 4.3.2 later', /the server answered 421 4\.3\.2 later$/, 421],
    ['says what is no reply', 'SSH-2.0-OpenSSH', /the server answered SSH-2\.0-OpenSSH$/, 0],
    ['answers with four digits', '2200 mx.example', /the server answered 2200 mx\.example$/, 0],
    ['mixes codes in a reply', '220-mx.example\r\n554 no', /the server answered 220-mx\.example; 554 no$/, 0],
  ]
for (const [rule, greeting, error, code] of greetings) {
  test(`a server that ${rule} gives no session, at the stage of the greeting (RFC 5321 §4.2)`, async (t) => {
    const { port, commands } = await scriptedServer(t, { greeting })
    const none = await hasty.open(sessionRequest(port))
    assertFailed(none)
    assert.equal(none.stage, 'greeting')
    assert.match(none.error, error)
    assert.equal(none.code, code)
    assert.deepEqual(commands, [])
  })
}

test('a server that closes at once gives no session', async (t) => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const none = await hasty.open(sessionRequest((server.address() as AddressInfo).port))
  assertFailed(none)
  assert.match(none.error, /^opening a session with .*: connection closed$/)
})

for (const [refusal, usesHello] of [
  ['500 what?', true],
  ['501 what?', true],
  ['502 what?', true],
  ['503 what?', true],
  ['504 what?', true],
  ['550 5.7.1 not you', false],
  ['451 4.3.0 later', false],
] as const) {
  const rule = usesHello ? 'is tried with HELO' : 'ends the session'
  test(`EHLO that is answered ${refusal} ${rule} (RFC 5321 §3.2, §4.1.1.1)`, async (t) => {
    const server = await scriptedServer(t, {
      reply: (command) => (command.startsWith('EHLO') ? refusal : undefined),
    })
    const session = await hasty.open(sessionRequest(server.port))
    assert.equal(session.kind, usesHello ? 'open' : 'failed')
    assert.equal(server.commands.includes('HELO here.example'), usesHello)
    if (session.kind === 'failed') return assert.equal(session.stage, 'greeting')
    const [outcome] = await session.send(directRequest(['a@x.example']))
    assert.equal(outcome?.kind, 'accepted')
    assert.equal(server.commands[2], 'MAIL FROM:<from@here.example>')
    await session.end()
  })
}

test('a second message goes over the same session, and its evidence is its own', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command) => (command === 'RCPT TO:<b@x.example>' ? '550 5.1.1 no' : undefined),
  })
  const session = await hasty.open(sessionRequest(server.port))
  assertOpen(session)
  const [first] = await session.send(directRequest(['a@x.example']))
  assert.equal(first?.kind, 'accepted')
  assert.ok(session.isReusable())
  const [second] = await session.send(directRequest(['b@x.example']))
  assert.equal(second?.kind, 'permanent')
  assert.match(second?.transcript?.[0] ?? '', /^\d+ C: MAIL FROM/)
  assert.equal(server.connections, 1)
  assert.ok(!server.commands.includes('RSET'))
  await session.end()
})

test('RSET comes before the next message where the last came to no content, and only there (RFC 5321 §4.1.1.5)', async (t) => {
  const server = await scriptedServer(t, {
    extensions: [],
    reply: (command) => (command === 'RCPT TO:<no@x.example>' ? '550 5.1.1 no' : undefined),
  })
  const session = await hasty.open(sessionRequest(server.port))
  assertOpen(session)
  for (const recipient of ['no@x.example', 'a@x.example', 'b@x.example']) {
    assert.ok(session.isReusable())
    await session.send(directRequest([recipient]))
  }
  const verbs = server.commands
    .map((command) => command.slice(0, 4))
    .filter((verb) => /^[A-Z]{4}$/.test(verb))
  assert.deepEqual(verbs, ['EHLO', 'MAIL', 'RCPT', 'RSET', 'MAIL', 'RCPT', 'DATA', 'MAIL', 'RCPT', 'DATA'])
  await session.end()
})

const ends: readonly (readonly [
  rule: string,
  script: {
    readonly extensions?: readonly string[]
    readonly reply?: (command: string) => string | null | undefined
  },
])[] = [
  ['said 421', { reply: (command) => (command === '.' ? '421 4.3.2 good night' : undefined) }],
  ['hung up', { reply: (command) => (command === 'DATA' ? null : undefined) }],
  ['fell silent', { reply: (command) => (command === '.' ? '250-wait' : undefined) }],
  ['has taken all messages that it takes', { extensions: ['LIMITS MAILMAX=1'] }],
]
for (const [rule, script] of ends) {
  test(`a session whose server ${rule} is not used again`, async (t) => {
    const server = await scriptedServer(t, script)
    const session = await hasty.open(sessionRequest(server.port))
    assertOpen(session)
    await session.send(directRequest(['a@x.example']))
    assert.ok(!session.isReusable())
    const [outcome] = await session.send(directRequest(['b@x.example']))
    assert.equal(outcome?.kind, 'temporary')
    await session.end()
  })
}

test('large content arrives as it is, with dots at the beginnings of lines where they are due (RFC 5321 §4.5.2)', async (t) => {
  const server = await scriptedServer(t, {})
  const session = await hasty.open(sessionRequest(server.port))
  assertOpen(session)
  // Pieces of a power of two end at every place of such a line.
  const content = '.a line of 17 z\r\n'.repeat(20_000)
  const [outcome] = await session.send(directRequest(['a@x.example'], { content: Buffer.from(content) }))
  assert.equal(outcome?.kind, 'accepted')
  const sent = server.commands.find((command) => command.startsWith('..a'))
  assert.ok(sent === `${content.replaceAll('.a', '..a')}.`)
  assert.ok(session.isReusable())
  await session.end()
  assert.equal(server.commands.at(-1), 'QUIT')
})

test('nothing follows content that was answered before its end: it would become part of it', async (t) => {
  for (const answer of ['250 thanks', '552 5.3.4 too large']) {
    let received = ''
    const server = createServer((socket) => {
      let isData = false
      socket.on('error', () => {})
      socket.write('220 mx.example\r\n')
      socket.on('data', (chunk) => {
        received += chunk
        if (isData) return
        const verbs: readonly string[] = chunk.toString().match(/^(?:EHLO|MAIL|RCPT|DATA)/gm) ?? []
        isData = verbs.includes('DATA')
        socket.write(
          verbs.map((verb) => (verb === 'DATA' ? `354 go\r\n${answer}\r\n` : '250 ok\r\n')).join(''),
        )
        if (isData) socket.pause()
        setTimeout(() => socket.resume(), 50)
      })
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const session = await hasty.open(sessionRequest((server.address() as AddressInfo).port))
    assertOpen(session)
    const [outcome] = await session.send(
      directRequest(['a@x.example'], { content: Buffer.alloc(20_000_000, 'x') }),
    )
    assert.equal(`${outcome?.code}`, answer.slice(0, 3))
    assert.ok(!session.isReusable())
    await session.end()
    assert.ok(!received.includes('QUIT'))
  }
})

test('a server that refuses and hangs up before it has heard all is believed, with PIPELINING too', async (t) => {
  const rows = [
    ['MAIL', '550 5.7.1 not you', '550 5.7.1'],
    ['RCPT', '554 5.7.1 no', '554 5.7.1'],
  ] as const
  for (const extensions of [['PIPELINING'], []]) {
    for (const [verb, reply, expected] of rows) {
      const server = await scriptedServer(t, {
        extensions,
        reply: (command, socket) => {
          if (!command.startsWith(verb)) return undefined
          socket.end(`${reply}\r\n`)
          return ''
        },
      })
      const session = await hasty.open(sessionRequest(server.port))
      assertOpen(session)
      const [outcome] = await session.send(directRequest(['a@x.example']))
      assert.equal(outcome?.kind, 'permanent')
      assert.equal(`${outcome.code} ${outcome.enhancedCode}`, expected)
      await session.end()
    }
  }
})

test('a session that the server ends between messages is not used again', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command, socket) => {
      if (command === '.') setImmediate(() => socket.end('421 4.4.2 too slow\r\n'))
      return undefined
    },
  })
  const session = await hasty.open(sessionRequest(server.port))
  assertOpen(session)
  const [outcome] = await session.send(directRequest(['a@x.example']))
  assert.equal(outcome?.kind, 'accepted')
  while (session.isReusable()) await new Promise((done) => setImmediate(done))
  await session.end()
})

test('a server has longer to look at the content than to answer otherwise (RFC 5321 §4.5.3.2.6)', async (t) => {
  const answerLate = (command: string, socket: Socket) => {
    if (!command.endsWith('.')) return undefined
    setTimeout(() => socket.write('250 2.0.0 at last\r\n'), 150)
    return '250-looking'
  }
  for (const [contentMs, kind] of [
    [50, 'temporary'],
    [5_000, 'accepted'],
  ] as const) {
    const server = await scriptedServer(t, { reply: answerLate })
    const session = await smtpDialer({ inactivityMs: 50, contentMs }).open(sessionRequest(server.port))
    assertOpen(session)
    const [outcome] = await session.send(directRequest(['a@x.example']))
    assert.equal(outcome?.kind, kind)
    await session.end()
  }
})

test('the signal ends a session and its transactions', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command) => (command === 'DATA' ? '354-wait' : undefined),
  })
  const end = new AbortController()
  const session = await hasty.open(sessionRequest(server.port, { signal: end.signal }))
  assertOpen(session)
  const sending = session.send(directRequest(['a@x.example']))
  end.abort(new Error('enough'))
  const [outcome] = await sending
  assert.equal(outcome?.kind === 'temporary' && outcome.error, `sending to mx.example:${server.port}: enough`)
  assert.ok(!session.isReusable())
  await session.end()
  const signal = AbortSignal.abort(new Error('enough'))
  assert.equal((await hasty.open(sessionRequest(server.port, { signal }))).kind, 'failed')
})

const lacking: readonly (readonly [
  rule: string,
  more: Parameters<typeof directRequest>[1],
  extensions: readonly string[],
  outcome: readonly [string, string] | string,
])[] = [
  ['larger than SIZE is refused (RFC 1870 §6.1)', {}, ['SIZE 10'], ['permanent', '5.3.4']],
  ['of any size goes where SIZE says nothing', {}, ['SIZE 0'], 'BODY=none'],
  ['that needs SMTPUTF8 may find it elsewhere', { smtputf8: true }, [], ['temporary', '4.6.7']],
  ['that demands REQUIRETLS needs it offered', { requireTls: true }, ['SIZE'], ['permanent', '5.7.30']],
  ['that demands REQUIRETLS needs TLS', { requireTls: true }, ['REQUIRETLS'], ['permanent', '5.7.30']],
  ['with 8-bit content says so', { has8bit: true }, ['8BITMIME'], 'BODY=8BITMIME'],
  ['without 8-bit content says so', { has8bit: false }, ['8BITMIME'], 'BODY=7BIT'],
  ['with 8-bit content goes as it is where that is not offered', { has8bit: true }, [], 'BODY=none'],
]
for (const [rule, more, extensions, expected] of lacking) {
  test(`a message ${rule}`, async (t) => {
    const server = await scriptedServer(t, { extensions })
    const session = await hasty.open(sessionRequest(server.port))
    assertOpen(session)
    const [outcome] = await session.send(directRequest(['a@x.example'], more))
    const mail = server.commands.find((command) => command.startsWith('MAIL'))
    const found = mail
      ? `BODY=${/ BODY=(\S+)/.exec(mail)?.[1] ?? 'none'}`
      : [outcome?.kind, outcome?.enhancedCode]
    assert.deepEqual(found, expected)
    assert.ok(session.isReusable())
    await session.end()
  })
}

test('where nothing is to be encrypted STARTTLS is not said, and no reason is given', async (t) => {
  const server = await scriptedServer(t, { identity: selfSigned(['mx.example']) })
  const session = await hasty.open(sessionRequest(server.port, { tls: 'none' }))
  assertOpen(session)
  assert.deepEqual([session.proof, session.withoutTls], [undefined, undefined])
  await session.end()
  assert.deepEqual(server.commands, ['EHLO here.example', 'QUIT'])
})
