import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { baseAddress } from '../../../shared/suppression/base-address.ts'
import { suppressionFor } from '../../../shared/suppression/decide.ts'

const bases: readonly [address: string, base: string][] = [
  ['Remote.Last-catchall@☺.localhost', 'remotelast@☺.localhost'],
  ['M.j.l2+catchall@x.test', 'mjl2@x.test'],
  ['mjl2@X.TEST', 'mjl2@x.test'],
  ['first-last@x.test', 'first@x.test'],
  ['a+b-c@x.test', 'a@x.test'],
  ['a-b+c@x.test', 'a@x.test'],
]
for (const [address, base] of bases) {
  test(`the base of ${address} is ${base}`, () => {
    assert.equal(baseAddress(parseAddress(address)), base)
  })
}

const failure = {
  account: 'a',
  recipient: parseAddress('Some.One+x@remote.test'),
  source: 'queue',
  at: Date.UTC(2026, 5, 1),
  salt: 7,
} as const
const cases: readonly [code: number, enhancedCode: string, inARow: number, suppresses: boolean][] = [
  [550, '', 0, true],
  [521, '', 0, true],
  [551, '5.7.0', 0, true],
  [553, '5.1.7', 0, true],
  [556, '', 0, true],
  [554, '5.1.1', 0, true],
  [554, '5.1.6', 0, true],
  [554, '5.2.1', 0, true],
  [554, '5.7.1', 0, true],
  [554, '5.1.0', 0, false],
  [554, '5.2.2', 1, false],
  [554, '5.2.2', 2, true],
  [451, '4.1.1', 0, false],
  [451, '4.1.1', 2, true],
  [0, '', 2, false],
]
for (const [code, enhancedCode, inARow, suppresses] of cases) {
  test(`AT-74: ${code} ${enhancedCode} after ${inARow} failures in a row ${suppresses ? 'suppresses' : 'does not suppress'}`, () => {
    const entry = suppressionFor({ ...failure, code, enhancedCode }, { failuresInARow: inARow })
    assert.equal(entry?.baseAddress, suppresses ? 'someone@remote.test' : undefined)
    if (entry) assert.deepEqual([entry.manual, entry.originalAddress], [false, 'Some.One+x@remote.test'])
  })
}

test('what is listed already is not listed again', () => {
  const suppression = suppressionFor({ ...failure, code: 550, enhancedCode: '' }, { failuresInARow: 0 })
  assert.ok(suppression)
  const again = suppressionFor(
    { ...failure, code: 550, enhancedCode: '' },
    { suppression, failuresInARow: 0 },
  )
  assert.equal(again, undefined)
})
