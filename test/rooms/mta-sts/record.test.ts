import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStsRecord, type StsRecord } from '../../../shared/mta-sts/record.ts'

const rows: readonly (readonly [text: string, expected: StsRecord | 'malformed' | undefined])[] = [
  ['v=STSv1; id=20160831085700Z', { id: '20160831085700Z' }],
  ['v=STSv1; id=20160831085700Z;', { id: '20160831085700Z' }],
  ['v=STSv1;id=1', { id: '1' }],
  ['v=STSv1 \t;\t id=1 ; ', { id: '1' }],
  ['v=STSv1; id=1; ext=a:b', { id: '1' }],
  ['v=STSv1; ext.a_-1=<>; id=1', { id: '1' }],
  [`v=STSv1; id=${'a'.repeat(32)}; ${'n'.repeat(32)}=x`, { id: 'a'.repeat(32) }],
  ['v=STSv1; id=1; id=2', { id: '1' }],
  ['v=STSv1; id=', 'malformed'],
  [`v=STSv1; id=${'a'.repeat(33)}`, 'malformed'],
  ['v=STSv1; id=1-2', 'malformed'],
  ['v=STSv1; id=1 2', 'malformed'],
  ['v=STSv1; id=1; ID', 'malformed'],
  ['v=STSv1; ID=1', 'malformed'],
  ['v=STSv1;', 'malformed'],
  ['v=STSv1; ext=1', 'malformed'],
  ['v=STSv1; id=1;;', 'malformed'],
  ['v=STSv1;; id=1', 'malformed'],
  ['v=STSv1; id =1', 'malformed'],
  ['v=STSv1; id=1; ext=', 'malformed'],
  ['v=STSv1; id=1; =x', 'malformed'],
  ['v=STSv1; id=1; _e=x', 'malformed'],
  [`v=STSv1; id=1; ${'n'.repeat(33)}=x`, 'malformed'],
  ['v=STSv1; id=1; e=a=b', 'malformed'],
  ['v=STSv1; id=1; e=ä', 'malformed'],
  ['', undefined],
  ['v=STSv1', undefined],
  ['v=STSv2; id=1', undefined],
  ['v=STSv11; id=1', undefined],
  [' v=STSv1; id=1', undefined],
  ['V=STSv1; id=1', undefined],
  ['v=spf1 -all', undefined],
]
for (const [text, expected] of rows) {
  test(`RFC 8461 §3.1: the record ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseStsRecord(text), expected)
  })
}

test('a record of nothing but white space and a letter is read at once', () => {
  const began = performance.now()
  assert.equal(parseStsRecord(`v=STSv1;${' '.repeat(65_000)}x`), 'malformed')
  assert.equal(parseStsRecord(`v=STSv1; id=1${' '.repeat(65_000)}x`), 'malformed')
  assert.ok(performance.now() - began < 500)
})
