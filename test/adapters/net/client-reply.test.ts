import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOfReply, parseReply } from '../../../shared/adapters/net/client-reply.ts'

test('a reply has a code, an enhanced code with its class where it gives one, and a text (RFC 5321 §4.2, RFC 3463)', () => {
  const rows: readonly (readonly [string, number, string, string])[] = [
    ['250 2.6.0 queued as 17', 250, '2.6.0', 'queued as 17'],
    ['250 ok', 250, '', 'ok'],
    ['550 5.1.1', 550, '5.1.1', ''],
    ['550', 550, '', ''],
    ['550-5.7.1 first line\n550 5.7.1 last line', 550, '5.7.1', 'first line; last line'],
    ['550-5.7.1 first\r\n550-\r\n550 last', 550, '5.7.1', 'first; last'],
    ['421 4.7.0.1 no enhanced code', 421, '', '4.7.0.1 no enhanced code'],
    ['550 10.0.0.1 is blocked', 550, '', '10.0.0.1 is blocked'],
    ['nonsense', 0, '', 'nonsense'],
  ]
  for (const [reply, code, enhancedCode, text] of rows) {
    assert.deepEqual(parseReply(reply), { code, enhancedCode, text }, reply)
  }
})

test('the text of a reply is one clean line of at most 1000 characters', () => {
  assert.equal(parseReply('550 a\tb\x00\x1b[31mc\x85d\u2028e').text, 'a b [31mc d e')
  assert.equal(parseReply(`550 ${'x'.repeat(2000)}`).text.length, 1000)
  assert.equal(parseReply(`550-${'x'.repeat(600)}\n550 ${'y'.repeat(600)}`).text.length, 1000)
  assert.ok(parseReply(`550 ${'x'.repeat(999)}😀`).text.isWellFormed())
})

test('4xx is temporary, 5xx permanent, 552 to RCPT temporary (RFC 5321 §4.2.1, §4.5.3.1.10)', () => {
  const rows: readonly (readonly [string, 'MAIL' | 'RCPT' | 'DATA', string])[] = [
    ['250 ok', 'DATA', 'accepted'],
    ['451 later', 'MAIL', 'temporary'],
    ['452 4.5.3 too many', 'RCPT', 'temporary'],
    ['552 5.5.3 too many', 'RCPT', 'temporary'],
    ['552 5.3.4 too big', 'DATA', 'permanent'],
    ['552 5.3.4 too big', 'MAIL', 'permanent'],
    ['503 5.5.1 what', 'RCPT', 'permanent'],
    ['354 go on', 'DATA', 'temporary'],
    ['nonsense', 'DATA', 'temporary'],
  ]
  for (const [reply, command, kind] of rows) assert.equal(outcomeOfReply(reply, command).kind, kind, reply)
})
