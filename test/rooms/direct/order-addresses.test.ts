import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderAddresses } from '../../../shared/direct/order-addresses.ts'

const rows: readonly (readonly [rule: string, earlier: string, addresses: string, expected: string])[] = [
  ['the first attempt keeps the order', '', '1.1.1.1 2.2.2.2 ::1', '1.1.1.1 2.2.2.2 ::1'],
  ['the second prefers the other family', '1.1.1.1', '1.1.1.1 2.2.2.2 ::1 ::2', '::1 ::2 1.1.1.1 2.2.2.2'],
  ['with one family the second comes to the same address', '2.2.2.2', '1.1.1.1 2.2.2.2', '2.2.2.2 1.1.1.1'],
  ['with one family the third has no preference', '2.2.2.2 2.2.2.2', '1.1.1.1 2.2.2.2', '1.1.1.1 2.2.2.2'],
  [
    'the third comes back to the address of the first',
    '2.2.2.2 ::1',
    '1.1.1.1 2.2.2.2 ::1 ::2',
    '2.2.2.2 1.1.1.1 ::1 ::2',
  ],
  [
    'the fourth comes back to the address of the second',
    '2.2.2.2 ::2 2.2.2.2',
    '1.1.1.1 2.2.2.2 ::1 ::2',
    '::2 ::1 1.1.1.1 2.2.2.2',
  ],
  ['an address that is gone is nothing to come back to', '3.3.3.3', '1.1.1.1 2.2.2.2', '1.1.1.1 2.2.2.2'],
]

for (const [rule, earlier, addresses, expected] of rows) {
  test(`§2.4: ${rule}`, () => {
    const words = (text: string) => text.split(' ').filter(Boolean)
    assert.deepEqual(orderAddresses(words(addresses), words(earlier)), words(expected))
  })
}
