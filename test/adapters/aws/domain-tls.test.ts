import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dynamoDomainTls } from '../../../shared/adapters/aws/domain-tls.ts'
import type { Table } from '../../../shared/adapters/aws/dynamo.ts'
import { DAY, MINUTE } from '../../../shared/base/clock.ts'
import { openContract } from '../../contracts/dynamodb-contract.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

let contract: Awaited<ReturnType<typeof openContract>>
before(async () => {
  contract = await openContract()
})
after(() => contract.close())

const [able, unable] = [
  { starttls: true, requiretls: true },
  { starttls: false, requiretls: false },
]

/** A process that notes of a domain that no other test has; what it logs is in `errors`. */
function world(domain: string, name = contract.table) {
  const clock = fakeClock()
  const errors: string[] = []
  const log = { info: () => {}, warn: () => {}, error: (event: string) => void errors.push(event) }
  const table: Table = { client: contract.client, name, random: seededRandom() }
  return {
    clock,
    errors,
    tls: dynamoDomainTls(table, clock, log),
    other: dynamoDomainTls(table, clock, log),
    stored: async () => await contract.get({ pk: 'DT#shop', sk: domain.toLowerCase() }),
  }
}

test('AT-39c, AT-39f: what servers can do is remembered for the account and the domain, and taken back', async () => {
  const { tls, clock, stored } = world('X.example')
  await tls.note('shop', 'X.example', able)
  const { pk: _pk, sk: _sk, ...first } = (await stored()) ?? {}
  const [notedAt, expires] = ['2026-06-01T00:00:00.000Z', (clock.now() + 90 * DAY) / 1000]
  assert.deepEqual(first, { ...able, notedAt, expires })
  clock.advance(1)
  await tls.note('shop', 'x.example', unable)
  assert.deepEqual({ ...(await stored()), ...unable }, await stored())
})

test('what did not change is written once a day', async () => {
  const { tls, clock, stored } = world('daily.example')
  await tls.note('shop', 'daily.example', able)
  const first = await stored()
  clock.advance(DAY - MINUTE)
  await tls.note('shop', 'daily.example', able)
  assert.deepEqual(await stored(), first)
  clock.advance(MINUTE)
  await tls.note('shop', 'daily.example', able)
  assert.equal((await stored())?.notedAt, '2026-06-02T00:00:00.000Z')
})

test('what another process noted later stays', async () => {
  const { tls, other, clock, stored } = world('later.example')
  const now = clock.now()
  clock.advance(1)
  await other.note('shop', 'later.example', unable)
  clock.advance(now - clock.now())
  await tls.note('shop', 'later.example', able)
  assert.equal((await stored())?.starttls, false)
})

test('mail does not fail for a hint that cannot be written, and the next one tries again', async () => {
  const { tls, errors } = world('broken.example', 'no-such-table')
  await tls.note('shop', 'broken.example', able)
  await tls.note('shop', 'broken.example', able)
  assert.deepEqual(errors, Array(2).fill('TLS support of a domain not noted'))
})

test('of what can be no name nothing is remembered', async () => {
  const { tls, stored, errors } = world('a#b.example')
  await tls.note('shop', 'a#b.example', able)
  assert.deepEqual([await stored(), errors], [undefined, []])
})
