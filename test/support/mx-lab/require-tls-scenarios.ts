import { lines, opportunistic } from './lines.ts'
import type { MxScenario, MxServer } from './scenario.ts'

const both = {
  '@': {
    MX: [
      [10, 'one'],
      [20, 'two'],
    ],
  },
} as const
const promises: MxServer = { extensions: ['REQUIRETLS'] }
const unverifiable = (host = 'mx') =>
  `${host}.x.test cannot be verified, by DANE or by an enforced MTA-STS policy, as the message demands (RFC 8689)`
const notOffered = (host = 'mx') =>
  `${host}.x.test does not offer REQUIRETLS, which the message demands (RFC 8689)`
const untrusted = `${lines.domain}: 1; ${lines.untrusted}`
const inTheClear = {
  outcomes: [lines.acceptedIn('plain')],
  sessions: ['mx', 'mx MAIL in the clear'],
  remembered: 'plain',
} as const

/** RFC 8689, §2.3 and §2.5: what the sender of a message demands, or does without. */
export const requireTlsScenarios: readonly MxScenario[] = [
  {
    rule: 'AT-39d: REQUIRETLS goes to a server that DANE vouches for and that offers it',
    requireTls: true,
    tlsa: { mx: ['3 1 1 own'] },
    servers: { mx: promises },
    expected: {
      outcomes: [lines.acceptedIn('DANE')],
      sessions: ['mx MAIL in TLS'],
      reports: [untrusted, `${lines.tlsa}: 1`],
      remembered: 'TLS and REQUIRETLS',
    },
  },
  {
    rule: '§2.3 row "STS enforce, REQUIRETLS": it goes to a server that WebPKI vouches for and that offers it',
    requireTls: true,
    policy: {},
    servers: { mx: { ...promises, chain: ['trusted'] } },
    expected: {
      outcomes: [lines.acceptedIn('WebPKI')],
      sessions: ['mx MAIL in TLS'],
      reports: [`${lines.sts}: 1`, `${lines.host}: 1`],
      remembered: 'TLS and REQUIRETLS',
    },
  },
  {
    rule: '§2.3: REQUIRETLS waits for a server that DANE does not vouch for',
    requireTls: true,
    tlsa: { mx: ['3 1 1 foreign'] },
    servers: { mx: promises },
    expected: {
      outcomes: [
        'temporary at mx.x.test, TLS: DANE does not vouch for mx.x.test: dane-ee spki sha2-256: the server has another certificate',
      ],
      sessions: ['mx'],
      reports: [untrusted, `${lines.tlsa}: 0; validation-failure dane-no-match 1`],
    },
  },
  {
    rule: 'AT-39h: REQUIRETLS fails at once where no host offers it',
    requireTls: true,
    names: both,
    tlsa: { one: ['3 1 1 own'], two: ['3 1 1 own'] },
    servers: { one: {}, two: {} },
    expected: {
      outcomes: [`permanent 554 5.7.30: ${notOffered('one')}; ${notOffered('two')}`],
      sessions: ['one', 'two'],
      reports: [
        `${lines.domain}: 2; ${lines.untrusted}; ${lines.untrusted}`,
        'tlsa host one.x.test: 1',
        'tlsa host two.x.test: 1',
      ],
      remembered: 'TLS',
    },
  },
  {
    rule: 'AT-39h: REQUIRETLS goes to the next host, which offers it',
    requireTls: true,
    names: both,
    tlsa: { one: ['3 1 1 own'], two: ['3 1 1 own'] },
    servers: { one: {}, two: promises },
    expected: {
      outcomes: [lines.acceptedIn('DANE', 'two')],
      sessions: ['one', 'two MAIL in TLS'],
      reports: [
        `${lines.domain}: 2; ${lines.untrusted}; ${lines.untrusted}`,
        'tlsa host one.x.test: 1',
        'tlsa host two.x.test: 1',
      ],
      remembered: 'TLS and REQUIRETLS',
    },
  },
  {
    rule: 'AT-39h: REQUIRETLS waits for a host that does not answer, which may offer it',
    requireTls: true,
    names: both,
    tlsa: { one: ['3 1 1 own'], two: ['3 1 1 own'] },
    servers: { one: {}, two: 'down' },
    expected: {
      outcomes: [`temporary: ${notOffered('one')}; connecting to two.x.test:25: connection refused`],
      sessions: ['one'],
      reports: [untrusted, 'tlsa host one.x.test: 1'],
      remembered: 'TLS',
    },
  },
  {
    rule: 'AT-39i: REQUIRETLS without DANE or MTA-STS fails at once, and no server is called',
    requireTls: true,
    servers: { mx: promises },
    expected: { outcomes: [`permanent 554 5.7.30: ${unverifiable()}`], sessions: [], reports: [] },
  },
  {
    rule: '§2.3 row "no usable DANE, not enforce, REQUIRETLS": a policy in testing is not enough',
    requireTls: true,
    policy: { mode: 'testing' },
    servers: { mx: { ...promises, chain: ['trusted'] } },
    expected: { outcomes: [`permanent 554 5.7.30: ${unverifiable()}`], sessions: [], reports: [] },
  },
  {
    rule: '§2.3 row "no usable DANE, not enforce, REQUIRETLS": unusable TLSA records are not enough',
    requireTls: true,
    tlsa: { mx: ['1 1 1 own'] },
    servers: { mx: promises },
    expected: {
      outcomes: [`permanent 554 5.7.30: ${unverifiable()}`],
      sessions: [],
      reports: [`${lines.tlsa}: 0; tlsa-invalid all-unusable-records+ignored 0`],
    },
  },
  {
    rule: 'AT-39g: TLS-Required: No takes a server that DANE does not vouch for',
    requireTls: false,
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: {
      ...opportunistic,
      reports: [untrusted, `${lines.tlsa}: 0; validation-failure dane-no-match 1`],
    },
  },
  {
    rule: 'AT-39g: TLS-Required: No goes without TLS where that is broken, in spite of DANE',
    requireTls: false,
    tlsa: { mx: ['3 1 1 own'] },
    servers: { mx: { tls: 'alert' } },
    expected: {
      ...inTheClear,
      reports: [`${lines.domain}: 0; ${lines.alert}`, `${lines.tlsa}: 0; ${lines.alert}`],
    },
  },
  {
    rule: '§2.3 row "No": a server without STARTTLS gets the mail in spite of DANE',
    requireTls: false,
    tlsa: { mx: ['3 1 1 own'] },
    servers: { mx: { tls: 'not offered' } },
    expected: {
      ...inTheClear,
      reports: [
        `${lines.domain}: 0; starttls-not-supported smtp-starttls-reply-code-502 1`,
        `${lines.tlsa}: 0; starttls-not-supported smtp-starttls-reply-code-502 1`,
      ],
    },
  },
  {
    rule: '§2.3 row "No": an enforced policy that lists another host, and broken TLS, keep nothing back',
    requireTls: false,
    policy: { mx: ['other'] },
    servers: { mx: { tls: 'alert' } },
    expected: {
      ...inTheClear,
      reports: [
        `${lines.sts}: 0; validation-failure mtasts-policy-mx-mismatch 1; ${lines.alert}`,
        `${lines.host}: 0; ${lines.alert}`,
      ],
    },
  },
  {
    rule: '§2.3 row "No": an enforced policy that WebPKI does not fulfil keeps nothing back',
    requireTls: false,
    policy: {},
    expected: {
      ...opportunistic,
      reports: [`${lines.sts}: 0; certificate-not-trusted 1`, `${lines.host}: 1`],
    },
  },
  {
    rule: '§2.3 row "TLSA error, No": mail goes on without DANE',
    requireTls: false,
    zones: { '_tcp.mx': 'bogus' },
    tlsa: { mx: ['3 1 1 own'] },
    expected: {
      ...opportunistic,
      reports: [`${lines.tlsa}: 1; dnssec-invalid dns-extended-error-6-dnssec-bogus 1`, untrusted],
    },
  },
  {
    rule: '§2.3 row "STS lookup error, No": mail goes on without the policy',
    requireTls: false,
    zones: { '_mta-sts': 'lame' },
    policy: {},
    expected: {
      ...opportunistic,
      reports: [
        `${lines.domain}: 1; sts-policy-fetch-error dns-lookup 1; ${lines.untrusted}`,
        `${lines.host}: 1`,
      ],
    },
  },
]
