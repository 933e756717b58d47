import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  byDayResults,
  type DayResults,
  dayOf,
  mergeDays,
  startOfDay,
} from '../../../shared/tls-results/day-results.ts'
import type { TlsResult } from '../../../shared/tls-results/tls-results.ts'
import { tlsFailure, tlsResult } from '../../support/tls-result.ts'

/** What attempts leave in their only row, one after the other. */
function rowOf(...attempts: readonly TlsResult[]): DayResults {
  const rows = attempts.flatMap((attempt) => byDayResults([attempt], '20260601'))
  return rows.reduce(mergeDays)
}

test('a day is a day in UTC', () => {
  assert.equal(dayOf(Date.UTC(2026, 5, 1, 23, 59, 59, 999)), '20260601')
  assert.equal(startOfDay('20260601'), Date.UTC(2026, 5, 1))
})

test('RFC 8460 §4.4: sessions under the same policy are added up', () => {
  const row = rowOf(tlsResult(), tlsResult({ success: 2, failures: [tlsFailure()] }))
  const { policyType, policyStrings, mxHosts } = tlsResult()
  assert.deepEqual(row, {
    day: '20260601',
    recipientDomain: 'x.example',
    policyDomain: 'x.example',
    isHost: false,
    policies: [{ policyType, policyStrings, mxHosts, success: 3, failures: [tlsFailure()] }],
  })
})

test('failures of the same kind are counted, others are told apart', () => {
  const failure = (more: Parameters<typeof tlsFailure>[0]) =>
    tlsResult({ success: 0, failures: [tlsFailure(more)] })
  const others = [
    { resultType: 'certificate-not-trusted' },
    { reason: 'expired' },
    { text: 'y' },
    { receivingHost: 'mx2.x.example' },
    { receivingIp: '192.0.2.2' },
    { sendingIp: '192.0.2.3' },
  ] as const
  const row = rowOf(failure({ count: 2 }), failure({ count: 3 }), ...others.map(failure))
  assert.deepEqual(
    row.policies[0]?.failures.map(({ count }) => count),
    [5, 1, 1, 1, 1, 1, 1],
  )
})

test('another policy is another result: type, strings or hosts', () => {
  const sts = { policyType: 'sts', policyStrings: ['version: STSv1', 'mode: enforce'] } as const
  const row = rowOf(
    tlsResult(),
    tlsResult(sts),
    tlsResult({ ...sts, policyStrings: ['version: STSv1', 'mode: testing'] }),
    tlsResult({ ...sts, mxHosts: ['*.x.example'] }),
  )
  assert.deepEqual(
    row.policies.map(({ success }) => success),
    [1, 1, 1, 1],
  )
})

test('records in another order are the same policy', () => {
  const tlsa = (...policyStrings: string[]) => tlsResult({ policyType: 'tlsa', policyStrings })
  assert.equal(rowOf(tlsa('3 1 1 aa', '3 1 1 bb'), tlsa('3 1 1 bb', '3 1 1 aa')).policies.length, 1)
})

test('an attempt leaves a row for each policy domain, with names in lower case', () => {
  const host = tlsResult({ policyDomain: 'MX_1.X.example', policyType: 'tlsa', isHost: true })
  const rows = byDayResults([tlsResult(), host], '20260601')
  assert.deepEqual(
    rows.map(({ recipientDomain, policyDomain, isHost }) => [recipientDomain, policyDomain, isHost]),
    [
      ['x.example', 'x.example', false],
      ['x.example', 'mx_1.x.example', true],
    ],
  )
})

const noNames = ['', '192.0.2.1', '[192.0.2.1]', '2001:db8::1', 'a#b.example', 'a..example', 'bücher.example']
for (const name of noNames) {
  test(`no results are kept of ${JSON.stringify(name)}, which can be no key`, () => {
    assert.deepEqual(byDayResults([tlsResult({ recipientDomain: name })], '20260601'), [])
    assert.deepEqual(byDayResults([tlsResult({ policyDomain: name })], '20260601'), [])
  })
}

test('a recipient domain that is its own host and has TLSA records has a policy', () => {
  const tlsa = tlsResult({ policyType: 'tlsa', isHost: true })
  const [row, ...others] = byDayResults([tlsResult(), tlsa], '20260601')
  assert.deepEqual([row?.policies.map(({ policyType }) => policyType), others], [['tlsa'], []])
})

test('of a domain whose hosts have TLSA records, but not itself, it is said that it has no policy', () => {
  const tlsa = tlsResult({ policyDomain: 'mx.x.example', policyType: 'tlsa', isHost: true })
  assert.equal(byDayResults([tlsResult(), tlsa], '20260601').length, 2)
})

test('of 100 kinds of failure the row keeps all, further ones count under the last', () => {
  const failures = Array.from({ length: 120 }, (_, number) => tlsFailure({ reason: `${number}` }))
  const kept = rowOf(tlsResult({ failures })).policies[0]?.failures ?? []
  assert.equal(kept.length, 100)
  assert.deepEqual([kept[98], kept[99]], [failures[98], { ...failures[99], count: 21 }])
})

test('a policy that comes when the kinds of failure are used up has one of its own', () => {
  const failures = Array.from({ length: 120 }, (_, number) => tlsFailure({ reason: `${number}` }))
  const row = rowOf(tlsResult({ failures }), tlsResult({ policyType: 'sts', failures }))
  assert.deepEqual(row.policies[1]?.failures, [{ ...failures[0], count: 120 }])
})

test('of many policies of a day the row keeps ten, further ones count under the last', () => {
  const many = Array.from({ length: 15 }, (_, number) => tlsResult({ policyStrings: [`${number}`] }))
  assert.deepEqual(
    rowOf(...many).policies.map(({ success }) => success),
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 6],
  )
})

test('whatever remote servers say, a row stays below 400 KB', () => {
  const long = '\u20ac'.repeat(2_000)
  const failures = Array.from({ length: 120 }, (_, number) =>
    tlsFailure({
      ...{ text: `${number}${long}`, reason: `${number}${long}`, receivingHost: long },
      ...{ receivingIp: long, sendingIp: long },
    }),
  )
  const policies = Array.from({ length: 12 }, (_, number) => {
    const policyStrings = Array.from({ length: 60 }, () => `${number}${long}`)
    return tlsResult({ policyStrings, mxHosts: Array.from({ length: 30 }, () => long), failures })
  })
  const octets = Buffer.byteLength(JSON.stringify(rowOf(...policies)))
  assert.ok(octets < 380_000, `${octets}`)
})
