import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DotStuffedData } from '../../../shared/smtp/dot-stuffed-data.ts'
import { LineEnds } from '../../../shared/smtp/line-ends.ts'

interface Read {
  readonly content: string
  readonly rest: string
  readonly isDone: boolean
  readonly hasBareLineEnd: boolean
}

const rows: readonly (readonly [wire: string, content: string, rest: string])[] = [
  ['.\r\n', '', ''],
  ['.\r\nQUIT\r\n', '', 'QUIT\r\n'],
  ['a\r\n.\r\n', 'a\r\n', ''],
  ['..\r\n.\r\n', '.\r\n', ''],
  ['.a\r\n.\r\n', 'a\r\n', ''],
  ['...\r\n\r\n.\r\n', '..\r\n\r\n', ''],
  ['a.\r\n.b\r\n..c\r\n.\r\nx', 'a.\r\nb\r\n.c\r\n', 'x'],
]

for (const [wire, content, rest] of rows) {
  test(`${JSON.stringify(wire)} holds ${JSON.stringify(content)} (RFC 5321 §4.5.2)`, () => {
    const whole = { content, rest, isDone: true, hasBareLineEnd: false }
    assert.deepEqual(read([wire]), whole)
    assert.deepEqual(read([...wire]), whole, 'octet by octet')
  })
}

const bare = [
  'a\n.\n',
  'a\n.\r\n',
  'a\r.\r\n',
  'a\r\n.\n',
  'a\r\n.\r',
  'a\r\n.\ra',
  '\n',
  '\r\r\n',
  'a\rb',
  '.\n',
]

for (const wire of bare) {
  test(`${JSON.stringify(wire)} ends nothing, and its bare CR or LF is noted before CRLF.CRLF (RFC 5321 §2.3.8)`, () => {
    for (const pieces of [
      [wire, '\r\n.\r\nrest'],
      [...`${wire}\r\n.\r\n`, 'rest'],
    ]) {
      const { rest, isDone, hasBareLineEnd } = read(pieces)
      assert.deepEqual({ rest, isDone, hasBareLineEnd }, { rest: 'rest', isDone: true, hasBareLineEnd: true })
    }
  })
}

const text = fc.array(fc.constantFrom('\r', '\n', '\r\n', '.', 'a', '\r\n.'), { maxLength: 20 })

test('whatever was stuffed comes out again, however it is cut (RFC 5321 §4.5.2)', () => {
  const lines = fc.array(fc.constantFrom('', '.', '..', 'a', '.a', 'a.'), { maxLength: 10 })
  fc.assert(
    fc.property(lines, fc.infiniteStream(fc.integer({ min: 1, max: 4 })), (content, cuts) => {
      const plain = content.map((line) => `${line}\r\n`).join('')
      const stuffed = content.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')
      const expected = { content: plain, rest: 'NOOP', isDone: true, hasBareLineEnd: false }
      assert.deepEqual(read(cut(`${stuffed}.\r\nNOOP`, cuts)), expected)
    }),
  )
})

test('a bare CR or LF is found whether the content comes with dots or in chunks', () => {
  fc.assert(
    fc.property(text, fc.infiniteStream(fc.integer({ min: 1, max: 4 })), (parts, cuts) => {
      const content = parts.join('')
      const isBare = /\r(?!\n)|(?<!\r)\n/.test(content)
      const ends = new LineEnds()
      for (const piece of cut(content, cuts)) ends.read(Buffer.from(piece))
      assert.equal(ends.hasBare(true), isBare)
      assert.equal(ends.hasBare(false), /\r(?!\n|$)|(?<!\r)\n/.test(content))
    }),
  )
})

function cut(whole: string, cuts: Iterable<number>): readonly string[] {
  const pieces: string[] = []
  let at = 0
  for (const length of cuts) {
    if (at >= whole.length) break
    pieces.push(whole.slice(at, at + length))
    at += length
  }
  return pieces
}

function read(pieces: readonly string[]): Read {
  const data = new DotStuffedData()
  let content = ''
  let rest = ''
  let isDone = false
  for (const piece of pieces) {
    const bytes = Buffer.from(piece)
    if (isDone) {
      rest += piece
      continue
    }
    const part = data.read(bytes)
    content += String(part.content)
    rest += String(bytes.subarray(part.taken))
    isDone = part.isDone
  }
  return { content, rest, isDone, hasBareLineEnd: data.hasBareLineEnd }
}
