import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Table } from '../../../shared/adapters/aws/dynamo.ts'
import { dynamoPolicyStore } from '../../../shared/adapters/aws/policy-store.ts'
import { DAY, HOUR, MINUTE } from '../../../shared/base/clock.ts'
import { parsePolicy, type StsPolicy } from '../../../shared/mta-sts/policy.ts'
import { openContract } from '../../contracts/dynamodb-contract.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

let contract: Awaited<ReturnType<typeof openContract>>
before(async () => {
  contract = await openContract()
})
after(() => contract.close())

const log = {
  info: () => {},
  warn: () => {},
  error: (event: string, error: unknown) => assert.fail(`${event}: ${error}`),
}

function policyOf(mode: string): StsPolicy {
  const read = parsePolicy(`version: STSv1\nmode: ${mode}\nmx: *.x.example\nmax_age: 86400\nother: y\n`)
  return 'policy' in read ? read.policy : assert.fail(read.problem)
}

const [enforce, testing] = [policyOf('enforce'), policyOf('testing')]

let domains = 0

/** Two processes, each with a clock of its own, and a domain that no other test has. */
function world() {
  const [clock, otherClock] = [fakeClock(), fakeClock()]
  const table: Table = { client: contract.client, name: contract.table, random: seededRandom() }
  const store = dynamoPolicyStore(table, clock, log)
  const domain = `d${domains++}.x.example`
  const validUntilAt = clock.now() + DAY
  return {
    clock,
    otherClock,
    store,
    other: dynamoPolicyStore(table, otherClock, log),
    domain,
    validUntilAt,
    stored: { recordId: 'one', policy: enforce, validUntilAt },
    known: async () => (await store.list(undefined, 1000)).find((each) => each.domain === domain),
  }
}

test('a policy is remembered as it was fetched, extensions too', async () => {
  const { store, domain, stored } = world()
  assert.equal(await store.get(domain), undefined)
  await store.put(domain, stored)
  assert.deepEqual(await store.get(domain), stored)
})

test('of two policies the one that was fetched later stays, whichever is written first', async () => {
  const { store, other, otherClock, domain, stored } = world()
  otherClock.advance(1)
  const newer = { ...stored, recordId: 'two', policy: testing }
  await other.put(domain, newer)
  await store.put(domain, stored)
  assert.deepEqual(await store.get(domain), newer)
  otherClock.advance(1)
  await other.put(domain, stored)
  assert.deepEqual(await store.get(domain), stored)
})

test('a text that changed is stored with the policy (mox keeps the old one)', async () => {
  const { store, domain, stored, known } = world()
  await store.put(domain, stored)
  await store.put(domain, { ...stored, policy: testing })
  assert.deepEqual((await known())?.policy, testing)
})

test('RFC 8461 §10.2: a failure is noted beside a valid policy and never takes its place', async () => {
  const { store, clock, domain, stored, validUntilAt } = world()
  const retryAt = clock.now() + 5 * MINUTE
  await store.put(domain, stored)
  await store.put(domain, { recordId: 'two', validUntilAt: retryAt, retryAt })
  assert.deepEqual(await store.get(domain), stored)
  await store.put(domain, { ...stored, retryAt })
  assert.deepEqual(await store.get(domain), { ...stored, retryAt })
  await store.put(domain, { ...stored, recordId: 'other', retryAt: retryAt + 1 })
  assert.deepEqual(await store.get(domain), { ...stored, retryAt })
  await store.put(domain, { ...stored, validUntilAt })
  assert.deepEqual(await store.get(domain), stored)
})

test('a failure takes the place of nothing and of what has ended, a policy that of a failure', async () => {
  const { store, clock, domain, stored, known } = world()
  const failed = () => ({
    recordId: 'one',
    validUntilAt: clock.now() + 5 * MINUTE,
    retryAt: clock.now() + 5 * MINUTE,
  })
  await store.put(domain, failed())
  assert.deepEqual(await store.get(domain), failed())
  assert.equal(await known(), undefined)
  await store.put(domain, stored)
  assert.deepEqual(await store.get(domain), stored)
  clock.advance(DAY)
  await store.put(domain, failed())
  assert.deepEqual(await store.get(domain), failed())
})

test('the first question in a day notes the use, and no refresh does', async () => {
  const { store, clock, domain, stored, known } = world()
  const first = clock.now()
  await store.put(domain, { ...stored, validUntilAt: first + 10 * DAY })
  clock.advance(DAY - MINUTE)
  await store.get(domain)
  assert.equal((await known())?.usedAt, first)
  clock.advance(MINUTE)
  await store.put(domain, { ...stored, validUntilAt: first + 10 * DAY })
  assert.deepEqual([(await known())?.usedAt, (await known())?.checkedAt], [first, clock.now()])
  await store.get(domain)
  assert.equal((await known())?.usedAt, clock.now())
})

test('a policy is extended only while it is that of the record', async () => {
  const { store, clock, domain, stored, known, validUntilAt } = world()
  await store.put(domain, stored)
  const before = (await known()) ?? assert.fail('not listed')
  clock.advance(HOUR)
  await store.extend({ ...before, recordId: 'two' }, validUntilAt + HOUR)
  assert.deepEqual(await known(), before)
  await store.extend(before, validUntilAt + HOUR)
  assert.deepEqual(await known(), { ...before, validUntilAt: validUntilAt + HOUR, checkedAt: clock.now() })
})

test('a policy is forgotten only as it was seen', async () => {
  const { store, clock, domain, stored, known } = world()
  await store.put(domain, stored)
  const seen = (await known()) ?? assert.fail('not listed')
  clock.advance(1)
  await store.put(domain, stored)
  await store.forget(seen)
  assert.deepEqual(await store.get(domain), stored)
  await store.forget((await known()) ?? assert.fail('not listed'))
  assert.equal(await store.get(domain), undefined)
})

test('policies are listed in pages, without those that have ended', async () => {
  const { store, clock, stored } = world()
  const names = ['a', 'b', 'c', 'd'].map((label) => `${label}.listed.example`)
  for (const name of names) await store.put(name, stored)
  await store.put('c.listed.example', { ...stored, validUntilAt: clock.now() })
  const first = await store.list(undefined, 1)
  const rest = await store.list(first[0]?.domain, 1000)
  const listed = [...first, ...rest].map(({ domain }) => domain)
  assert.deepEqual(
    listed.filter((name) => names.includes(name)),
    ['a.listed.example', 'b.listed.example', 'd.listed.example'],
  )
})

test('of several processes one has the turn, until its end', async () => {
  const { store, other, clock, otherClock } = world()
  const untilAt = clock.now() + HOUR
  assert.deepEqual([await store.takeTurn(untilAt), await other.takeTurn(untilAt + 1)], [true, false])
  otherClock.advance(HOUR)
  assert.equal(await other.takeTurn(untilAt + HOUR), true)
})

test('a stored policy that cannot be read any more counts as not known', async () => {
  const { store, domain, stored, known } = world()
  await store.put(domain, stored)
  const key = { pk: 'STS', sk: domain }
  await contract.put({ ...(await contract.get(key)), policy: 'version: STSv2' })
  assert.deepEqual([await store.get(domain), await known()], [undefined, undefined])
})
