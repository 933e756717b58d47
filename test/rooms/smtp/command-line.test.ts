import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeLine } from '../../../shared/smtp/command-line.ts'
import { replyLines } from '../../../shared/smtp/reply.ts'

const rows: readonly (readonly [unread: string, expected: string | undefined, taken: number])[] = [
  ['', undefined, 0],
  ['NOOP', undefined, 0],
  ['NOOP\r', undefined, 0],
  ['NOOP\r\nQUIT\r\n', 'NOOP', 6],
  ['\r\n', '', 2],
  ['NOOP ü\r\n', 'NOOP ü', 9],
  ['NOOP\nQUIT\r\n', '500 more', 5],
  ['\n', '500 more', 1],
  ['NOOP\rQUIT\r\n', '500 more', 11],
  ['NOOP\t\r\n', '500 more', 7],
  [`${'x'.repeat(98)}\r\nQ`, 'x'.repeat(98), 100],
  [`${'x'.repeat(99)}\r\nQ`, '500 last', 102],
  ['x'.repeat(100), undefined, 0],
  ['x'.repeat(101), '500 last', 101],
  [`AUTH ${'x'.repeat(12_281)}\r\n`, `AUTH ${'x'.repeat(12_281)}`, 12_288],
  [`auth ${'x'.repeat(12_282)}\r\n`, '500 last', 12_289],
  ['\x16\x03', '500 last', 2],
]

for (const [unread, expected, taken] of rows) {
  test(`${JSON.stringify(unread.slice(0, 20))} (${unread.length} octets) is ${expected?.slice(0, 20) ?? 'not a line yet'} (RFC 5321 §2.3.8, §4.5.3.1.4)`, () => {
    const read = takeLine(Buffer.from(unread), 100)
    const { result } = read
    const found =
      result && ('text' in result ? result.text : `${result.refusal.code} ${result.isLast ? 'last' : 'more'}`)
    assert.deepEqual([found, read.taken], [expected, taken])
  })
}

test('octets that are not UTF-8 are no command (RFC 6531 §3.2)', () => {
  const { result } = takeLine(Buffer.from('NOOP \xff\r\n', 'latin1'), 100)
  assert.ok(result && 'refusal' in result)
})

test('each line of a reply has the enhanced code, and nothing that could end it (RFC 2034 §4)', () => {
  const lines = replyLines({ code: 550, enhancedCode: '5.1.1', text: ['a\r\n250 b', 'c'.repeat(600)] })
  assert.deepEqual(lines, ['5.1.1 a  250 b', `5.1.1 ${'c'.repeat(490)}`])
})
