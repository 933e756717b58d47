import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseParameterized, stripComments } from '../../../shared/message/structured-field.ts'

interface Case {
  readonly rule: string
  readonly body: string
  readonly value: string
  readonly params: Readonly<Record<string, string>>
}

const cases: readonly Case[] = [
  { rule: 'a value alone', body: 'text/plain', value: 'text/plain', params: {} },
  {
    rule: 'keys in lower case, values as written',
    body: 'a/b; CharSet=UTF-8',
    value: 'a/b',
    params: { charset: 'UTF-8' },
  },
  {
    rule: 'quoted strings with quoted pairs',
    body: 'a/b; n="x; \\"y\\" \\\\"',
    value: 'a/b',
    params: { n: 'x; "y" \\' },
  },
  {
    rule: 'comments (RFC 2045 §5.1)',
    body: 'a/b (c; d=e); charset=us-ascii (Plain (old) text)',
    value: 'a/b',
    params: { charset: 'us-ascii' },
  },
  {
    rule: 'parentheses in quoted strings',
    body: 'a/b; name="x (1).pdf"',
    value: 'a/b',
    params: { name: 'x (1).pdf' },
  },
  { rule: 'the first of two with the same name', body: 'a/b; x=1; X=2', value: 'a/b', params: { x: '1' } },
  {
    rule: 'white space around everything',
    body: ' a/b ;\t x = 1 ; y ="2" ',
    value: 'a/b',
    params: { x: '1', y: '2' },
  },
  { rule: 'a quoted string without an end', body: 'a/b; x="1', value: 'a/b', params: { x: '1' } },
  {
    rule: 'junk behind a quoted string',
    body: 'a/b; x="1"junk; y=2',
    value: 'a/b',
    params: { x: '1', y: '2' },
  },
  {
    rule: 'a name without a value, which is skipped',
    body: 'a/b; flag; y=2',
    value: 'a/b',
    params: { y: '2' },
  },
  {
    rule: 'continuations in any order (RFC 2231 §3)',
    body: 'a/b; n*1="b"; n*0=a; n*2=c',
    value: 'a/b',
    params: { n: 'abc' },
  },
  {
    rule: 'a charset (RFC 2231 §4)',
    body: "a/b; n*=iso-8859-1'de'%fc%20x",
    value: 'a/b',
    params: { n: 'ü x' },
  },
  {
    rule: 'a charset over continuations, a character cut in two (RFC 2231 §4.1)',
    body: 'a/b; n*0*=utf-8\'\'%e2%82; n*1*=%ac%20; n*2="%20"',
    value: 'a/b',
    params: { n: '€ %20' },
  },
  {
    rule: 'the extended form before the plain one',
    body: "a/b; n*=utf-8''%c3%bc; n=u",
    value: 'a/b',
    params: { n: 'ü' },
  },
  { rule: 'an unknown charset as UTF-8', body: "a/b; n*=x-none''%c3%bc", value: 'a/b', params: { n: 'ü' } },
  {
    rule: 'no __proto__',
    body: 'a/b; __proto__=x; constructor=y',
    value: 'a/b',
    params: { constructor: 'y' },
  },
]

for (const { rule, body, value, params } of cases) {
  test(`reads ${rule}`, () => {
    const read = parseParameterized(body)
    assert.deepEqual([read.value, Object.entries(read.params)], [value, Object.entries(params)])
  })
}

test('keeps escaped parentheses out of the nesting of comments (RFC 5322 §3.2.2)', () => {
  assert.equal(stripComments('a(b\\)c(d)e)f'), 'af')
})

test('reads a hostile field in linear time', () => {
  const bodies = [
    ';a*0=x'.repeat(1e5),
    '('.repeat(1e6),
    ';"\\'.repeat(1e5),
    `a/b;${' '.repeat(1e6)}x`,
    "a/b; n*='".repeat(1e5),
  ]
  const startedAt = performance.now()
  for (const body of bodies) parseParameterized(body)
  assert.ok(performance.now() - startedAt < 1000)
})
