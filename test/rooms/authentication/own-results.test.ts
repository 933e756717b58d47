import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutOwnResults } from '../../../shared/authentication/own-results.ts'

const cases: readonly (readonly [rule: string, field: string, isOurs: boolean])[] = [
  ['our name', 'Authentication-Results: mx.postern.example; spf=pass smtp.mailfrom=x.example\r\n', true],
  ['in other case', 'AUTHENTICATION-RESULTS: MX.Postern.Example; none\r\n', true],
  ['folded', 'Authentication-Results:\r\n\tmx.postern.example;\r\n\tspf=pass\r\n', true],
  ['behind a comment', 'Authentication-Results: (a (b) ") mx.postern.example; none\r\n', true],
  ['quoted', 'Authentication-Results: "mx.postern.ex\\ample"; none\r\n', true],
  ['with a version', 'Authentication-Results: mx.postern.example 1; none\r\n', true],
  ['with a space before the colon', 'Authentication-Results : mx.postern.example; none\r\n', true],
  ['with a final dot', 'Authentication-Results: mx.postern.example.; none\r\n', true],
  [
    'behind much white space',
    `Authentication-Results: ${' '.repeat(3000)}mx.postern.example; none\r\n`,
    true,
  ],
  [
    'behind a long comment',
    `Authentication-Results: (${'a'.repeat(3000)}) mx.postern.example; none\r\n`,
    true,
  ],
  ['across what is read', `Authentication-Results: ${' '.repeat(1970)}mx.postern.example; none\r\n`, true],
  ['of another server with much to say', `Authentication-Results: a.example; ${'x'.repeat(3000)}\r\n`, false],
  ['of another server', 'Authentication-Results: mx.remote.example; spf=pass\r\n', false],
  [
    'of another server that names ours',
    'Authentication-Results: remote.example; mx.postern.example\r\n',
    false,
  ],
  [
    'of a name that only begins so',
    'Authentication-Results: mx.postern.example.evil.example; none\r\n',
    false,
  ],
  ['of nobody', 'Authentication-Results: ;\r\n', false],
  ['another field', 'X-Authentication-Results: mx.postern.example; none\r\n', false],
]
for (const [rule, field, isOurs] of cases) {
  test(`Authentication-Results ${rule}: ${isOurs ? 'forged, taken out' : 'stays'} (RFC 8601 §5)`, () => {
    const before = `Subject: a\r\n${field}From: a@y.example\r\n${field}`
    const body = `\r\n${field}\u00fc\r\n`
    const left = Buffer.from(withoutOwnResults(Buffer.from(before + body), 'mx.postern.example')).toString()
    assert.equal(left, isOurs ? `Subject: a\r\nFrom: a@y.example\r\n${body}` : before + body)
  })
}

test('a message without such a field is not copied', () => {
  const message = Buffer.from('Subject: a\r\n\r\nhello')
  assert.equal(withoutOwnResults(message, 'mx.postern.example'), message)
})
