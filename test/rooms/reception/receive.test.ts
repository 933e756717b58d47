import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import type { ContentName } from '../../../shared/content/content-store.ts'
import type { ReceivedMessage } from '../../../shared/reception/receive.ts'
import { type ReceptionHooks, receptionHooks } from '../../../shared/reception/reception-hooks.ts'
import { keyRecord, signDkim } from '../../support/dkim-signer.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { observedReception } from '../../support/observed-reception.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const HERE = new AbortController().signal

/** `y.example` publishes all there is; `q.example` asks for quarantine; `s.example` has SPF only; `n.example` nothing. */
const ZONE: FakeZone = {
  'y.example': { MX: [[1, 'mx.y.example']], TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
  'sel._domainkey.y.example': { TXT: [keyRecord(publicKey)] },
  '_dmarc.y.example': { TXT: ['v=DMARC1; p=reject'] },
  '_dmarc.q.example': { TXT: ['v=DMARC1; p=quarantine'] },
  's.example': { A: ['192.0.2.9'], TXT: ['v=spf1 -all'] },
  'n.example': { MX: [[0, '.']] },
  'broken.example': { fails: true },
}

test('MAIL FROM is refused where no bounce could go, and put off while the DNS fails', async () => {
  const { hooks } = arrange()
  const rows: readonly (readonly [from: string | undefined, code: number | undefined])[] = [
    ['ann@y.example', undefined],
    ['ann@n.example', 550],
    ['ann@nowhere.example', 550],
    ['ann@broken.example', 451],
    [undefined, undefined],
  ]
  for (const [from, code] of rows) {
    const refusal = await hooks.mailFrom(from === undefined ? undefined : parseAddress(from), HERE)
    assert.equal(refusal?.code, code, from)
  }
})

test('a message of a verified sender arrives, and what was verified stands with it', async () => {
  const { hooks, arrivals } = arrange()
  const content = signDkim({ header: header('ann@y.example'), body: 'hello\r\n', privateKey })
  assert.equal(await hooks.message(messageOf('ann@y.example', content), HERE), undefined)
  const [arrival] = arrivals
  assert.equal(arrival?.mail.mailbox, 'Inbox')
  assert.partialDeepStrictEqual(arrival?.mail.envelope, {
    mailFromValidated: true,
    msgFromValidated: true,
    dkimVerifiedDomains: ['y.example'],
  })
  assert.partialDeepStrictEqual(metaOf(arrival?.call?.body), {
    MailFromValidated: true,
    MsgFromValidated: true,
    DKIMVerifiedDomains: ['y.example'],
    MailboxName: 'Inbox',
  })
})

test('a forged author is refused where its domain asks for that (RFC 7489 §6.6.2), and nothing is stored', async () => {
  const { hooks, arrivals, contents, logged } = arrange()
  const forged = messageOf('eve@z.example', `${header('ann@y.example')}\r\nhello\r\n`)
  const refusal = await hooks.message(forged, HERE)
  assert.deepEqual([refusal?.code, refusal?.enhancedCode], [550, '5.7.26'])
  assert.deepEqual([arrivals.length, contents.size], [0, 0])
  assert.deepEqual(logged, [
    ['message refused', { sessionId: 'session', ipAddress: '192.0.2.1', ...refusal }],
  ])
})

test('an author that nobody reads is refused, or his domain would not be asked (RFC 7489 §6.6.1)', async () => {
  const { hooks, contents } = arrange()
  const hidden = header(`"${'x '.repeat(5000)}" <ann@y.example>`)
  const refusal = await hooks.message(messageOf('eve@z.example', `${hidden}\r\nhello\r\n`), HERE)
  assert.deepEqual([refusal?.code, refusal?.enhancedCode, contents.size], [550, '5.6.0', 0])
})

test('a forged author goes to Junk where its domain asks for that, and the call says so', async () => {
  const { hooks, arrivals } = arrange()
  assert.equal(
    await hooks.message(messageOf('eve@z.example', `${header('ann@q.example')}\r\n`), HERE),
    undefined,
  )
  const [arrival] = arrivals
  assert.equal(arrival?.mail.mailbox, 'Junk')
  assert.partialDeepStrictEqual(metaOf(arrival?.call?.body), { MailboxName: 'Junk', MsgFromValidated: false })
})

test('a reverse-path that its domain denies is refused (RFC 7208 §8.4), and that of a bounce is not', async () => {
  const { hooks, arrivals } = arrange()
  const content = `${header('ann@s.example')}\r\n`
  const refusal = await hooks.message(messageOf('ann@s.example', content), HERE)
  assert.deepEqual([refusal?.code, refusal?.enhancedCode], [550, '5.7.23'])
  assert.equal(await hooks.message(messageOf(undefined, content, 's.example'), HERE), undefined)
  assert.equal(arrivals.length, 1)
  assert.equal(arrivals[0]?.mail.envelope.mailFromValidated, false)
})

test('what cannot be parsed is stored all the same', async () => {
  const { hooks, arrivals } = arrange()
  for (const content of ['', '\u0000\u0001', 'From: <<\r\n no field\r\nDKIM-Signature: ;;;\r\n\r\n']) {
    assert.equal(await hooks.message(messageOf('ann@y.example', content), HERE), undefined)
  }
  assert.equal(arrivals.length, 3)
})

test('the trace comes first, and results that others wrote in our name are taken out (RFC 8601 §5)', async () => {
  const { hooks, contents } = arrange()
  const forged = 'Authentication-Results: mx.y.example; dmarc=pass header.from=bank.example\r\n'
  await hooks.message(messageOf('ann@y.example', `${forged}${header('ann@y.example')}\r\nhello\r\n`), HERE)
  const stored = [...contents].find(([name]) => name.startsWith('mail/'))?.[1]
  const text = Buffer.from(stored ?? []).toString()
  const names = text.match(/^[A-Za-z-]+(?=:)/gm)
  assert.deepEqual(names, [
    'Delivered-To',
    'Return-Path',
    'Authentication-Results',
    'Received-SPF',
    'Received',
    'From',
    'Subject',
  ])
  assert.doesNotMatch(text, /bank\.example/)
})

test('copies of a large message are made one after the other: a hundred at once would fill the memory', async () => {
  const { ports, contents } = observedReception()
  let underway = 0
  let most = 0
  const create = async (name: string, bytes: Uint8Array) => {
    most = Math.max(most, ++underway)
    await new Promise((resolve) => setImmediate(resolve))
    underway--
    const isNew = !contents.has(name)
    if (isNew) await ports.content.create(name as ContentName, bytes.subarray(0, 100))
    return isNew
  }
  let drawn = 0
  const random = { ...ports.random, fraction: () => drawn++ / 4096 }
  const hooks = receptionHooks(
    { ...ports, random, content: { ...ports.content, create } },
    { simulateFailures: false },
  )
  const message = messageOf('ann@y.example', `${header('ann@y.example')}\r\n${'x'.repeat(17_000_000)}\r\n`)
  const [recipient] = message.recipients
  if (!recipient) throw new Error('there is a recipient')
  await hooks.message({ ...message, recipients: [recipient, recipient, recipient] }, HERE)
  assert.equal(most, 1)
})

test('where senders are not checked nothing is asked, and nothing is verified', async () => {
  const { ports, arrivals } = observedReception()
  const hooks = receptionHooks(ports, { simulateFailures: false })
  assert.equal(await hooks.mailFrom(parseAddress('ann@nowhere.example'), HERE), undefined)
  assert.equal(
    await hooks.message(messageOf('eve@z.example', `${header('ann@y.example')}\r\n`), HERE),
    undefined,
  )
  assert.partialDeepStrictEqual(arrivals[0]?.mail, {
    mailbox: 'Inbox',
    envelope: { mailFromValidated: false, msgFromValidated: false, dkimVerifiedDomains: [] },
  })
})

function arrange() {
  const observed = observedReception()
  const logged: unknown[] = []
  const { clock, random } = observed.ports
  const hooks: ReceptionHooks = receptionHooks(
    {
      ...observed.ports,
      senderChecks: {
        resolver: fakeDns(ZONE),
        clock,
        random,
        log: {
          info: (...line) => void logged.push(line),
          warn: () => {},
          error: (_, error) => assert.ifError(error),
        },
        wait: (milliseconds) => (milliseconds === 0 ? Promise.resolve() : new Promise(() => {})),
      },
    },
    { simulateFailures: false },
  )
  return { ...observed, hooks, logged }
}

function header(from: string): string {
  return `From: ${from}\r\nSubject: hello\r\n`
}

function messageOf(from: string | undefined, content: string, hello = 'out.y.example'): ReceivedMessage {
  return {
    ...(from !== undefined && { mailFrom: parseAddress(from) }),
    recipients: [{ account: 'you', address: parseAddress('you@y.example') }],
    content: Buffer.from(content),
    client: { ipAddress: '192.0.2.1', hello, protocol: 'ESMTP', sessionId: 'session' },
  }
}

function metaOf(body: object | undefined): object {
  return JSON.parse(body && 'json' in body ? String(body.json) : '{}').Meta
}
