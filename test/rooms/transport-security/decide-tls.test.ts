import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type DaneFact,
  decideTls,
  type StsFact,
  type TlsDecision,
} from '../../../shared/transport-security/decide-tls.ts'

const dane = {
  none: { kind: 'none' },
  usable: { kind: 'usable' },
  unusable: { kind: 'unusable', reason: 'pkix-ee cert full: usage pkix-ee does not count here' },
  failed: {
    kind: 'failed',
    failure: { resultType: 'tlsa-invalid', text: 'TLSA: SERVFAIL', reason: 'dns-lookup' },
  },
} as const satisfies Record<string, DaneFact>

const sts = {
  none: { kind: 'none' },
  testing: { kind: 'testing', listsHost: true },
  enforce: { kind: 'enforce', listsHost: true },
  'testing without it': { kind: 'testing', listsHost: false },
  'enforce without it': { kind: 'enforce', listsHost: false },
  failed: {
    kind: 'failed',
    problem: { resultType: 'sts-policy-fetch-error', text: 'TXT: SERVFAIL', reason: 'dns-lookup' },
  },
} as const satisfies Record<string, StsFact>

type Row = readonly [
  dane: keyof typeof dane,
  sts: keyof typeof sts,
  wish: 'none' | 'REQUIRETLS' | 'No',
  expected: string,
]

/** §2.3 of the specification, row by row; `none/testing` and `any` are all that they stand for. */
const table: readonly Row[] = [
  ['none', 'none', 'none', 'opportunistic, nothing verified, else plain'],
  ['none', 'testing', 'none', 'opportunistic, nothing verified, else plain'],
  ['none', 'enforce', 'none', 'required, WebPKI'],
  ['usable', 'none', 'none', 'required, DANE'],
  ['usable', 'testing', 'none', 'required, DANE'],
  ['usable', 'enforce', 'none', 'required, DANE and WebPKI'],
  ['unusable', 'none', 'none', 'required, nothing verified; tlsa all-unusable-records+ignored'],
  ['unusable', 'testing', 'none', 'required, nothing verified; tlsa all-unusable-records+ignored'],
  ['unusable', 'enforce', 'none', 'required, WebPKI; tlsa all-unusable-records+ignored'],
  ['failed', 'none', 'none', 'wait: TLSA: SERVFAIL; tlsa dns-lookup!'],
  ['failed', 'testing', 'none', 'wait: TLSA: SERVFAIL; tlsa dns-lookup!'],
  ['failed', 'enforce', 'none', 'wait: TLSA: SERVFAIL; tlsa dns-lookup!'],
  ['failed', 'enforce', 'REQUIRETLS', 'wait: TLSA: SERVFAIL; tlsa dns-lookup!'],
  ['none', 'failed', 'none', 'wait: the MTA-STS policy is not known: TXT: SERVFAIL'],
  ['usable', 'failed', 'none', 'wait: the MTA-STS policy is not known: TXT: SERVFAIL'],
  ['none', 'failed', 'REQUIRETLS', 'wait: the MTA-STS policy is not known: TXT: SERVFAIL'],
  ['none', 'none', 'REQUIRETLS', 'unverifiable'],
  ['none', 'testing', 'REQUIRETLS', 'unverifiable'],
  ['unusable', 'none', 'REQUIRETLS', 'unverifiable; tlsa all-unusable-records+ignored'],
  ['unusable', 'testing', 'REQUIRETLS', 'unverifiable; tlsa all-unusable-records+ignored'],
  ['usable', 'none', 'REQUIRETLS', 'required, DANE, REQUIRETLS'],
  ['usable', 'testing', 'REQUIRETLS', 'required, DANE, REQUIRETLS'],
  ['usable', 'enforce', 'REQUIRETLS', 'required, DANE and WebPKI, REQUIRETLS'],
  ['none', 'enforce', 'REQUIRETLS', 'required, WebPKI, REQUIRETLS'],
  ['unusable', 'enforce', 'REQUIRETLS', 'required, WebPKI, REQUIRETLS; tlsa all-unusable-records+ignored'],
  [
    'none',
    'enforce without it',
    'none',
    'wait: the MTA-STS policy does not list mx.example; sts mtasts-policy-mx-mismatch!',
  ],
  [
    'usable',
    'enforce without it',
    'none',
    'wait: the MTA-STS policy does not list mx.example; sts mtasts-policy-mx-mismatch!',
  ],
  [
    'none',
    'enforce without it',
    'REQUIRETLS',
    'wait: the MTA-STS policy does not list mx.example; sts mtasts-policy-mx-mismatch!',
  ],
  [
    'none',
    'testing without it',
    'none',
    'opportunistic, nothing verified, else plain; sts mtasts-policy-mx-mismatch!',
  ],
  ['usable', 'testing without it', 'none', 'required, DANE; sts mtasts-policy-mx-mismatch!'],
  [
    'usable',
    'testing without it',
    'REQUIRETLS',
    'required, DANE, REQUIRETLS; sts mtasts-policy-mx-mismatch!',
  ],
  ['none', 'none', 'No', 'opportunistic, nothing verified, else plain'],
  ['none', 'testing', 'No', 'opportunistic, nothing verified, else plain'],
  ['none', 'enforce', 'No', 'required, nothing verified, else plain'],
  ['usable', 'none', 'No', 'required, nothing verified, DANE reported, else plain'],
  ['usable', 'enforce', 'No', 'required, nothing verified, DANE reported, else plain'],
  ['unusable', 'none', 'No', 'required, nothing verified, else plain; tlsa all-unusable-records+ignored'],
  ['failed', 'none', 'No', 'opportunistic, nothing verified, else plain; tlsa dns-lookup!'],
  ['none', 'failed', 'No', 'opportunistic, nothing verified, else plain'],
  [
    'none',
    'enforce without it',
    'No',
    'opportunistic, nothing verified, else plain; sts mtasts-policy-mx-mismatch!',
  ],
]

/** What matters of a decision, in one line; a problem that makes a session fail has an exclamation mark. */
function summary(decision: TlsDecision): string {
  const problems = decision.problems.map(
    ({ policy, failure, isFailure }) => `${policy} ${failure.reason}${isFailure ? '!' : ''}`,
  )
  return [whatToDo(decision), ...problems].join('; ')
}

function whatToDo(decision: TlsDecision): string {
  if (decision.kind === 'wait') return `wait: ${decision.error}`
  if (decision.kind === 'unverifiable') return 'unverifiable'
  const { startTls, dane: byDane, webPki, requireTls, mayGoPlain } = decision.demands
  const verified = [...(byDane === 'verify' ? ['DANE'] : []), ...(webPki === 'verify' ? ['WebPKI'] : [])]
  return [
    startTls,
    verified.join(' and ') || 'nothing verified',
    ...(byDane === 'report' ? ['DANE reported'] : []),
    ...(requireTls ? ['REQUIRETLS'] : []),
    ...(mayGoPlain ? ['else plain'] : []),
  ].join(', ')
}

const wishes = { none: undefined, REQUIRETLS: true, No: false }

for (const [daneKind, stsKind, wish, expected] of table) {
  test(`§2.3: DANE ${daneKind}, MTA-STS ${stsKind}, wish ${wish}: ${expected}`, () => {
    const facts = { host: 'mx.example', dane: dane[daneKind], sts: sts[stsKind], requireTls: wishes[wish] }
    assert.equal(summary(decideTls({ ...facts, isAddressLiteral: false })), expected)
  })
}

test('§2.3: an address literal has no policy, whatever is known of a domain', () => {
  const facts = { host: '192.0.2.1', dane: dane.usable, sts: sts.enforce, isAddressLiteral: true }
  const decide = (requireTls: boolean | undefined) => summary(decideTls({ ...facts, requireTls }))
  assert.equal(decide(undefined), 'opportunistic, nothing verified, else plain')
  assert.equal(decide(true), 'unverifiable')
})
