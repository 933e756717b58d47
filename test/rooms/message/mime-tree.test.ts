import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodePart, type MimePart, partAt, readMimeTree } from '../../../shared/message/mime-tree.ts'

const crlf = (...lines: string[]) => Buffer.from(lines.join('\r\n'))
const bodyOf = (bytes: Uint8Array, part: MimePart | undefined) => {
  assert.ok(part)
  return Buffer.from(bytes.subarray(part.body.start, part.body.end)).toString('latin1')
}
const decoded = (bytes: Uint8Array, part: MimePart | undefined) => {
  assert.ok(part)
  return Buffer.from(decodePart(bytes, part)).toString('latin1')
}
/** `multipart/mixed(text/plain text/html)` */
const shape = (part: MimePart): string =>
  part.parts.length === 0 ? part.contentType : `${part.contentType}(${part.parts.map(shape).join(' ')})`
const everyPart = (part: MimePart): MimePart[] => [part, ...part.parts.flatMap(everyPart)]

const nested = crlf(
  'Content-Type: multipart/mixed; boundary=outer',
  '',
  'preamble',
  '--outer',
  'Content-Type: multipart/alternative; boundary="in ner"',
  '',
  '--in ner',
  '',
  'plain',
  '--in ner',
  'Content-Type: TEXT/Html; charset=UTF-8',
  'Content-Transfer-Encoding: Quoted-Printable',
  '',
  'a=3Db',
  '--in ner-- \t',
  'epilogue of the inner',
  '--outer',
  'Content-Type: application/pdf',
  'Content-Transfer-Encoding: base64',
  'Content-ID: <a@b>',
  'Content-Disposition: ATTACHMENT; filename="x.pdf"',
  '',
  'JVBERg==',
  '--outer--',
  'epilogue',
  '--outer',
  '',
  'behind the end',
)

test('reads nested multiparts, preamble and epilogue (RFC 2046 §5.1)', () => {
  const tree = readMimeTree(nested)
  assert.equal(shape(tree), 'multipart/mixed(multipart/alternative(text/plain text/html) application/pdf)')
  assert.equal(bodyOf(nested, partAt(tree, [0, 0])), 'plain')
  assert.equal(decoded(nested, partAt(tree, [0, 1])), 'a=b')
  assert.equal(decoded(nested, partAt(tree, [1])), '%PDF')
  assert.match(bodyOf(nested, partAt(tree, [0])), /^--in ner[\s\S]*epilogue of the inner$/)
  assert.match(bodyOf(nested, tree), /^preamble[\s\S]*behind the end$/)
})

test('tells what a part is', () => {
  const { header, body, parts, ...fields } = partAt(readMimeTree(nested), [1]) ?? assert.fail()
  assert.deepEqual(fields, {
    contentType: 'application/pdf',
    contentTypeParams: {},
    contentId: '<a@b>',
    contentDisposition: 'attachment',
    filename: 'x.pdf',
    transferEncoding: 'base64',
    decodedSize: 4,
  })
  assert.match(
    nested.toString('latin1', header.start, header.end),
    /^Content-Type: application.*"x.pdf"\r\n$/s,
  )
  assert.equal(parts.length, 0)
  assert.ok(body.start === header.end + 2)
})

test('reads the same tree when lines end in LF', () => {
  const bytes = Buffer.from(nested.toString().replaceAll('\r\n', '\n'))
  const withoutPlace = (part: MimePart): unknown => {
    const { header, body, parts, ...fields } = part
    return [fields, parts.map(withoutPlace)]
  }
  assert.deepEqual(withoutPlace(readMimeTree(bytes)), withoutPlace(readMimeTree(nested)))
})

test('is plain JSON', () => {
  const tree = readMimeTree(nested)
  assert.deepEqual(JSON.parse(JSON.stringify(tree)), tree)
})

test('takes what is there when the final delimiter is missing', () => {
  const bytes = crlf('Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'one', '--b', '', 'two', '')
  const tree = readMimeTree(bytes)
  assert.deepEqual(
    tree.parts.map((part) => bodyOf(bytes, part)),
    ['one', 'two\r\n'],
  )
})

test('ends all inner parts at a delimiter of an outer multipart (RFC 2046 §5.1.2)', () => {
  const bytes = crlf(
    'Content-Type: multipart/mixed; boundary=a',
    '',
    '--a',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/html',
    '--a',
    '',
    'two',
    '--a--',
  )
  const tree = readMimeTree(bytes)
  assert.equal(shape(tree), 'multipart/mixed(multipart/mixed(text/html) text/plain)')
  assert.equal(bodyOf(bytes, partAt(tree, [0, 0])), '')
  assert.equal(bodyOf(bytes, partAt(tree, [1])), 'two')
})

test('takes only whole lines for delimiters', () => {
  const lines = ['--bb', '--b-', ' --b', '-b', '--B', 'x--b']
  const bytes = crlf('Content-Type: multipart/mixed; boundary=b', '', '--b', '', ...lines, '--b--')
  const tree = readMimeTree(bytes)
  assert.equal(tree.parts.length, 1)
  assert.equal(bodyOf(bytes, tree.parts[0]), lines.join('\r\n'))
})

test('does not descend into message/rfc822', () => {
  const bytes = crlf(
    'Content-Type: message/rfc822',
    '',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    '',
    '--b--',
  )
  assert.equal(shape(readMimeTree(bytes)), 'message/rfc822')
})

test('takes the parts of a digest for messages (RFC 2046 §5.1.5)', () => {
  const bytes = crlf('Content-Type: multipart/digest; boundary=b', '', '--b', '', 'Subject: x', '', '--b--')
  assert.equal(shape(readMimeTree(bytes)), 'multipart/digest(message/rfc822)')
})

const types = [
  { rule: 'a missing Content-Type', field: 'X: y', type: 'text/plain' },
  { rule: 'a malformed Content-Type (RFC 2045 §5.2)', field: 'Content-Type: text', type: 'text/plain' },
  { rule: 'an empty Content-Type', field: 'Content-Type:', type: 'text/plain' },
  {
    rule: 'a Content-Type with spaces and comment',
    field: 'Content-Type: Image / PNG (x)',
    type: 'image/png',
  },
  {
    rule: 'a folded Content-Type',
    field: 'Content-Type:\r\n\tapplication/x-y;\r\n a=b',
    type: 'application/x-y',
  },
  { rule: 'the first Content-Type', field: 'Content-Type: a/b\r\nContent-Type: c/d', type: 'a/b' },
  { rule: 'a multipart without boundary', field: 'Content-Type: multipart/mixed', type: 'multipart/mixed' },
]
for (const { rule, field, type } of types) {
  test(`reads ${rule} as ${type}`, () => {
    assert.equal(shape(readMimeTree(crlf(field, '', '--', 'x'))), type)
  })
}

const filenames = [
  {
    rule: 'Content-Disposition',
    fields: ['Content-Disposition: inline; filename=a', 'Content-Type: a/b; name=b'],
    filename: 'a',
  },
  {
    rule: 'Content-Type',
    fields: ['Content-Disposition: inline', 'Content-Type: a/b; name="b c"'],
    filename: 'b c',
  },
  {
    rule: 'RFC 2231',
    fields: ["Content-Disposition: attachment; filename*=utf-8''%e2%98%ba.txt"],
    filename: '☺.txt',
  },
  {
    rule: 'encoded words',
    fields: ['Content-Type: a/b; name="=?iso-8859-1?q?=FC.txt?="'],
    filename: 'ü.txt',
  },
  { rule: 'raw UTF-8', fields: ['Content-Type: a/b; name="ü"'], filename: 'ü' },
  { rule: 'a broken encoded word', fields: ['Content-Type: a/b; name="=?x"'], filename: '=?x' },
]
for (const { rule, fields, filename } of filenames) {
  test(`reads a file name from ${rule}`, () => {
    assert.equal(readMimeTree(crlf(...fields, '', '')).filename, filename)
  })
}

const contents = [
  { rule: 'text with CRLF', fields: ['Content-Type: text/plain'], body: 'a\nb\r\nc', content: 'a\r\nb\r\nc' },
  {
    rule: 'base64 text with CRLF',
    fields: ['Content-Type: text/plain', 'Content-Transfer-Encoding: base64'],
    body: 'YQpi',
    content: 'a\r\nb',
  },
  {
    rule: 'other base64 as it is',
    fields: ['Content-Type: a/b', 'Content-Transfer-Encoding: BASE64 (x)'],
    body: 'YQpi',
    content: 'a\nb',
  },
  {
    rule: 'other quoted-printable octets as they are',
    fields: ['Content-Type: a/b', 'Content-Transfer-Encoding: quoted-printable'],
    body: 'a=0Ab',
    content: 'a\nb',
  },
  {
    rule: 'binary octets as they are',
    fields: ['Content-Type: a/b', 'Content-Transfer-Encoding: binary'],
    body: 'a\nb',
    content: 'a\nb',
  },
  {
    rule: 'an unknown transfer encoding as it is',
    fields: ['Content-Transfer-Encoding: x-uuencode'],
    body: 'begin',
    content: 'begin',
  },
  {
    rule: 'a multipart, which cannot be encoded, as it is',
    fields: ['Content-Type: multipart/mixed', 'Content-Transfer-Encoding: base64'],
    body: 'YQ==',
    content: 'YQ==',
  },
]
for (const { rule, fields, body, content } of contents) {
  test(`decodes ${rule} and knows its size`, () => {
    const bytes = crlf(...fields, '', body)
    const tree = readMimeTree(bytes)
    assert.equal(decoded(bytes, tree), content)
    assert.equal(tree.decodedSize, content.length)
  })
}

test('gives a multipart the size 0, as mox does', () => {
  assert.equal(readMimeTree(nested).decodedSize, 0)
})

test('finds parts by zero-based indices', () => {
  const tree = readMimeTree(nested)
  assert.equal(partAt(tree, []), tree)
  assert.equal(partAt(tree, [0, 1])?.contentType, 'text/html')
  for (const path of [[2], [0, 0, 0], [-1], [0.5]]) assert.equal(partAt(tree, path), undefined)
})

test('reads a header section without body, and a body without header section', () => {
  assert.deepEqual(readMimeTree(Buffer.from('A: b')).body, { start: 4, end: 4 })
  assert.deepEqual(readMimeTree(Buffer.from('\r\nbody')).body, { start: 2, end: 6 })
  assert.deepEqual(readMimeTree(Buffer.alloc(0)).body, { start: 0, end: 0 })
})

test('ends a header section at 1 MiB', () => {
  const line = `X: ${'y'.repeat(995)}\r\n`
  const tree = readMimeTree(Buffer.from(line.repeat(2000)))
  assert.equal(tree.header.end, 1048 * 1000)
  assert.equal(tree.body.start, tree.header.end)
})

test('does not descend deeper than 20 multiparts, in linear time', () => {
  const depth = 2000
  const lines = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\n\n--b${level}\n`,
  )
  const bytes = Buffer.from(`${lines.join('')}\n${'x\n'.repeat(1_000_000)}`)
  const startedAt = performance.now()
  const parts = everyPart(readMimeTree(bytes))
  assert.ok(performance.now() - startedAt < 3000)
  assert.equal(parts.length, 21)
  assert.deepEqual(parts.at(-1)?.contentType, 'multipart/mixed')
  assert.equal(parts.at(-1)?.body.end, bytes.length)
})

test('takes what follows 999 parts as the last one, in linear time', () => {
  const bytes = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(50_000)}--b--\r\n`,
  )
  const startedAt = performance.now()
  const tree = readMimeTree(bytes)
  assert.ok(performance.now() - startedAt < 1000)
  const last = tree.parts.at(-1)
  assert.equal(everyPart(tree).length, 1000)
  assert.equal(last?.contentType, 'application/octet-stream')
  assert.equal(last?.body.end, bytes.length)
})

test('is not slowed down by lines that look like delimiters', () => {
  const header = Array.from(
    { length: 20 },
    (_, level) => `Content-Type: multipart/mixed; boundary=b${level}\n\n--b${level}\n`,
  )
  const bytes = Buffer.from(`${header.join('')}\n${`--${' '.repeat(190)}x\n--b\n`.repeat(20_000)}`)
  const startedAt = performance.now()
  readMimeTree(bytes)
  assert.ok(performance.now() - startedAt < 2000)
})

const fragments = fc.constantFrom(
  'Content-Type: multipart/mixed; boundary=a',
  'Content-Type: multipart/mixed; boundary=b',
  'Content-Type: text/plain',
  'Content-Type: message/rfc822',
  'Content-Transfer-Encoding: base64',
  'Content-Transfer-Encoding: quoted-printable',
  '--a',
  '--a--',
  '--b',
  '--b--',
  '',
  '\r\n',
  '\n',
  '\r\n\r\n',
  'x',
  '=',
  '\r',
  '\n\n',
)

test('an empty part whose delimiter is followed by that of its grandparent lies within its parent', () => {
  const lines = ['--a', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '--a']
  const bytes = Buffer.from(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${lines.join('\r\n')}`)
  const [parent] = readMimeTree(bytes).parts
  const [empty] = parent?.parts ?? []
  assert.ok(parent && empty && empty.body.end <= parent.body.end)
  assert.equal(decodePart(bytes, empty).length, 0)
})

test('for any bytes parts lie in their order within their parent, and sizes are those of the content', () => {
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 60 }), fc.constantFrom('\r\n', '\n'), (drawn, lineBreak) => {
      const bytes = Buffer.from(`Content-Type: multipart/mixed; boundary=a\r\n\r\n${drawn.join(lineBreak)}`)
      for (const part of everyPart(readMimeTree(bytes))) {
        const size = part.parts.length > 0 ? 0 : decodePart(bytes, part).length
        assert.equal(part.decodedSize, size)
        const edges = part.parts.flatMap(({ header, body }) => [
          header.start,
          header.end,
          body.start,
          body.end,
        ])
        const all = [part.header.start, part.header.end, part.body.start, ...edges, part.body.end]
        assert.deepEqual(
          all,
          all.toSorted((a, b) => a - b),
        )
      }
    }),
    { numRuns: 2000 },
  )
})
