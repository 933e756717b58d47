import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FileSyntaxError, formatCsvRecord, parseCsv } from '../../../shared/suppression/csv.ts'
import {
  csvHeading,
  csvOfSuppression,
  decodeFile,
  readCsvRows,
  readJsonRows,
} from '../../../shared/suppression/suppression-file.ts'

const values = fc.stringMatching(/^['=+@\t"a, \n-]{0,6}$/)

test('CSV that is written is read back as it was (RFC 4180 §2), what looks like a formula too', () => {
  fc.assert(
    fc.property(fc.array(fc.array(values, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (records) => {
      const kept = records.filter((record) => record.some((value) => value.trim() !== ''))
      const read = parseCsv(kept.map(formatCsvRecord).join(''))
      assert.deepEqual(
        read.map((record) => record.values),
        kept,
      )
    }),
    { numRuns: 2000 },
  )
})

const written = [
  { value: 'plain', csv: 'plain' },
  { value: 'a "b", c', csv: '"a ""b"", c"' },
  { value: '=1+1', csv: "'=1+1" },
  { value: '@x', csv: "'@x" },
  { value: '\tx', csv: "'\tx" },
  { value: "'=x", csv: "''=x" },
  { value: "'x", csv: "'x" },
]
for (const { value, csv } of written) {
  test(`${JSON.stringify(value)} is ${csv} in CSV: no spreadsheet runs it`, () => {
    assert.equal(formatCsvRecord([value]), `${csv}\r\n`)
  })
}

const read = [
  {
    why: 'one address a line',
    text: 'a@x.test\nb@x.test\n',
    rows: [{ Address: 'a@x.test' }, { Address: 'b@x.test' }],
  },
  {
    why: 'any line ends, and blank lines',
    text: 'a@x.test\r\n\r\n  \rb@x.test',
    rows: [{ Address: 'a@x.test' }, { Address: 'b@x.test' }],
  },
  { why: 'a quoted local part alone on a line', text: '"a b"@x.test\n', rows: [{ Address: '"a b"@x.test' }] },
  {
    why: 'a heading with the columns in any order',
    text: 'created,Reason,manual,address\n2026-06-01T00:00:00Z,"so, or so",FALSE, a@x.test \n',
    rows: [{ Address: 'a@x.test', Reason: 'so, or so', Manual: false, Created: '2026-06-01T00:00:00Z' }],
  },
  {
    why: 'the heading of other services',
    text: 'status,Email Address\nhard,a@x.test\n',
    rows: [{ Address: 'a@x.test' }],
  },
  { why: 'E-Mail as a heading', text: 'E-Mail\na@x.test\n', rows: [{ Address: 'a@x.test' }] },
  {
    why: 'a heading like a property of objects',
    text: 'constructor,email\nx,a@x.test\n',
    rows: [{ Address: 'a@x.test' }],
  },
  {
    why: 'rows that are short, or long with nothing',
    text: 'email,reason\na@x.test\nb@x.test,,,\n',
    rows: [{ Address: 'a@x.test' }, { Address: 'b@x.test' }],
  },
  { why: 'a row without address', text: 'email,reason\n,why\n', rows: [{ Address: '', Reason: 'why' }] },
  {
    why: 'what is not true or false, to be refused',
    text: 'email,manual\na@x.test,yes\n',
    rows: [{ Address: 'a@x.test', Manual: 'yes' }],
  },
  {
    why: 'a comma too many, to be refused',
    text: 'email,reason\na@x.test,so, or so\n',
    rows: [{ Address: 'a@x.test', Reason: 'so', 'column 3': 'or so' }],
  },
  { why: 'nothing', text: '\n', rows: [] },
]
for (const { why, text, rows } of read) {
  test(`CSV: ${why} is read`, () => {
    assert.deepEqual(
      readCsvRows(text).map(({ value }) => value),
      rows,
    )
  })
}

test('each row knows the line on which it ends, also behind a value of two lines', () => {
  const rows = readCsvRows('email,reason\r\na@x.test,"one\r\ntwo"\r\n\r\nb@x.test,\r\n')
  assert.deepEqual(
    rows.map(({ line }) => line),
    [3, 5],
  )
})

const bad = [
  { text: 'a,b\n1,2\n"open,3\n', message: 'a quoted value after line 2 does not end' },
  {
    text: 'name,phone\nAnn,1\n',
    message:
      'the first line must name a column address, email or originaladdress, or there must be one address a line',
  },
  { text: 'address,email\na@x.test,b@x.test\n', message: 'the first line names two columns for address' },
]
for (const { text, message } of bad) {
  test(`CSV is refused as a whole: ${message}`, () => {
    assert.throws(() => readCsvRows(text), new FileSyntaxError(message))
  })
}

test('JSON must be a list, and its entries are counted from 1', () => {
  assert.deepEqual(readJsonRows('[{"Address":"a@x.test"},7]'), [
    { line: 1, value: { Address: 'a@x.test' } },
    { line: 2, value: 7 },
  ])
  assert.throws(() => readJsonRows('{}'), new FileSyntaxError('must be a list'))
  assert.throws(() => readJsonRows('[1'), new FileSyntaxError('must be JSON'))
})

test('a file is UTF-8, with or without a byte order mark, and nothing else', () => {
  assert.equal(decodeFile(Buffer.from('\ufeffü@x.test')), 'ü@x.test')
  assert.throws(() => decodeFile(Buffer.from('ü@x.test', 'latin1')), new FileSyntaxError('must be UTF-8'))
})

test('an exported entry is a row that imports the same', () => {
  const entry = {
    ID: 7,
    Created: '2026-06-01T00:00:00.000Z',
    Account: 'shop',
    BaseAddress: '""@x.test',
    OriginalAddress: '+a@x.test',
    Manual: false,
    Reason: '-1, "no"',
  }
  const [row] = readCsvRows(csvHeading + csvOfSuppression(entry))
  const { OriginalAddress: Address, Reason, Manual, Created } = entry
  assert.deepEqual(row?.value, { Address, Reason, Manual, Created })
})
