import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dialogue } from '../../../shared/adapters/net/client-dialogue.ts'

test('a transcript has a line for each line, with the time since the beginning, and no control characters', () => {
  const dialogue = new Dialogue()
  dialogue.said('EHLO here.example')
  dialogue.heard('250-mx.example\r\n250 a\x1b[31m\u2028\td')
  assert.deepEqual(withoutTimes(dialogue), ['C: EHLO here.example', 'S: 250-mx.example', 'S: 250 a [31m d'])
  for (const line of linesOf(dialogue)) assert.match(line, /^\d{1,3} [CS]: /)
})

test('of authentication it keeps the mechanism and the end, no credential and no challenge (RFC 4954 §4)', () => {
  const rows: readonly (readonly [exchange: readonly string[], kept: readonly string[]])[] = [
    [
      ['C: AUTH PLAIN AHVzZXIAc2VjcmV0', 'S: 535 5.7.8 no', 'C: QUIT'],
      ['C: AUTH PLAIN ***', 'S: 535 5.7.8 no', 'C: QUIT'],
    ],
    [
      [
        'C: auth LOGIN',
        'S: 334 VXNlcm5hbWU6',
        'C: dXNlcg==',
        'S: 334 UGFzc3dvcmQ6',
        'C: c2VjcmV0',
        'S: 235 in',
      ],
      ['C: auth LOGIN ***', 'S: 334 ***', 'C: ***', 'S: 334 ***', 'C: ***', 'S: 235 in'],
    ],
    [
      ['C: AUTH SCRAM-SHA-256 biwsbj11', 'S: 334 cj0x', 'C: Yz1i', 'S: 235-in\r\n235 now', 'C: MAIL FROM:<>'],
      ['C: AUTH SCRAM-SHA-256 ***', 'S: 334 ***', 'C: ***', 'S: 235-in', 'S: 235 now', 'C: MAIL FROM:<>'],
    ],
  ]
  for (const [exchange, kept] of rows) {
    const dialogue = new Dialogue()
    for (const line of exchange) {
      if (line.startsWith('C: ')) dialogue.said(line.slice(3))
      else dialogue.heard(line.slice(3))
    }
    assert.deepEqual(withoutTimes(dialogue), kept)
  }
})

test('a transcript of more than 4096 characters loses its middle', () => {
  for (const length of [5, 80, 1_500]) {
    const dialogue = new Dialogue()
    for (let at = 0; at < 1_000; at++) dialogue.heard(`250 ${at} ${'x'.repeat(length)}`)
    const lines = linesOf(dialogue)
    assert.ok(`${lines.join('\n')}\n`.length <= 4096)
    assert.ok(`${lines.join('\n')}\n`.length > 3 * 980, 'no more is cut than must be')
    assert.match(lines[0] ?? '', /^\d+ S: 250 0 x/)
    assert.match(lines.at(-1) ?? '', /^\d+ S: 250 999 x/)
    assert.equal(lines.filter((line) => line === '…').length, 1)
  }
})

test('of a server that never stops no more is remembered than 200 lines', () => {
  const dialogue = new Dialogue()
  for (let at = 0; at < 100_000; at++) dialogue.heard('250-')
  const lines = linesOf(dialogue)
  assert.ok(lines.length <= 201)
  assert.equal(lines.filter((line) => line === '…').length, 1)
})

test('a transcript that fits is whole', () => {
  const dialogue = new Dialogue()
  dialogue.said('x'.repeat(1000))
  assert.equal(linesOf(dialogue).length, 1)
  for (let at = 0; at < 3; at++) dialogue.said('x'.repeat(1000))
  assert.ok(!linesOf(dialogue).includes('…'))
})

test('a success keeps no transcript, and where nothing was said there is none', () => {
  const dialogue = new Dialogue()
  assert.deepEqual(dialogue.evidence(false), {})
  dialogue.remote = { host: 'mx.example', ipAddress: '192.0.2.1' }
  dialogue.said('QUIT')
  assert.deepEqual(dialogue.evidence(true), { remote: dialogue.remote })
})

function linesOf(dialogue: Dialogue): readonly string[] {
  return dialogue.evidence(false).transcript ?? []
}

function withoutTimes(dialogue: Dialogue): readonly string[] {
  return linesOf(dialogue).map((line) => line.replace(/^\d+ /, ''))
}
