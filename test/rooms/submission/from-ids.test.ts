import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress } from '../../../shared/address/address.ts'
import { DAY } from '../../../shared/base/clock.ts'
import { formatFromId, fromIdKeys } from '../../../shared/queue/from-id.ts'
import { arrange, FROM_ID_SECRET, LONG } from './arrange.ts'

const FROM_ID_LOGIN = { account: { fromIdLoginAddresses: ['ann@shop.example'] } }
const keys = fromIdKeys(FROM_ID_SECRET)

test('a FromID login sends each message with a reverse-path of its own', async () => {
  const { submit, rows } = arrange(FROM_ID_LOGIN)
  assert.equal(await submit({ to: ['a@remote.test', 'b@remote.test'] }), undefined)
  for (const { id, fromId, mailFrom } of rows) {
    assert.equal(fromId, formatFromId(keys, 'shop', id))
    assert.equal(mailFrom && formatAddress(mailFrom), `ann+${fromId}@shop.example`)
  }
  assert.equal(new Set(rows.map(({ fromId }) => fromId)).size, 2)
})

test('another spelling of the login sends as it says', async () => {
  const { submit, rows } = arrange({ ...FROM_ID_LOGIN, login: 'ann+x@shop.example' })
  assert.equal(await submit({ from: 'ann+orders@shop.example', to: ['a@x.test', 'b@x.test'] }), undefined)
  assert.deepEqual(
    rows.map(({ fromId, mailFrom }) => [fromId, mailFrom && formatAddress(mailFrom)]),
    [
      ['', 'ann+orders@shop.example'],
      ['', 'ann+orders@shop.example'],
    ],
  )
})

test('AT-58: a chosen FromID is accepted once, the second time 554 5.1.7, in any case', async () => {
  const { submit, rows } = arrange(FROM_ID_LOGIN)
  assert.equal(await submit({ from: 'ann+order-17@shop.example' }), undefined)
  assert.equal(rows[0]?.fromId, 'order-17')
  assert.equal(rows[0]?.mailFrom && formatAddress(rows[0].mailFrom), 'ann+order-17@shop.example')
  for (const again of ['ann+order-17@shop.example', 'ann+ORDER-17@shop.example']) {
    const refused = await submit({ from: again })
    assert.deepEqual([refused?.refusal.code, refused?.refusal.enhancedCode], [554, '5.1.7'])
  }
  assert.equal(rows.length, 1)
})

test('a chosen FromID is taken as long as its message may wait, be listed or bounce', async () => {
  for (const [listedDays, days] of [
    [0, 102],
    [3, 102],
    [365, 452],
  ] as const) {
    const account = { ...FROM_ID_LOGIN.account, keepRetiredMessagesMs: listedDays * DAY }
    const { submit, takenUntil, clock } = arrange({ account })
    await submit({ from: 'ann+order-17@shop.example' })
    assert.deepEqual(takenUntil, [clock.now() + days * DAY])
  }
})

test('AT-58: a chosen FromID is for one recipient, else 554 5.5.3', async () => {
  const { submit, rows } = arrange(FROM_ID_LOGIN)
  const refused = await submit({ from: 'ann+order-17@shop.example', to: ['a@x.test', 'b@x.test'] })
  assert.deepEqual(
    [refused?.stage, refused?.refusal.code, refused?.refusal.enhancedCode],
    ['data', 554, '5.5.3'],
  )
  assert.equal(rows.length, 0)
})

test('a FromID that we have made counts as used', async () => {
  const { submit, rows } = arrange(FROM_ID_LOGIN)
  await submit()
  const { fromId = '' } = rows[0] ?? {}
  const refused = await submit({ from: `ann+${fromId}@shop.example` })
  assert.deepEqual(
    [refused?.stage, refused?.refusal.code, refused?.refusal.enhancedCode],
    ['mail', 554, '5.1.7'],
  )
})

test('a separator with nothing behind it wants no FromID, as in mox', async () => {
  const { submit, rows } = arrange(FROM_ID_LOGIN)
  assert.equal(await submit({ from: 'ann+@shop.example', to: ['a@x.test', 'b@x.test'] }), undefined)
  assert.deepEqual(
    rows.map(({ fromId, mailFrom }) => [fromId, mailFrom?.localpart]),
    [
      ['', 'ann+'],
      ['', 'ann+'],
    ],
  )
})

const unfit: readonly (readonly [rule: string, from: string, text: RegExp])[] = [
  ['a chosen FromID that makes the local part too long', `ann+${'x'.repeat(61)}@shop.example`, /64 octets/],
  ['an address in which our own has no room', `${LONG}@shop.example`, /64 octets/],
  ['a domain without separator (Q8)', 'ann@many.example', /separator/],
]
for (const [rule, from, text] of unfit) {
  test(`${rule} is refused at MAIL FROM with 554 5.1.7, which says so`, async () => {
    const { submit } = arrange(FROM_ID_LOGIN)
    const refused = await submit({ from })
    const { code, enhancedCode } = refused?.refusal ?? {}
    assert.deepEqual([refused?.stage, code, enhancedCode], ['mail', 554, '5.1.7'])
    assert.match(refused?.refusal.text ?? '', text)
  })
}

test('64 octets of local part are allowed (RFC 5321 §4.5.3.1.1)', async () => {
  const { submit } = arrange(FROM_ID_LOGIN)
  assert.equal(await submit({ from: `ann+${'x'.repeat(60)}@shop.example` }), undefined)
})
