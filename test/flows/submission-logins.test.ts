import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import { type ScramCredentials, scramClient } from '../support/scram-client.ts'
import { type SmtpSession, smtpSession } from '../support/smtp-session.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

const { address, password } = localSeed
const closed = { address: 'closed@localhost', password: 'closed-password' } as const
let postern: TestPostern
let certificate: string
const ends: (() => unknown)[] = []

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
  await postern.admin.put('/accounts/closed', {
    Addresses: [closed.address],
    Password: closed.password,
    LoginDisabled: 'unpaid',
  })
  // A running listener may work with options that are five seconds old.
  await sleep(5_000)
  const session = await smtpSession({ after() {} }, { port: postern.submissionsPort, isEncrypted: true })
  certificate = pem(session.tlsSocket().getPeerX509Certificate()?.raw)
  session.hangUp()
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const ways = ['without TLS', 'STARTTLS', 'TLS'] as const
type Way = (typeof ways)[number]
/** A loopback address for each test, so that the failures of one do not count for another. */
let lastClient = 1
const nextClient = () => `127.0.0.${++lastClient}`

/** As a program would send that trusts the certificate and knows the server as localhost. */
async function send(way: Way, authMethod: string, pass: string, subject: string) {
  const transport = createTransport({
    host: 'localhost',
    port: way === 'TLS' ? postern.submissionsPort : postern.submissionPort,
    secure: way === 'TLS',
    ...(way === 'STARTTLS' ? { requireTLS: true } : { ignoreTLS: true }),
    tls: { ca: certificate },
    localAddress: nextClient(),
    authMethod,
    auth: { user: address, pass },
    customAuth: { 'SCRAM-SHA-256': scramOfNodemailer },
  })
  try {
    return await transport.sendMail({ from: address, to: 'you@remote.test', subject, text: 'x' })
  } finally {
    transport.close()
  }
}

interface CustomAuth {
  readonly auth: { readonly credentials: { readonly user: string; readonly pass: string } }
  sendCommand(command: string): Promise<{ readonly status: number; readonly response: string }>
}

async function scramOfNodemailer({ auth: { credentials }, sendCommand }: CustomAuth): Promise<void> {
  const client = scramClient({ userName: credentials.user, password: credentials.pass })
  const { response } = await sendCommand(`AUTH SCRAM-SHA-256 ${base64(client.first)}`)
  const final = await sendCommand(base64(client.final(unbase64(response.slice(4)))))
  if (final.status !== 334) throw new Error(final.response)
  assert.ok(client.knows(unbase64(final.response.slice(4))))
  assert.equal((await sendCommand('')).status, 235)
}

for (const way of ways) {
  for (const mechanism of ['PLAIN', 'LOGIN', 'SCRAM-SHA-256']) {
    test(`RFC 6409: ${mechanism} over submission ${way}: a right password sends, a wrong one does not`, async () => {
      const subject = `${mechanism} ${way}`
      const { response } = await send(way, mechanism, password, subject)
      assert.match(response, /^250 2\.6\.0 /)
      await eventually('the mail', async () => {
        const mails = await postern.admin.get<{ Subject: string }[]>('/mail')
        return mails.find(({ Subject }) => Subject === subject)
      })
      await assert.rejects(send(way, mechanism, 'wrong', subject), /535 5\.7\.8 bad user name or password \(/)
    })
  }
}

/** A session that has said EHLO. */
async function session(
  context: { after(end: () => void): void },
  way: Way,
  maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
): Promise<SmtpSession> {
  const isEncrypted = way === 'TLS'
  const port = isEncrypted ? postern.submissionsPort : postern.submissionPort
  const tls = { maxVersion }
  const opened = await smtpSession(context, { port, isEncrypted, tls, localAddress: nextClient() })
  if (way === 'STARTTLS') {
    await opened.say('EHLO client.test')
    await opened.startTls()
  }
  await opened.say('EHLO client.test')
  return opened
}

async function scram(opened: SmtpSession, credentials: Partial<ScramCredentials>, mechanism: string) {
  const client = scramClient({ userName: address, password, ...credentials })
  let isKnown = false
  const reply = await opened.auth(
    mechanism,
    client.first,
    (serverFirst) => client.final(serverFirst),
    (serverFinal) => {
      isKnown = client.knows(serverFinal)
      return ''
    },
  )
  return { reply, isKnown }
}

function exported(opened: SmtpSession): Buffer {
  return opened.tlsSocket().exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

function certificateHash(opened: SmtpSession): Buffer {
  const { raw } = opened.tlsSocket().getPeerX509Certificate() ?? assert.fail('no certificate')
  return createHash('sha256').update(raw).digest()
}

const PLUS = 'SCRAM-SHA-256-PLUS'
for (const way of ['STARTTLS', 'TLS'] as const) {
  test(`RFC 9266: ${PLUS} over ${way} binds to the exported key of TLS 1.3`, async (t) => {
    const opened = await session(t, way)
    const binding = { name: 'tls-exporter', data: exported(opened) }
    const { reply, isKnown } = await scram(opened, { binding }, PLUS)
    assert.match(reply, /^235 2\.7\.0 /)
    assert.ok(isKnown)
  })

  test(`RFC 5929 §4: ${PLUS} over ${way} binds to the certificate with TLS 1.2`, async (t) => {
    const opened = await session(t, way, 'TLSv1.2')
    const binding = { name: 'tls-server-end-point', data: certificateHash(opened) }
    assert.match((await scram(opened, { binding }, PLUS)).reply, /^235 2\.7\.0 /)
  })
}

test(`RFC 5802 §6: ${PLUS} is refused with 535 5.7.7 where another channel lies between`, async (t) => {
  const binding = { name: 'tls-exporter', data: exported(await session(t, 'TLS')) }
  const opened = await session(t, 'TLS')
  assert.match((await scram(opened, { binding }, PLUS)).reply, /^535 5\.7\.7 /)
  const right = { name: 'tls-exporter', data: exported(opened) }
  assert.match((await scram(opened, { binding: right, password: 'wrong' }, PLUS)).reply, /^535 5\.7\.8 /)
  assert.match((await scram(opened, { flag: 'y' }, 'SCRAM-SHA-256')).reply, /^535 5\.7\.7 /)
  assert.match((await scram(opened, { binding: right }, PLUS)).reply, /^235 /)
})

test('RFC 4954 §4: a disabled login is answered 525 5.7.13 with its reason, to the right password only', async (t) => {
  const opened = await session(t, 'TLS')
  const plain = (pass: string) => opened.auth('PLAIN', `\0${closed.address}\0${pass}`)
  assert.match(await plain('wrong'), /^535 5\.7\.8 bad user name or password/)
  assert.match(await plain(closed.password), /^525 5\.7\.13 login disabled: unpaid/)
  const { reply } = await scram(
    opened,
    { userName: closed.address, password: closed.password },
    'SCRAM-SHA-256',
  )
  assert.match(reply, /^525 5\.7\.13 login disabled: unpaid/)
})

test('RFC 4954 §4: nobody submits without a login, and nobody logs in twice or at port 25', async (t) => {
  const opened = await session(t, 'TLS')
  assert.match(await opened.say(`MAIL FROM:<${address}>`), /^530 5\.7\.0 /)
  assert.match(await opened.auth('PLAIN', `\0${address}\0${password}`), /^235 /)
  assert.match(await opened.say(`AUTH PLAIN ${base64(`\0${address}\0${password}`)}`), /^503 5\.5\.1 /)
  assert.match(await opened.say(`MAIL FROM:<${address}>`), /^250 /)

  const reception = await smtpSession(t, { port: postern.smtpPort })
  assert.doesNotMatch(await reception.say('EHLO client.test'), /AUTH/)
  assert.match(await reception.say('AUTH PLAIN'), /^503 5\.5\.1 /)
})

test('RFC 4954 §3: EHLO offers the mechanisms that can be used now', async (t) => {
  const plain = await smtpSession(t, { port: postern.submissionPort })
  assert.match(await plain.say('EHLO client.test'), /250-AUTH SCRAM-SHA-256 PLAIN LOGIN \|/)
  await plain.startTls()
  const encrypted = await plain.say('EHLO client.test')
  assert.match(encrypted, /250-AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN \|/)
  assert.doesNotMatch(encrypted, /STARTTLS/)
})

for (const port of ['smtpPort', 'submissionPort'] as const) {
  test(`RFC 3207 §4.2: what came with STARTTLS in clear text is not obeyed (${port})`, async (t) => {
    const opened = await smtpSession(t, { port: postern[port] })
    await opened.say('EHLO client.test')
    assert.match(await opened.startTls('EHLO injected.test\r\nMAIL FROM:<injected@remote.test>\r\n'), /^220 /)
    // Had the EHLO been obeyed, its reply would come first, and MAIL would be allowed without another.
    assert.match(await opened.say('NOOP'), /^250 2\.0\.0 /)
    assert.match(await opened.say('MAIL FROM:<a@remote.test>'), /^503 5\.5\.1 |^530 /)
  })
}

test('the fifth wrong password ends the connection, and the others took longer each time', async (t) => {
  const opened = await session(t, 'TLS')
  const took: number[] = []
  const heard: string[] = []
  for (let tries = 0; tries < 5; tries++) {
    const began = performance.now()
    heard.push((await opened.auth('PLAIN', `\0${address}\0wrong`)).slice(0, 9))
    took.push(performance.now() - began)
  }
  assert.deepEqual(heard, [...new Array(4).fill('535 5.7.8'), '421 4.7.0'])
  assert.equal(await opened.reply(), '')
  const [, , third = 0, fourth = 0] = took
  assert.ok(third >= 990 && fourth >= 1990, `${took}`)
})

test('AT-60: wrong passwords over SMTP and over the webapi count together', async (t) => {
  await untilEarlyInMinute()
  const client = { port: postern.submissionsPort, isEncrypted: true }
  for (let tries = 0; tries < 9; tries++) {
    const opened = await smtpSession(t, client)
    await opened.say('EHLO client.test')
    assert.match(await opened.auth('PLAIN', `\0${address}\0wrong`), /^535 /)
    opened.hangUp()
  }
  assert.equal(await webapiStatus('wrong'), 401)
  assert.equal(await webapiStatus(password), 429)
  const opened = await smtpSession(t, client)
  await opened.say('EHLO client.test')
  assert.match(await opened.auth('PLAIN', `\0${address}\0${password}`), /^421 4\.7\.0 /)
  assert.equal(await opened.reply(), '')
})

/** A call for a message that does not exist: 400 says that the login was right. */
async function webapiStatus(pass: string): Promise<number> {
  const answer = await fetch(`${postern.local.cloud.apiUrl}/webapi/v0/MessageGet`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${base64(`${address}:${pass}`)}`,
      'content-type': 'application/json',
    },
    body: '{"MsgID": 1}',
  })
  return answer.status
}

/** Windows begin with the minute; a test that runs over its end would count twice. */
async function untilEarlyInMinute(): Promise<void> {
  const intoMinute = Date.now() % MINUTE
  if (intoMinute > 40 * SECOND) await sleep(MINUTE - intoMinute)
}

function pem(der: Buffer | undefined): string {
  return `-----BEGIN CERTIFICATE-----\n${der?.toString('base64')}\n-----END CERTIFICATE-----\n`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function unbase64(text: string): string {
  return Buffer.from(text, 'base64').toString()
}
