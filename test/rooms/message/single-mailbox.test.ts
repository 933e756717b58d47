import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress } from '../../../shared/address/address.ts'
import { singleMailbox } from '../../../shared/message/single-mailbox.ts'

const cases: readonly (readonly [value: string, address: string | undefined])[] = [
  ['ann@shop.example', 'ann@shop.example'],
  [' <ann@shop.example> ', 'ann@shop.example'],
  ['Ann B. <ann@shop.example>', 'ann@shop.example'],
  ['"B, Ann <x@y.example>" <ann@shop.example>', 'ann@shop.example'],
  ['"a \\" b" Ann <ann@shop.example>', 'ann@shop.example'],
  ['ann@shop.example (Ann <bob@shop.example>)', 'ann@shop.example'],
  ['=?utf-8?q?Zo=C3=AB?= <ann@shop.example>', 'ann@shop.example'],
  ['Zoë <zoë@bücher.example>', 'zoë@xn--bcher-kva.example'],
  ['"a b"@shop.example', '"a b"@shop.example'],
  ['', undefined],
  ['Ann', undefined],
  ['ann@shop.example, bob@shop.example', undefined],
  ['<ann@shop.example> <bob@shop.example>', undefined],
  ['bob@shop.example <ann@shop.example>', undefined],
  ['friends: ann@shop.example;', undefined],
  ['<ann@shop.example', undefined],
  ['"Ann <ann@shop.example>', undefined],
  ['<@relay.example:ann@shop.example>', undefined],
  ['ann@[192.0.2.1]', undefined],
]
for (const [value, address] of cases) {
  test(`${JSON.stringify(value)} ${address ? `is ${address}` : 'is not one mailbox'} (RFC 5322 §3.4)`, () => {
    const found = singleMailbox(value)
    assert.equal(found && formatAddress(found), address)
  })
}

test('a long hostile value is read in linear time', () => {
  assert.equal(singleMailbox(`${'"\\'.repeat(100_000)}${'a '.repeat(100_000)}<`), undefined)
})
