import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatRowId, parseRowId, rowIdAt, rowIdPlus } from '../../../shared/base/row-id.ts'

const at = Date.UTC(2026, 5, 1)

test('ids sort by time, whatever their low bits', () => {
  assert.ok(rowIdAt(at, 4095) < rowIdAt(at + 1, 0))
  assert.ok(formatRowId(rowIdAt(at, 4095)) < formatRowId(rowIdAt(at + 1, 0)))
})

test('ids stay below 2^53 until 2090, so that JSON keeps them exactly', () => {
  assert.ok(Number.isSafeInteger(rowIdPlus(rowIdAt(Date.UTC(2090, 0, 1), 4095), 999)))
})

test('only the 12 low bits of the draw count', () => {
  assert.equal(rowIdAt(at, 4096 + 5), rowIdAt(at, 5))
})

test('texts and numbers that are no positive safe integer are no ids', () => {
  for (const value of [
    '',
    '0',
    '-1',
    '1.5',
    '1e3',
    ' 1',
    '99999999999999999',
    0,
    -1,
    1.5,
    2 ** 53,
    Number.NaN,
  ]) {
    assert.equal(parseRowId(value), undefined, String(value))
  }
  assert.equal(parseRowId('0000000000000017'), 17)
  assert.equal(parseRowId(17), 17)
})
