import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY, MINUTE, SECOND } from '../../../shared/base/clock.ts'
import { getPolicy, type PolicyAnswer } from '../../../shared/mta-sts/get-policy.ts'
import type { FetchedPolicy } from '../../../shared/mta-sts/policy-fetcher.ts'
import type { StoredPolicy } from '../../../shared/mta-sts/policy-store.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'

const RECORD: FakeZone = { '_mta-sts.x.example': { TXT: ['v=STSv1; id=one'] } }
const OTHER_RECORD: FakeZone = { '_mta-sts.x.example': { TXT: ['v=STSv1; id=two'] } }
const DNS_FAILS: FakeZone = { '_mta-sts.x.example': { fails: true } }
const SERVED = served('enforce')
const FAILED: FetchedPolicy = { kind: 'failed', problem: 'connection refused' }

function served(mode: string, maxAge = 86_400): FetchedPolicy {
  const text = `version: STSv1\nmode: ${mode}\nmx: mx.x.example\nmax_age: ${maxAge}\n`
  return { kind: 'fetched', text }
}

/** Asks for the policy of x.example, again and again, with what is remembered meanwhile. */
function world() {
  const clock = fakeClock()
  const stored = new Map<string, StoredPolicy>()
  const fetches: number[] = []
  return {
    clock,
    stored,
    /** How long each might take. */
    fetches,
    async get(zone: FakeZone, answer: FetchedPolicy = FAILED): Promise<PolicyAnswer> {
      const fetcher = {
        fetch: async (_: string, longestMs: number) => {
          fetches.push(longestMs)
          return answer
        },
      }
      const store = {
        get: async (domain: string) => stored.get(domain),
        put: async (domain: string, entry: StoredPolicy) => void stored.set(domain, entry),
      }
      return await getPolicy({ resolver: fakeDns(zone), fetcher, store, clock }, 'x.example')
    },
  }
}

/** What matters of an answer, in one line. */
function summary(answer: PolicyAnswer): string {
  const state =
    answer.kind === 'found' ? `${answer.policy.mode} ${answer.isFresh ? 'fresh' : 'old'}` : answer.kind
  const { problem } = answer
  return problem ? `${state} ${problem.resultType} ${problem.reason}` : state
}

const bogus = { code: 6, name: 'dnssec bogus', text: '' }
const first: readonly (readonly [what: string, zone: FakeZone, fetched: FetchedPolicy, expected: string])[] =
  [
    ['record and policy', RECORD, SERVED, 'enforce fresh'],
    ['mode testing', RECORD, served('testing'), 'testing fresh'],
    ['mode none', RECORD, served('none'), 'none fresh'],
    [
      'one record among others',
      { '_mta-sts.x.example': { TXT: ['v=spf1 -all', 'v=STSv1; id=1', 'v=STSv2; id=2'] } },
      SERVED,
      'enforce fresh',
    ],
    [
      'a record behind CNAMEs',
      {
        '_mta-sts.x.example': { CNAME: 'a.example' },
        'a.example': { CNAME: 'b.example' },
        'b.example': { TXT: ['v=STSv1; id=1'] },
      },
      SERVED,
      'enforce fresh',
    ],
    ['no record', {}, SERVED, 'none sts-policy-fetch-error no-mta-sts-dns-txt-record'],
    [
      'another record only',
      { '_mta-sts.x.example': { TXT: ['v=spf1 -all'] } },
      SERVED,
      'none sts-policy-fetch-error no-mta-sts-dns-txt-record',
    ],
    [
      'several records',
      { '_mta-sts.x.example': { TXT: ['v=STSv1; id=1', 'v=STSv1; id=1'] } },
      SERVED,
      'none sts-policy-fetch-error multiple-mta-sts-records',
    ],
    [
      'a good record and a malformed one',
      { '_mta-sts.x.example': { TXT: ['v=STSv1; id=1', 'v=STSv1;'] } },
      SERVED,
      'none sts-policy-fetch-error multiple-mta-sts-records',
    ],
    [
      'a malformed record',
      { '_mta-sts.x.example': { TXT: ['v=STSv1; id=1-2'] } },
      SERVED,
      'none sts-policy-fetch-error record-syntax-error',
    ],
    ['DNS that fails', DNS_FAILS, SERVED, 'failed sts-policy-fetch-error dns-lookup'],
    [
      'DNS that fails behind a CNAME',
      { '_mta-sts.x.example': { CNAME: 'a.example' }, 'a.example': { fails: true } },
      SERVED,
      'failed sts-policy-fetch-error dns-lookup',
    ],
    [
      'a record with bad signatures',
      { '_mta-sts.x.example': { fails: true, extended: bogus } },
      SERVED,
      'failed sts-policy-fetch-error dns-extended-error-6-dnssec-bogus',
    ],
    ['no policy', RECORD, { kind: 'none', problem: '404' }, 'none sts-policy-fetch-error no-policy-served'],
    [
      'a policy host that cannot be reached',
      RECORD,
      FAILED,
      'none sts-policy-fetch-error cannot-fetch-policy',
    ],
    [
      'a policy host whose address has bad signatures',
      RECORD,
      { ...FAILED, extended: bogus },
      'none sts-policy-fetch-error dns-extended-error-6-dnssec-bogus',
    ],
    [
      'a policy host with a bad certificate',
      RECORD,
      { ...FAILED, certificate: 'certificate-expired' },
      'none sts-webpki-invalid certificate-expired',
    ],
    [
      'a malformed policy',
      RECORD,
      { kind: 'fetched', text: '<html>' },
      'none sts-policy-invalid policy-syntax-error',
    ],
  ]
for (const [what, zone, fetched, expected] of first) {
  test(`RFC 8461 §3: a domain that was not asked about before: ${what}`, async () => {
    const { get, fetches } = world()
    assert.equal(summary(await get(zone, fetched)), expected)
    assert.deepEqual(fetches, zone === RECORD || expected.endsWith('fresh') ? [MINUTE] : [])
  })
}

const withoutRecord: readonly FakeZone[] = [{}, DNS_FAILS, { '_mta-sts.x.example': { TXT: ['v=STSv1;'] } }]
for (const zone of withoutRecord) {
  test(`nothing is remembered where the DNS has no good record: ${JSON.stringify(zone)}`, async () => {
    const { get, stored } = world()
    await get(zone)
    assert.equal(stored.size, 0)
  })
}

/** Of a domain whose policy is known already. */
const later: readonly (readonly [what: string, zone: FakeZone, fetched: FetchedPolicy, expected: string])[] =
  [
    ['the same record: fresh, and nothing is fetched', RECORD, served('testing'), 'enforce fresh'],
    ['another record: the new policy', OTHER_RECORD, served('testing'), 'testing fresh'],
    [
      'another record, and no policy host',
      OTHER_RECORD,
      FAILED,
      'enforce old sts-policy-fetch-error cannot-fetch-policy+fallback-to-cached-policy',
    ],
    [
      'another record, and a malformed policy',
      OTHER_RECORD,
      { kind: 'fetched', text: 'x' },
      'enforce old sts-policy-invalid policy-syntax-error+fallback-to-cached-policy',
    ],
    [
      'another record, and a policy host with a bad certificate',
      OTHER_RECORD,
      { ...FAILED, certificate: 'certificate-host-mismatch' },
      'enforce old sts-webpki-invalid certificate-host-mismatch+fallback-to-cached-policy',
    ],
    [
      'no record any more',
      {},
      SERVED,
      'enforce old sts-policy-fetch-error no-mta-sts-dns-txt-record+fallback-to-cached-policy',
    ],
    [
      'DNS that fails',
      DNS_FAILS,
      SERVED,
      'enforce old sts-policy-fetch-error dns-lookup+fallback-to-cached-policy',
    ],
  ]
for (const [what, zone, fetched, expected] of later) {
  test(`RFC 8461 §5.1, §10.2: a policy that is remembered: ${what}`, async () => {
    const { get, clock } = world()
    await get(RECORD, SERVED)
    clock.advance(DAY - SECOND)
    assert.equal(summary(await get(zone, fetched)), expected)
  })
}

test('a policy of the mode none that is remembered is no fallback', async () => {
  const { get } = world()
  await get(RECORD, served('none'))
  assert.equal(summary(await get({})), 'none old sts-policy-fetch-error no-mta-sts-dns-txt-record')
})

test('RFC 8461 §3.2: a policy is forgotten after max_age', async () => {
  const { get, clock } = world()
  await get(RECORD, SERVED)
  clock.advance(DAY)
  assert.equal(summary(await get({})), 'none sts-policy-fetch-error no-mta-sts-dns-txt-record')
})

test('RFC 8461 §3.2: no policy is remembered for longer than a year', async () => {
  const { get, clock, stored } = world()
  await get(RECORD, served('enforce', 2 ** 31 - 1))
  assert.equal(stored.get('x.example')?.validUntilAt, clock.now() + 31_557_600 * SECOND)
})

test('a new policy counts from when it was fetched', async () => {
  const { get, clock } = world()
  await get(RECORD, SERVED)
  clock.advance(DAY / 2)
  await get(OTHER_RECORD, served('testing'))
  clock.advance(DAY / 2)
  assert.equal(summary(await get(OTHER_RECORD)), 'testing fresh')
})

test('RFC 8461 §3.3: after a failure the policy is not asked for again for five minutes', async () => {
  const { get, clock, fetches } = world()
  await get(RECORD)
  clock.advance(5 * MINUTE - SECOND)
  const backOff = 'none sts-policy-fetch-error back-off-after-recent-fetch-error'
  assert.equal(summary(await get(OTHER_RECORD, SERVED)), backOff)
  assert.equal(fetches.length, 1)
  clock.advance(SECOND)
  assert.equal(summary(await get(RECORD, SERVED)), 'enforce fresh')
})

test('RFC 8461 §3.3: who has a policy does not ask for the next one for five minutes either', async () => {
  const { get, clock, fetches } = world()
  await get(RECORD, SERVED)
  await get(OTHER_RECORD)
  const reason = 'back-off-after-recent-fetch-error+fallback-to-cached-policy'
  assert.equal(summary(await get(OTHER_RECORD, SERVED)), `enforce old sts-policy-fetch-error ${reason}`)
  assert.deepEqual(fetches, [MINUTE, 30 * SECOND])
  assert.equal(summary(await get(RECORD)), 'enforce fresh')
  clock.advance(5 * MINUTE)
  assert.equal(summary(await get(OTHER_RECORD, served('none'))), 'none fresh')
})
