import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { DAY, HOUR, type Instant, MINUTE, SECOND } from '../../../shared/base/clock.ts'
import type { KnownPolicy } from '../../../shared/mta-sts/known-policies.ts'
import { formatPolicy, type StsPolicy } from '../../../shared/mta-sts/policy.ts'
import type { FetchedPolicy } from '../../../shared/mta-sts/policy-fetcher.ts'
import type { StoredPolicy } from '../../../shared/mta-sts/policy-store.ts'
import { type RefreshCounts, refreshPolicies } from '../../../shared/mta-sts/refresh-policies.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const now = fakeClock().now()
const SAME: FakeZone = { '_mta-sts.x.example': { TXT: ['v=STSv1; id=one'] } }
const OTHER: FakeZone = { '_mta-sts.x.example': { TXT: ['v=STSv1; id=two'] } }
const FAILS: FakeZone = { '_mta-sts.x.example': { fails: true } }
const FAILED: FetchedPolicy = { kind: 'failed', problem: 'connection refused' }

function policyOf(mode: StsPolicy['mode']): StsPolicy {
  return { mode, maxAgeSeconds: (7 * DAY) / SECOND, mx: [parseDomainName('mx.x.example')], extensions: [] }
}

function served(mode: StsPolicy['mode']): FetchedPolicy {
  return { kind: 'fetched', text: formatPolicy(policyOf(mode)) }
}

function known(more: Partial<KnownPolicy> = {}): KnownPolicy {
  return {
    domain: 'x.example',
    recordId: 'one',
    policy: policyOf('enforce'),
    validUntilAt: now + DAY,
    checkedAt: now - DAY,
    usedAt: now - 2 * DAY,
    ...more,
  }
}

interface Circumstances {
  readonly zone?: FakeZone
  readonly answer?: FetchedPolicy
  readonly isTaken?: boolean
  readonly signal?: AbortSignal
  /** What the store cannot do. */
  readonly breaks?: string
}

/** One refresh of these policies, and what it did. */
async function refreshed(policies: readonly KnownPolicy[], circumstances: Circumstances = {}) {
  const { zone = SAME, answer = FAILED, isTaken = false, breaks } = circumstances
  const clock = fakeClock()
  const done: string[] = []
  const puts: StoredPolicy[] = []
  const extended: Instant[] = []
  const pausesMs: number[] = []
  const errors: unknown[] = []
  const counts = await refreshPolicies(
    {
      resolver: fakeDns(zone),
      fetcher: {
        fetch: async (domain) => {
          done.push(`fetch ${domain}`)
          return answer
        },
      },
      known: {
        takeTurn: async (untilAt) => {
          done.push(`turn of ${(untilAt - clock.now()) / MINUTE} minutes`)
          return !isTaken
        },
        list: async (after = '', limit) => policies.filter(({ domain }) => domain > after).slice(0, limit),
        extend: async ({ domain }, validUntilAt) => {
          if (domain === breaks) throw new Error('cannot')
          done.push(`extend ${domain}`)
          extended.push(validUntilAt)
        },
        forget: async ({ domain }) => void done.push(`forget ${domain}`),
      },
      store: {
        put: async (domain, stored) => {
          done.push(`put ${domain}`)
          puts.push(stored)
        },
      },
      clock,
      random: seededRandom(),
      wait: async (ms) => {
        pausesMs.push(ms)
        clock.advance(ms)
      },
      log: { info: () => {}, warn: () => {}, error: (_event, error) => void errors.push(error) },
    },
    circumstances.signal ?? new AbortController().signal,
  )
  return { counts, done: done.slice(1), turn: done[0], puts, extended, pausesMs, errors }
}

/** What became of one policy. */
function only(counts: RefreshCounts | undefined): string {
  const named = Object.entries(counts ?? {}).filter(([, count]) => count > 0)
  return named.map(([name, count]) => `${count} ${name}`).join(', ')
}

const rules: readonly (readonly [
  rule: string,
  policy: Partial<KnownPolicy>,
  circumstances: Circumstances,
  became: string,
  done: readonly string[],
])[] = [
  ['a policy of today is left alone', { checkedAt: now - 12 * HOUR + 1 }, {}, '', []],
  ['the same record extends', {}, {}, '1 extended', ['extend x.example']],
  [
    'a policy is looked at before a day is over',
    { checkedAt: now - 22 * HOUR },
    {},
    '1 extended',
    ['extend x.example'],
  ],
  [
    'another record is another policy, which is fetched and kept',
    {},
    { zone: OTHER, answer: served('testing') },
    '1 fetched',
    ['fetch x.example', 'put x.example'],
  ],
  [
    'a policy that cannot be fetched leaves the older one',
    {},
    { zone: OTHER },
    '1 kept',
    ['fetch x.example', 'put x.example'],
  ],
  ['a DNS that fails leaves it', {}, { zone: FAILS }, '1 kept', []],
  ['RFC 8461 §10.2: a record that is gone leaves it', {}, { zone: {} }, '1 kept', []],
  [
    'RFC 8461 §8.3: the mode none goes with its record',
    { policy: policyOf('none') },
    { zone: {} },
    '1 forgotten',
    ['forget x.example'],
  ],
  ['the mode none stays while the DNS fails', { policy: policyOf('none') }, { zone: FAILS }, '1 kept', []],
  [
    'what no mail needed for 180 days is forgotten',
    { usedAt: now - 180 * DAY },
    {},
    '1 forgotten',
    ['forget x.example'],
  ],
  [
    'what was needed 179 days ago is not',
    { usedAt: now - 179 * DAY },
    {},
    '1 extended',
    ['extend x.example'],
  ],
]

for (const [rule, policy, circumstances, became, expected] of rules) {
  test(`MTA-STS refresh: ${rule}`, async () => {
    const { counts, done } = await refreshed([known(policy)], circumstances)
    assert.equal(only(counts), became)
    assert.deepEqual(done, expected)
  })
}

test('MTA-STS refresh: the same record extends by max_age', async () => {
  const { extended } = await refreshed([known()])
  assert.deepEqual(extended, [now + 7 * DAY])
})

test('MTA-STS refresh: another record brings its policy and its id (mox defect 12)', async () => {
  const { puts } = await refreshed([known()], { zone: OTHER, answer: served('testing') })
  assert.deepEqual(puts, [{ recordId: 'two', policy: policyOf('testing'), validUntilAt: now + 7 * DAY }])
})

test('RFC 8461 §3.3: after a failure the policy host has five minutes of rest', async () => {
  const { puts } = await refreshed([known()], { zone: OTHER })
  const { recordId, policy, validUntilAt } = known()
  assert.deepEqual(puts, [{ recordId, policy, validUntilAt, retryAt: now + 5 * MINUTE }])
})

const many = Array.from({ length: 1200 }, (_, number) =>
  known({ domain: `d${String(number).padStart(4, '0')}.example` }),
)
const manyRecords = Object.fromEntries(
  many.map(({ domain }) => [`_mta-sts.${domain}`, { TXT: ['v=STSv1; id=one'] }]),
)

test('MTA-STS refresh: who has no turn does nothing', async () => {
  const { counts, done, turn } = await refreshed(many, { isTaken: true })
  assert.deepEqual([counts, done, turn], [undefined, [], 'turn of 55 minutes'])
})

test('MTA-STS refresh: many are looked at in random order, with pauses, all within the hour', async () => {
  const { counts, done, pausesMs } = await refreshed(many, { zone: manyRecords })
  assert.equal(only(counts), '1200 extended')
  assert.notDeepEqual(done, done.toSorted())
  const totalMs = pausesMs.reduce((sum, ms) => sum + ms, 0)
  assert.ok(totalMs > 30 * MINUTE && totalMs <= 51 * MINUTE, `${totalMs}`)
})

test('MTA-STS refresh: those that are due are drawn, so that they spread over the day', async () => {
  const halfDue = many.map((each) => ({ ...each, checkedAt: now - 17 * HOUR }))
  const { counts } = await refreshed(halfDue, { zone: manyRecords })
  const looked = counts?.extended ?? 0
  assert.ok(looked > 500 && looked < 700, `${looked}`)
})

test('MTA-STS refresh: an end of the process leaves the others for the next time', async () => {
  const { counts } = await refreshed(many, { signal: AbortSignal.abort() })
  assert.equal(only(counts), '1200 left')
})

test('MTA-STS refresh: a policy that cannot be written does not keep the others from it', async () => {
  const policies = many.slice(0, 3)
  const { counts, errors } = await refreshed(policies, { zone: manyRecords, breaks: 'd0001.example' })
  assert.equal(only(counts), '2 extended, 1 kept')
  assert.equal(errors.length, 1)
})
