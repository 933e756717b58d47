import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RowId } from '../../../shared/base/row-id.ts'
import { formatFromId, fromIdKeys, parseFromId } from '../../../shared/queue/from-id.ts'

const keys = fromIdKeys('current')
const ids = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map((id) => id as RowId)

test('a FromID is 26 lower-case characters and finds its message, in any case', () => {
  fc.assert(
    fc.property(ids, fc.string(), (id, account) => {
      const text = formatFromId(keys, account, id)
      assert.match(text, /^[a-z2-7]{26}$/)
      assert.equal(parseFromId(keys, account, text), id)
      assert.equal(parseFromId(keys, account, text.toUpperCase()), id)
    }),
  )
})

test('it is of one account', () => {
  const text = formatFromId(keys, 'ann', 17 as RowId)
  assert.equal(parseFromId(keys, 'bob', text), undefined)
})

test('one that was changed in any character is none of ours', () => {
  const text = formatFromId(keys, 'ann', 17 as RowId)
  for (let place = 0; place < text.length; place++) {
    for (const digit of ['a', 'b', 'q', '7']) {
      const changed = text.slice(0, place) + digit + text.slice(place + 1)
      if (changed !== text) assert.equal(parseFromId(keys, 'ann', changed), undefined, changed)
    }
  }
})

test('what is no FromID at all is none', () => {
  for (const text of ['', 'shop', 'a'.repeat(25), 'a'.repeat(26), `${'a'.repeat(25)}1`, 'ä'.repeat(26)]) {
    assert.equal(parseFromId(keys, 'ann', text), undefined, text)
  }
})

test('an old key still reads, and no longer writes', () => {
  const old = formatFromId(fromIdKeys('old'), 'ann', 17 as RowId)
  const both = fromIdKeys('current\nold')
  assert.equal(parseFromId(both, 'ann', old), 17)
  assert.equal(parseFromId(keys, 'ann', old), undefined)
  assert.equal(formatFromId(both, 'ann', 17 as RowId), formatFromId(keys, 'ann', 17 as RowId))
})
