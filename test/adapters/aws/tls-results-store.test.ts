import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dynamoTlsResultsStore } from '../../../shared/adapters/aws/tls-results-store.ts'
import { byDayResults, type DayResults } from '../../../shared/tls-results/day-results.ts'
import { openContract } from '../../contracts/dynamodb-contract.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { tlsFailure, tlsResult } from '../../support/tls-result.ts'

let contract: Awaited<ReturnType<typeof openContract>>
let store: ReturnType<typeof dynamoTlsResultsStore>
before(async () => {
  contract = await openContract()
  store = dynamoTlsResultsStore({ client: contract.client, name: contract.table, random: seededRandom() })
})
after(() => contract.close())

function rowOf(day: string, more: Parameters<typeof tlsResult>[0] = {}): DayResults {
  return byDayResults([tlsResult(more)], day)[0] ?? assert.fail('no row')
}

test('results are added up', async () => {
  await store.add(rowOf('20260601', { failures: [tlsFailure()] }), 'a')
  await store.add(rowOf('20260601', { success: 2, failures: [tlsFailure({ count: 4 })] }), 'b')
  assert.deepEqual(await store.list('20260601', undefined, 10), [
    rowOf('20260601', { success: 3, failures: [tlsFailure({ count: 5 })] }),
  ])
})

test('a second time under the same id adds nothing', async () => {
  for (const id of ['a', 'b', 'a']) await store.add(rowOf('20260602'), id)
  assert.deepEqual(await store.list('20260602', undefined, 10), [rowOf('20260602', { success: 2 })])
})

test('ten processes that write at once lose nothing', async () => {
  const ids = Array.from({ length: 10 }, (_, number) => `${number}`)
  await Promise.all(ids.map(async (id) => await store.add(rowOf('20260603'), id)))
  assert.deepEqual(await store.list('20260603', undefined, 10), [rowOf('20260603', { success: 10 })])
})

test('results are listed by day and recipient domain', async () => {
  const ofHost = { policyDomain: 'mx.other.example', isHost: true, policyType: 'tlsa' } as const
  const rows = [
    rowOf('20260604', ofHost),
    rowOf('20260604'),
    rowOf('20260604', { recipientDomain: 'x.example.org', policyDomain: 'x.example.org' }),
    rowOf('20260605'),
  ]
  for (const [number, row] of rows.entries()) await store.add(row, `${number}`)
  assert.deepEqual(await store.list('20260604', undefined, 10), rows.slice(0, 3))
  assert.deepEqual(await store.list('20260604', 'x.example', 10), rows.slice(0, 2))
  assert.equal((await store.list('20260604', undefined, 1)).length, 1)
})

test('results are kept for 14 days after their day', async () => {
  await store.add(rowOf('20260606'), 'a')
  const item = await contract.get({ pk: 'TR#20260606', sk: 'x.example#x.example' })
  assert.equal(item?.expires, Date.UTC(2026, 5, 21) / 1000)
})
