import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import type { ReceivedMessage } from '../../../shared/reception/receive.ts'
import {
  type ReceptionHooks,
  type ReceptionSettings,
  receptionHooks,
} from '../../../shared/reception/reception-hooks.ts'
import { type ObservedReception, observedReception } from '../../support/observed-reception.ts'

const NOBODY_YET = { recipients: [] }
const HERE = new AbortController().signal

test('a recipient is accepted for its account, and refused when nobody has it', async () => {
  const { hooks } = arrange({ simulateFailures: false })
  const you = parseAddress('you+shop@y.example')
  assert.deepEqual(await hooks.rcptTo(NOBODY_YET, you, HERE), { account: 'you', address: you })
  const refused = await hooks.rcptTo(NOBODY_YET, parseAddress('me@y.example'), HERE)
  assert.deepEqual('code' in refused && [refused.code, refused.enhancedCode], [550, '5.1.1'])
})

test('the catchall account takes what nobody has', async () => {
  const { hooks } = arrange({ simulateFailures: false, catchallAccount: 'you' })
  const anybody = parseAddress('anybody@elsewhere.example')
  assert.deepEqual(await hooks.rcptTo(NOBODY_YET, anybody, HERE), { account: 'you', address: anybody })
})

test('a message is stored for each of its recipients', async () => {
  const { hooks, arrivals } = arrange({ simulateFailures: false })
  const message = messageTo('you+permerror@y.example', 'you@y.example')
  assert.equal(await hooks.message(message, HERE), undefined)
  assert.deepEqual(
    arrivals.map(({ mail }) => mail.envelope.rcptTo),
    ['you+permerror@y.example', 'you@y.example'],
  )
})

test('special addresses fail at their stage and at no other', async () => {
  const rows: readonly (readonly [string, readonly (number | undefined)[]])[] = [
    ['mailfrompermerror@y.example', [550, undefined, undefined]],
    ['rcptto451@y.example', [undefined, 451, undefined]],
    ['you+temperror@y.example', [undefined, undefined, 451]],
    ['you+552@y.example', [undefined, undefined, 552]],
    ['you@y.example', [undefined, undefined, undefined]],
  ]
  for (const [text, [atMail, atRcpt, atData]] of rows) {
    const { hooks, arrivals } = arrange({ simulateFailures: true, catchallAccount: 'you' })
    const address = parseAddress(text)
    assert.equal((await hooks.mailFrom(address, HERE))?.code, atMail, text)
    const answer = await hooks.rcptTo(NOBODY_YET, address, HERE)
    assert.equal('code' in answer ? answer.code : undefined, atRcpt, text)
    assert.equal((await hooks.message(messageTo(text), HERE))?.code, atData, text)
    assert.equal(arrivals.length, atData === undefined ? 1 : 0, text)
  }
})

test('whose data are to fail is alone in a transaction; the others hear that it has too many recipients (RFC 5321 §4.5.3.1.10)', async () => {
  const rows: readonly (readonly [accepted: readonly string[], next: string, code: number | undefined])[] = [
    [['you@y.example'], 'me@y.example', undefined],
    [[], 'you+permerror@y.example', undefined],
    [['you@y.example'], 'you+permerror@y.example', 452],
    [['you+permerror@y.example'], 'you@y.example', 452],
    [['you+permerror@y.example'], 'you+451@y.example', 452],
    [['you@y.example'], 'rcptto+451@y.example', 451],
    [['you@y.example'], 'mailfrom+451@y.example', undefined],
    [['you@y.example'], 'you+600@y.example', undefined],
  ]
  for (const simulateFailures of [true, false]) {
    for (const [accepted, next, code] of rows) {
      const { hooks } = arrange({ simulateFailures, catchallAccount: 'you' })
      const transaction = { recipients: messageTo(...accepted).recipients }
      const answer = await hooks.rcptTo(transaction, parseAddress(next), HERE)
      assert.equal('code' in answer ? answer.code : undefined, simulateFailures ? code : undefined, next)
    }
  }
})

test('special addresses are ordinary ones where failures are not simulated', async () => {
  const { hooks } = arrange({ simulateFailures: false, catchallAccount: 'you' })
  assert.equal(await hooks.mailFrom(parseAddress('mailfrompermerror@y.example'), HERE), undefined)
  assert.ok('account' in (await hooks.rcptTo(NOBODY_YET, parseAddress('rcptto451@y.example'), HERE)))
})

test('a timeout leaves the peer without an answer for an hour, or until it goes', async () => {
  const { hooks, waits } = arrange({ simulateFailures: true })
  const peer = new AbortController()
  assert.equal((await hooks.mailFrom(parseAddress('mailfromtimeout@y.example'), peer.signal))?.code, 451)
  assert.deepEqual(waits, [{ milliseconds: 3_600_000, signal: peer.signal }])
})

function arrange(settings: ReceptionSettings): ObservedReception & { readonly hooks: ReceptionHooks } {
  const observed = observedReception()
  return { ...observed, hooks: receptionHooks(observed.ports, settings) }
}

function messageTo(...recipients: readonly string[]): ReceivedMessage {
  return {
    recipients: recipients.map((text) => ({ account: 'you', address: parseAddress(text) })),
    content: Buffer.from('Subject: hello\r\n\r\nhello\r\n'),
    client: { ipAddress: '127.0.0.1', hello: 'client.example', protocol: 'ESMTP', sessionId: 'session' },
  }
}
