import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readMessageFields, referencesWithInReplyTo } from '../../../shared/message/message-fields.ts'

const read = (...lines: string[]) =>
  readMessageFields(Buffer.from([...lines, '', 'Subject: body'].join('\r\n')))

test('reads every field of a message', () => {
  const fields = read(
    'From: Ann <ann@remote.example>',
    'To: b@x.example, "C, c" <c@x.example>',
    'Cc: d@x.example',
    'Bcc: e@x.example',
    'Reply-To: f@x.example',
    'Subject: =?utf-8?q?h=C3=A9llo?= =?utf-8?b?d8O2cmxk?=',
    'Message-ID:  <M1@Remote.example> ',
    'In-Reply-To: <Parent@x.example>',
    'References: <a@x.example>',
    '\t<Parent@x.example>',
    'Date: Wed, 4 Nov 2026 12:34:56 +0100',
  )
  assert.deepEqual(fields, {
    from: [{ name: 'Ann', address: 'ann@remote.example' }],
    to: [
      { name: '', address: 'b@x.example' },
      { name: 'C, c', address: 'c@x.example' },
    ],
    cc: [{ name: '', address: 'd@x.example' }],
    bcc: [{ name: '', address: 'e@x.example' }],
    replyTo: [{ name: '', address: 'f@x.example' }],
    subject: 'héllowörld',
    messageId: '<M1@Remote.example>',
    inReplyTo: '<Parent@x.example>',
    references: ['<a@x.example>', '<Parent@x.example>'],
    date: Date.UTC(2026, 10, 4, 11, 34, 56),
    automated: false,
  })
})

test('leaves out a date that is none, and is empty for an empty message', () => {
  const none = {
    from: [],
    to: [],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: '',
    messageId: '',
    inReplyTo: '',
    references: [],
  }
  assert.deepEqual(readMessageFields(Buffer.alloc(0)), { ...none, automated: false })
  assert.deepEqual(read('Date: soon'), { ...none, automated: false })
})

const addresses = [
  {
    rule: 'an encoded name with a comma',
    value: '=?utf-8?q?D=C3=B6e=2C_J?= <j@x.example>',
    read: [['Döe, J', 'j@x.example']],
  },
  {
    rule: 'an encoded name in quotes',
    value: '"=?utf-8?q?D=C3=B6e?=" <j@x.example>',
    read: [['Döe', 'j@x.example']],
  },
  { rule: 'a name in raw UTF-8', value: 'Döe <j@x.example>', read: [['Döe', 'j@x.example']] },
  { rule: 'a comment as name', value: 'j@x.example (J)', read: [['J', 'j@x.example']] },
  { rule: 'A-labels as Unicode', value: 'j@XN--BCHER-KVA.example', read: [['', 'j@bücher.example']] },
  { rule: 'a quoted local part', value: '"a b"@x.example', read: [['', '"a b"@x.example']] },
  {
    rule: 'a group, flattened',
    value: 'G: a@x.example, B <b@x.example>;, c@x.example',
    read: [
      ['', 'a@x.example'],
      ['B', 'b@x.example'],
      ['', 'c@x.example'],
    ],
  },
  { rule: 'an empty group', value: 'undisclosed-recipients:;', read: [] },
  { rule: 'a name without address', value: 'John Doe', read: [['John Doe', '']] },
  { rule: 'an address that is none', value: '<a@b@c..d>', read: [['', 'a@b@c..d']] },
  {
    rule: 'no line break from an encoded word',
    value: '=?utf-8?q?a=0D=0ABcc=3A_x?= <j@x.example>',
    read: [['a Bcc: x', 'j@x.example']],
  },
]
for (const { rule, value, read: expected } of addresses) {
  test(`reads from an address field ${rule}`, () => {
    assert.deepEqual(
      read(`To: ${value}`).to.map(({ name, address }) => [name, address]),
      expected,
    )
  })
}

test('takes the first of a repeated field', () => {
  assert.equal(read('Subject: a', 'subject: b').subject, 'a')
})

test('reads 8-bit text as UTF-8 or else as ISO 8859-1', () => {
  assert.equal(read('Subject: ü').subject, 'ü')
  assert.equal(readMessageFields(Buffer.from('Subject: \xfc\n', 'latin1')).subject, 'ü')
})

test('keeps order and case of References and drops broken ones', () => {
  const { references } = read('References: <B@x> junk <a @x> <c@x><D@X> <e@x')
  assert.deepEqual(references, ['<B@x>', '<c@x>', '<D@X>'])
})

const threads = [
  {
    rule: 'puts In-Reply-To first if it is not among them',
    references: '<a@x>',
    inReplyTo: '<p@x>',
    all: ['<p@x>', '<a@x>'],
  },
  {
    rule: 'leaves them when In-Reply-To is among them',
    references: '<p@x> <a@x>',
    inReplyTo: '<p@x>',
    all: ['<p@x>', '<a@x>'],
  },
  {
    rule: 'ignores an In-Reply-To without id',
    references: '<a@x>',
    inReplyTo: 'your message',
    all: ['<a@x>'],
  },
]
for (const { rule, references, inReplyTo, all } of threads) {
  test(`References of MessageGet: ${rule}`, () => {
    assert.deepEqual(
      referencesWithInReplyTo(read(`References: ${references}`, `In-Reply-To: ${inReplyTo}`)),
      all,
    )
  })
}

const automated = [
  { field: 'List-Id: x', is: true },
  { field: 'List-Unsubscribe: <mailto:x@x.example>', is: true },
  { field: 'List-Unsubscribe-Post: List-Unsubscribe=One-Click', is: true },
  { field: 'Precedence: bulk', is: true },
  { field: 'Precedence: ', is: false },
  { field: 'Auto-Submitted: auto-replied (vacation)', is: true },
  { field: 'Auto-Submitted: NO', is: false },
  { field: 'Auto-Submitted: no (by hand); x=y', is: false },
  { field: 'Auto-Submitted:', is: false },
  { field: 'Content-Type: Multipart/Report; boundary=b', is: true },
  { field: 'Content-Type: multipart/mixed; boundary=b', is: false },
  { field: 'X-List-Id: x', is: false },
]
for (const { field, is } of automated) {
  test(`takes a message with "${field}" for ${is ? 'automated' : 'written by a person'}`, () => {
    assert.equal(read(field).automated, is)
  })
}

test('reads whatever bytes there are, without throwing and without control characters', () => {
  const bytes = fc.array(
    fc.constantFrom(
      'From: ',
      'To: ',
      'Subject: ',
      'References: ',
      'Date: ',
      '=?utf-8?',
      'b?',
      'q?',
      '?=',
      '=?x?q?=FF?=',
      '<',
      '>',
      '@',
      '"',
      '(',
      ')',
      '\\',
      ',',
      ';',
      ':',
      '=1B',
      '\0',
      '\xff',
      '\r\n',
      '\n ',
      'a',
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(bytes, (drawn) => {
      const { subject, from, to } = readMessageFields(Buffer.from(drawn.join(''), 'latin1'))
      for (const text of [subject, ...[...from, ...to].flatMap(({ name, address }) => [name, address])]) {
        assert.doesNotMatch(text, /[\x00-\x1f\x7f]/)
      }
    }),
    { numRuns: 1000 },
  )
})

test('reads a hostile header section of 1 MiB in linear time', () => {
  const startedAt = performance.now()
  for (const unit of ['a@x.example,', '<', '(', '"', '=?utf-8?q?a?= ', '\r\n x', '\\']) {
    for (const field of ['From: ', 'Subject: ', 'References: ', 'Date: ', 'Content-Type: ']) {
      readMessageFields(Buffer.from(field + unit.repeat(200_000 / unit.length)))
    }
  }
  assert.ok(performance.now() - startedAt < 5000)
})
