import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import type {
  Authentication,
  DkimResult,
  DmarcResult,
  SpfResult,
} from '../../../shared/authentication/authentication.ts'
import { authorDomains } from '../../../shared/authentication/author-domains.ts'
import { checkDmarc, isAuthorValidated } from '../../../shared/authentication/dmarc.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'

/** `pass y.example`, `temperror m.y.example`, … of SPF and of each signature. */
interface Claims {
  readonly from?: string
  readonly spf?: string
  readonly dkim?: readonly string[]
  /** What the draw for pct= comes to. */
  readonly draw?: number
}

const at = (text: string, domain = 'y.example'): FakeZone => ({ [`_dmarc.${domain}`]: { TXT: [text] } })
const REJECT = at('v=DMARC1; p=reject')
const SPF_FAIL: Claims = { spf: 'fail y.example' }

const cases: readonly (readonly [
  rule: string,
  expected: `${DmarcResult['result']} ${DmarcResult['policy']}`,
  zone: FakeZone,
  claims: Claims,
])[] = [
  ['nothing vouches for the author', 'fail reject', REJECT, SPF_FAIL],
  ['SPF passes for the author', 'pass reject', REJECT, { spf: 'pass y.example' }],
  ['SPF passes for another domain', 'fail reject', REJECT, { spf: 'pass evil.example' }],
  ['a signature of the author', 'pass reject', REJECT, { ...SPF_FAIL, dkim: ['pass y.example'] }],
  ['one signature of several', 'pass reject', REJECT, { dkim: ['fail y.example', 'pass y.example'] }],
  ['a signature of another domain', 'fail reject', REJECT, { dkim: ['pass evil.example'] }],
  ['a signature that failed', 'fail reject', REJECT, { dkim: ['fail y.example', 'policy y.example'] }],
  ['relaxed: SPF of a subdomain', 'pass reject', REJECT, { spf: 'pass m.y.example' }],
  ['relaxed: a signature of a subdomain', 'pass reject', REJECT, { dkim: ['pass a.b.y.example'] }],
  [
    'relaxed: a signature of the organization, for a subdomain',
    'pass reject',
    REJECT,
    { from: 'm.y.example', dkim: ['pass y.example'] },
  ],
  ['a name that only ends alike', 'fail reject', REJECT, { spf: 'pass evily.example' }],
  ['case does not matter', 'pass reject', REJECT, { spf: 'pass Y.Example' }],
  [
    'strict: SPF of a subdomain',
    'fail reject',
    at('v=DMARC1; p=reject; aspf=s'),
    { spf: 'pass m.y.example' },
  ],
  [
    'strict: SPF of the very domain',
    'pass reject',
    at('v=DMARC1; p=reject; aspf=s'),
    { spf: 'pass y.example' },
  ],
  [
    'strict: a signature of a subdomain',
    'fail reject',
    at('v=DMARC1; p=reject; adkim=s'),
    { dkim: ['pass m.y.example'] },
  ],
  [
    'strict for one is relaxed for the other',
    'pass reject',
    at('v=DMARC1; p=reject; adkim=s'),
    { spf: 'pass m.y.example' },
  ],
  ['no record, nothing passes', 'none none', {}, SPF_FAIL],
  ['no record, SPF passes', 'none none', {}, { spf: 'pass y.example' }],
  ['a TXT record of something else', 'none none', at('v=spf1 -all'), SPF_FAIL],
  [
    'a record among others',
    'fail reject',
    { '_dmarc.y.example': { TXT: ['v=spf1 -all', 'v=DMARC1; p=reject', 'x'] } },
    SPF_FAIL,
  ],
  [
    'several records count as none',
    'none none',
    { '_dmarc.y.example': { TXT: ['v=DMARC1; p=reject', 'v=DMARC1; p=none'] } },
    SPF_FAIL,
  ],
  ['a malformed record', 'permerror none', at('v=DMARC1; p=rejekt'), SPF_FAIL],
  ['the DNS fails', 'temperror none', { '_dmarc.y.example': { fails: true } }, SPF_FAIL],
  [
    'a subdomain goes by the record of its organization',
    'fail reject',
    REJECT,
    { from: 'a.b.y.example', spf: 'fail a.b.y.example' },
  ],
  [
    'a subdomain has a policy of its own (sp=)',
    'fail none',
    at('v=DMARC1; p=reject; sp=none'),
    { from: 'm.y.example' },
  ],
  ['sp= does not matter to the domain itself', 'fail reject', at('v=DMARC1; p=reject; sp=none'), {}],
  [
    'a record of the subdomain itself comes first, without sp=',
    'fail quarantine',
    { ...REJECT, ...at('v=DMARC1; p=quarantine; sp=none', 'm.y.example') },
    { from: 'm.y.example' },
  ],
  [
    'several records at a subdomain do not lead further up (RFC 7489 §6.6.3)',
    'none none',
    { ...REJECT, '_dmarc.m.y.example': { TXT: ['v=DMARC1; p=none', 'v=DMARC1; p=none'] } },
    { from: 'm.y.example' },
  ],
  [
    'the DNS fails for the organization',
    'temperror none',
    { '_dmarc.y.example': { fails: true } },
    { from: 'm.y.example' },
  ],
  ['a public suffix has no organization', 'none none', at('v=DMARC1; p=reject', 'uk'), { from: 'co.uk' }],
  [
    'customers of one company are strangers to each other',
    'fail reject',
    at('v=DMARC1; p=reject', 'a.github.io'),
    { from: 'a.github.io', spf: 'pass b.github.io' },
  ],
  ['p=none', 'fail none', at('v=DMARC1; p=none'), SPF_FAIL],
  ['p=quarantine stays quarantine', 'fail quarantine', at('v=DMARC1; p=quarantine'), SPF_FAIL],
  ['pct=30: drawn', 'fail reject', at('v=DMARC1; p=reject; pct=30'), { draw: 0.29 }],
  [
    'pct=30: not drawn, so the next milder policy',
    'fail quarantine',
    at('v=DMARC1; p=reject; pct=30'),
    { draw: 0.3 },
  ],
  ['pct=30: not drawn for quarantine', 'fail none', at('v=DMARC1; p=quarantine; pct=30'), { draw: 0.9 }],
  ['pct=0 is never drawn', 'fail quarantine', at('v=DMARC1; p=reject; pct=0'), { draw: 0 }],
  ['pct=100 is always drawn', 'fail reject', at('v=DMARC1; p=reject; pct=100'), { draw: 0.999999 }],
  ['SPF could have passed', 'temperror reject', REJECT, { spf: 'temperror y.example' }],
  ['a signature could have passed', 'temperror reject', REJECT, { dkim: ['temperror m.y.example'] }],
  [
    'what passes outweighs what could not be looked up',
    'pass reject',
    REJECT,
    { spf: 'temperror y.example', dkim: ['pass y.example'] },
  ],
  [
    'an error of a stranger saves no message',
    'fail reject',
    REJECT,
    { spf: 'temperror evil.example', dkim: ['temperror evil.example'] },
  ],
  ['a signature without domain saves no message', 'fail reject', REJECT, { dkim: ['temperror '] }],
  [
    'strict: an error that could not have been aligned',
    'fail reject',
    at('v=DMARC1; p=reject; adkim=s'),
    { dkim: ['temperror m.y.example'] },
  ],
]
for (const [rule, expected, zone, claims] of cases) {
  test(`DMARC (RFC 7489): ${rule}: ${expected}`, async () => {
    const from = parseDomainName(claims.from ?? 'y.example')
    const dmarc = await checkDmarc(portsOf(zone, claims.draw), [from], identifiersOf(claims))
    assert.equal(`${dmarc.result} ${dmarc.policy}`, expected, dmarc.problem)
    assert.equal(dmarc.fromDomain, from)
  })
}

test('the record is looked up at the domain and at its organization, and nowhere else', async () => {
  const ports = portsOf({})
  await checkDmarc(ports, [parseDomainName('a.b.c.y.example')], identifiersOf({}))
  assert.deepEqual(ports.resolver.asked, ['TXT _dmarc.a.b.c.y.example', 'TXT _dmarc.y.example'])
})

test('the policy domain is where the record was found, and DNSSEC must vouch for both lookups', async () => {
  const zone: FakeZone = { ...REJECT, '_dmarc.m.y.example': { authentic: false } }
  const dmarc = await checkDmarc(portsOf(zone), [parseDomainName('m.y.example')], identifiersOf({}))
  assert.deepEqual(dmarc, {
    result: 'fail',
    fromDomain: 'm.y.example',
    policyDomain: 'y.example',
    policy: 'reject',
    problem: '',
    authentic: false,
  })
})

test('a message without author has no result', async () => {
  const dmarc = await checkDmarc(portsOf({}), [], identifiersOf({ spf: 'pass y.example' }))
  assert.deepEqual([dmarc.result, dmarc.problem], ['none', 'no author domain'])
})

test('of several authors the worst counts (RFC 7489 §6.6.1)', async () => {
  const authors = ['evil.example', 'y.example'].map(parseDomainName)
  const claims = { spf: 'pass evil.example' }
  for (const order of [authors, authors.toReversed()]) {
    const dmarc = await checkDmarc(portsOf(REJECT), order, identifiersOf(claims))
    assert.deepEqual([dmarc.result, dmarc.policy, dmarc.fromDomain], ['fail', 'reject', 'y.example'])
  }
})

const froms: readonly (readonly [rule: string, header: string, domains: readonly string[]])[] = [
  ['an address', 'From: Ann <ann@y.example>', ['y.example']],
  ['a comment and a fold', 'From: (a\r\n b) ann@Y.Example', ['y.example']],
  ['a name that looks like an address', 'From: "boss@bank.example" <x@evil.example>', ['evil.example']],
  ['an international domain', 'From: x@b\u00fccher.example', ['xn--bcher-kva.example']],
  ['a local part that is none', 'From: a..b@y.example', ['y.example']],
  ['several of one domain', 'From: a@y.example, b@y.example', ['y.example']],
  ['several domains', 'From: a@y.example, b@z.example', ['y.example', 'z.example']],
  ['several fields', 'From: a@y.example\r\nSubject: x\r\nfrom : b@z.example', ['y.example', 'z.example']],
  [
    'of more than two fields the first and the last',
    'From: a@y.example\r\nFrom: b@z.example\r\nFrom: c@w.example',
    ['y.example', 'w.example'],
  ],
  ['a group (RFC 6854)', 'From: us: a@y.example, b@z.example;', ['y.example', 'z.example']],
  [
    'no more than four of a field',
    `From: ${[1, 2, 3, 4, 5].map((n) => `a@${n}.y.example`).join(', ')}`,
    ['1', '2', '3', '4'].map((n) => `${n}.y.example`),
  ],
  ['a name that only machines may have', 'From: a@_b_c.bank.example', ['_b_c.bank.example']],
  ['a final dot', 'From: <a@bank.example.>', ['bank.example']],
  ['characters that nobody sees', 'From: <a@ba\0nk.exam\x7fple>', ['bank.example']],
  ['no address', 'From: nobody', []],
  ['an address literal', 'From: a@[192.0.2.1]', []],
  ['no field', 'Subject: x', []],
]
for (const [rule, header, domains] of froms) {
  test(`the author's domain: ${rule}`, () => {
    assert.deepEqual(authorDomains(Buffer.from(`${header}\r\n\r\nFrom: body@body.example\r\n`)), domains)
  })
}

test('a hostile list of authors takes little time', () => {
  const field = `From: a@y.example, ${';b'.repeat(50_000)}\r\n`
  const startedAt = performance.now()
  assert.deepEqual(authorDomains(Buffer.from(field.repeat(10))), ['y.example'])
  assert.ok(performance.now() - startedAt < 1000)
})

test('an author without DMARC record is validated by what is aligned, strictly or not', () => {
  const none: DmarcResult = {
    result: 'none',
    fromDomain: 'y.example',
    policy: 'none',
    problem: '',
    authentic: true,
  }
  const rows: readonly (readonly [isValidated: boolean, dmarc: DmarcResult, claims: Claims])[] = [
    [true, { ...none, result: 'pass' }, {}],
    [false, { ...none, result: 'fail' }, { spf: 'pass y.example' }],
    [false, { ...none, result: 'temperror' }, { spf: 'pass y.example' }],
    [true, none, { spf: 'pass y.example' }],
    [true, none, { dkim: ['pass m.y.example'] }],
    [false, none, { spf: 'pass evil.example', dkim: ['fail y.example'] }],
    [false, { result: 'none', policy: 'none', problem: '', authentic: true }, { spf: 'pass y.example' }],
  ]
  for (const [isValidated, dmarc, claims] of rows) {
    const iprev: Authentication['iprev'] = { result: 'fail', authentic: true }
    assert.equal(isAuthorValidated({ iprev, ...identifiersOf(claims), dmarc }), isValidated)
  }
})

function portsOf(zone: FakeZone, draw = 0) {
  return { resolver: fakeDns(zone), random: { fraction: () => draw } }
}

function identifiersOf({ spf = 'none y.example', dkim = [] }: Claims): Pick<Authentication, 'spf' | 'dkim'> {
  const [result = '', domain = ''] = spf.split(' ')
  return {
    spf: {
      result: result as SpfResult['result'],
      identity: 'mailfrom',
      domain,
      mechanism: '',
      problem: '',
      authentic: true,
    },
    dkim: dkim.map((text) => {
      const [result = '', domain = ''] = text.split(' ')
      return {
        result: result as DkimResult['result'],
        ...(domain !== '' && { domain }),
        problem: '',
        authentic: true,
      }
    }),
  }
}
