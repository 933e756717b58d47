import { lines, opportunistic } from './lines.ts'
import type { MxScenario, MxServer, ServedPolicy } from './scenario.ts'

const both = {
  '@': {
    MX: [
      [10, 'one'],
      [20, 'two'],
    ],
  },
} as const
const trusted: MxServer = { chain: ['trusted'] }
const verified = {
  outcomes: [lines.acceptedIn('WebPKI')],
  sessions: ['mx MAIL in TLS'],
  reports: [`${lines.sts}: 1`, `${lines.host}: 1`],
  remembered: 'TLS',
} as const

/** An enforced policy refuses a server; nothing is said there in the clear. */
function refused(outcome: string, reports: readonly string[]): MxScenario['expected'] {
  return { outcomes: [outcome], sessions: ['mx'], reports }
}

/** A known policy is enforced: a server that nobody vouches for is refused. */
function known(details: readonly string[]): MxScenario['expected'] {
  const told = [...details, 'certificate-not-trusted 1'].join('; ')
  return refused(lines.notAccepted('not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'), [
    `${lines.sts}: 0; ${told}`,
    `${lines.host}: 1`,
  ])
}

/** A policy that cannot be had: mail goes as if there were none. */
function without(rule: string, policy: ServedPolicy | 'no host', detail: string): MxScenario {
  return {
    rule: `§2.7: ${rule} is reported, and mail goes as if there were no policy`,
    policy,
    expected: {
      ...opportunistic,
      reports: [`${lines.domain}: 1; ${detail} 0; ${lines.untrusted}`, `${lines.host}: 1`],
    },
  }
}

/** A record that is none. */
function noRecord(rule: string, TXT: readonly string[], reports: readonly string[]): MxScenario {
  return {
    rule,
    policy: {},
    names: { '@': { MX: [[10, 'mx']] }, '_mta-sts': { TXT } },
    expected: { ...opportunistic, reports },
  }
}

/** RFC 8461, §2.3 and §2.7. */
export const mtaStsScenarios: readonly MxScenario[] = [
  {
    rule: '§2.3 row "enforce": a host that the policy lists and WebPKI knows gets the mail',
    policy: {},
    servers: { mx: trusted },
    expected: verified,
  },
  {
    rule: '§2.3 row "enforce": a certificate that nobody vouches for is refused',
    policy: {},
    expected: refused(lines.notAccepted('not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'), [
      `${lines.sts}: 0; certificate-not-trusted 1`,
      `${lines.host}: 1`,
    ]),
  },
  {
    rule: '§2.3 row "enforce": a certificate of another host is refused',
    policy: {},
    servers: { mx: { chain: ['trusted, of another name'] } },
    expected: refused(lines.notAccepted('is for another host name'), [
      `${lines.sts}: 0; certificate-host-mismatch 1`,
      `${lines.host}: 1`,
    ]),
  },
  {
    rule: '§2.3 row "enforce": an expired certificate is refused',
    policy: {},
    servers: { mx: { chain: ['trusted, expired'] } },
    expected: refused(lines.notAccepted('not accepted (CERT_HAS_EXPIRED)'), [
      `${lines.sts}: 0; certificate-expired 1`,
      `${lines.host}: 1`,
    ]),
  },
  {
    rule: '§2.3 row "enforce": a server without STARTTLS gets nothing',
    policy: {},
    servers: { mx: { tls: 'not offered' } },
    expected: refused(
      'temporary 502 5.5.1 at mx.x.test, plain: STARTTLS with mx.x.test:25: the server answered 502 5.5.1 what?',
      [
        `${lines.sts}: 0; starttls-not-supported smtp-starttls-reply-code-502 1`,
        `${lines.host}: 0; starttls-not-supported smtp-starttls-reply-code-502 1`,
      ],
    ),
  },
  {
    rule: '§2.3 row "enforce": TLS that is broken is waited out, and never gone without',
    policy: {},
    servers: { mx: { tls: 'alert' } },
    expected: refused(`temporary at mx.x.test, plain: ${lines.brokenHandshake}`, [
      `${lines.sts}: 0; ${lines.alert}`,
      `${lines.host}: 0; ${lines.alert}`,
    ]),
  },
  {
    rule: '§2.3 row "enforce": where the best host cannot be verified, the next takes the mail',
    policy: { mx: ['one', 'two'] },
    names: both,
    servers: { one: {}, two: trusted },
    expected: {
      outcomes: [lines.acceptedIn('WebPKI', 'two')],
      sessions: ['one', 'two MAIL in TLS'],
      reports: [
        `${lines.sts}: 1; certificate-not-trusted 1`,
        'no-policy-found host one.x.test: 1',
        'no-policy-found host two.x.test: 1',
      ],
      remembered: 'TLS',
    },
  },
  {
    rule: '§2.3 row "testing": an untrusted certificate is only reported',
    policy: { mode: 'testing' },
    expected: {
      ...opportunistic,
      reports: [`${lines.sts}: 0; certificate-not-trusted 1`, `${lines.host}: 1`],
    },
  },
  {
    rule: '§2.3 row "testing": broken TLS is reported, and gone without',
    policy: { mode: 'testing' },
    servers: { mx: { tls: 'alert' } },
    expected: {
      outcomes: [lines.acceptedIn('plain')],
      sessions: ['mx', 'mx MAIL in the clear'],
      reports: [`${lines.sts}: 0; ${lines.alert}`, `${lines.host}: 0; ${lines.alert}`],
      remembered: 'plain',
    },
  },
  {
    rule: '§2.3 row "none": a policy of the mode none asks for nothing',
    policy: { mode: 'none' },
    expected: {
      ...opportunistic,
      reports: [`${lines.sts}: 1; ${lines.untrusted}`, `${lines.host}: 1`],
    },
  },
  {
    rule: '§2.3 row "MX mismatch, enforce": a host that the policy does not list is not called',
    policy: { mx: ['other'] },
    servers: { mx: trusted },
    expected: {
      outcomes: ['temporary: the MTA-STS policy does not list mx.x.test'],
      sessions: [],
      reports: [`${lines.sts}: 0; validation-failure mtasts-policy-mx-mismatch 1`],
    },
  },
  {
    rule: '§2.3 row "MX mismatch, enforce": the next host, which is listed, takes the mail',
    policy: { mx: ['two'] },
    names: both,
    servers: { one: trusted, two: trusted },
    expected: {
      outcomes: [lines.acceptedIn('WebPKI', 'two')],
      sessions: ['two MAIL in TLS'],
      reports: [
        `${lines.sts}: 1; validation-failure mtasts-policy-mx-mismatch 1`,
        'no-policy-found host two.x.test: 1',
      ],
      remembered: 'TLS',
    },
  },
  {
    rule: '§2.3 row "MX mismatch, enforce": DANE does not make up for it',
    policy: { mx: ['other'] },
    tlsa: { mx: ['3 1 1 own'] },
    expected: {
      outcomes: ['temporary: the MTA-STS policy does not list mx.x.test'],
      sessions: [],
      reports: [`${lines.sts}: 0; validation-failure mtasts-policy-mx-mismatch 1`],
    },
  },
  {
    rule: '§2.3 row "MX mismatch, testing": it is only reported',
    policy: { mode: 'testing', mx: ['other'] },
    servers: { mx: trusted },
    expected: {
      ...opportunistic,
      reports: [`${lines.sts}: 0; validation-failure mtasts-policy-mx-mismatch 1`, `${lines.host}: 1`],
    },
  },
  {
    rule: 'RFC 8461 §4.1: a wildcard lists hosts of one more label',
    policy: { mx: ['*.@'] },
    servers: { mx: trusted },
    expected: verified,
  },
  {
    rule: 'RFC 8461 §4.1: a wildcard lists no hosts of two more labels',
    policy: { mx: ['*.@'] },
    names: { '@': { MX: [[10, 'mx.deep']] } },
    servers: { 'mx.deep': trusted },
    expected: {
      outcomes: ['temporary: the MTA-STS policy does not list mx.deep.x.test'],
      sessions: [],
      reports: [`${lines.sts}: 0; validation-failure mtasts-policy-mx-mismatch 1`],
    },
  },
  {
    rule: 'RFC 8461 §3: the policy of an alias is that of its own name, not of where it leads',
    domain: 'alias',
    policy: { mx: ['other'] },
    names: { alias: { CNAME: '@' }, '@': { MX: [[10, 'mx']] } },
    expected: {
      ...opportunistic,
      reports: [`no-policy-found alias.x.test: 1; ${lines.untrusted}`, `${lines.host}: 1`],
    },
  },
  {
    rule: '§2.3 row "usable records, enforce": DANE and WebPKI must both be content, and are',
    policy: {},
    servers: { mx: trusted },
    tlsa: { mx: ['3 1 1 trusted'] },
    expected: {
      ...verified,
      outcomes: [lines.acceptedIn('DANE and WebPKI')],
      reports: [`${lines.sts}: 1`, `${lines.tlsa}: 1`],
    },
  },
  {
    rule: '§2.3 row "usable records, enforce": what DANE vouches for, WebPKI may refuse',
    policy: {},
    tlsa: { mx: ['3 1 1 own'] },
    expected: refused(lines.notAccepted('not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'), [
      `${lines.sts}: 0; certificate-not-trusted 1`,
      `${lines.tlsa}: 1`,
    ]),
  },
  {
    rule: '§2.3 row "usable records, enforce": what WebPKI vouches for, DANE may refuse',
    policy: {},
    servers: { mx: trusted },
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: refused(
      'temporary at mx.x.test, TLS: DANE does not vouch for mx.x.test: dane-ee spki sha2-256: the server has another certificate',
      [`${lines.sts}: 1`, `${lines.tlsa}: 0; validation-failure dane-no-match 1`],
    ),
  },
  {
    rule: '§2.3 row "only unusable records, enforce": WebPKI vouches for the server',
    policy: {},
    servers: { mx: trusted },
    tlsa: { mx: ['1 1 1 trusted'] },
    expected: {
      ...verified,
      reports: [`${lines.tlsa}: 1; tlsa-invalid all-unusable-records+ignored 0`, `${lines.sts}: 1`],
    },
  },
  {
    rule: '§2.3 row "only unusable records, enforce": whom WebPKI does not know gets nothing',
    policy: {},
    tlsa: { mx: ['1 1 1 own'] },
    expected: refused(lines.notAccepted('not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'), [
      `${lines.tlsa}: 1; tlsa-invalid all-unusable-records+ignored 0`,
      `${lines.sts}: 0; certificate-not-trusted 1`,
    ]),
  },
  {
    rule: '§2.7: a record that cannot be looked up is waited for, before any host is called',
    zones: { '_mta-sts': 'lame' },
    policy: {},
    expected: {
      outcomes: ['temporary: the MTA-STS policy is not known: TXT _mta-sts.x.test: SERVFAIL'],
      sessions: [],
      reports: [`${lines.domain}: 0; sts-policy-fetch-error dns-lookup 1`],
    },
  },
  noRecord('§10: a TXT record that is another’s is no MTA-STS', ['v=spf1 -all'], opportunistic.reports),
  noRecord(
    '§10: several records are none, and reported',
    ['v=STSv1; id=one', 'v=STSv1; id=two'],
    [
      `${lines.domain}: 1; sts-policy-fetch-error multiple-mta-sts-records 0; ${lines.untrusted}`,
      `${lines.host}: 1`,
    ],
  ),
  noRecord(
    '§10: a record with a wrong id is none, and reported',
    ['v=STSv1; id=a-b'],
    [
      `${lines.domain}: 1; sts-policy-fetch-error record-syntax-error 0; ${lines.untrusted}`,
      `${lines.host}: 1`,
    ],
  ),
  {
    rule: '§10: one record among others is the record',
    policy: {},
    names: { '@': { MX: [[10, 'mx']] }, '_mta-sts': { TXT: ['v=spf1 -all', 'v=STSv1; id=one'] } },
    servers: { mx: trusted },
    expected: verified,
  },
  {
    rule: '§10: the record may be an alias',
    policy: {},
    names: {
      '@': { MX: [[10, 'mx']] },
      '_mta-sts': { CNAME: 'record' },
      record: { TXT: ['v=STSv1; id=one'] },
    },
    servers: { mx: trusted },
    expected: verified,
  },
  {
    rule: '§2.7: a known policy of the same record counts, and the policy host is not asked',
    isPolicyKnown: true,
    policy: 'no host',
    expected: known([]),
  },
  {
    rule: 'RFC 8461 §10.2: a known policy counts although its record is gone',
    isPolicyKnown: true,
    expected: known(['sts-policy-fetch-error no-mta-sts-dns-txt-record+fallback-to-cached-policy 0']),
  },
  {
    rule: 'RFC 8461 §10.2: a known policy counts although its record cannot be looked up',
    isPolicyKnown: true,
    policy: {},
    zones: { '_mta-sts': 'lame' },
    expected: known(['sts-policy-fetch-error dns-lookup+fallback-to-cached-policy 0']),
  },
  {
    rule: 'RFC 8461 §5.1: a known policy counts although the newer one cannot be had',
    isPolicyKnown: true,
    policy: { status: 500 },
    names: { '@': { MX: [[10, 'mx']] }, '_mta-sts': { TXT: ['v=STSv1; id=two'] } },
    expected: known(['sts-policy-fetch-error cannot-fetch-policy+fallback-to-cached-policy 0']),
  },
  {
    rule: 'RFC 8461 §5.1: a newer policy takes the place of a known one',
    isPolicyKnown: true,
    policy: { mode: 'none' },
    names: { '@': { MX: [[10, 'mx']] }, '_mta-sts': { TXT: ['v=STSv1; id=two'] } },
    expected: { ...opportunistic, reports: [`${lines.sts}: 1; ${lines.untrusted}`, `${lines.host}: 1`] },
  },
  without('a policy host that is not there', 'no host', 'sts-policy-fetch-error no-policy-served'),
  without('404', { status: 404 }, 'sts-policy-fetch-error no-policy-served'),
  without('500', { status: 500 }, 'sts-policy-fetch-error cannot-fetch-policy'),
  without('a redirect', { status: 301 }, 'sts-policy-fetch-error cannot-fetch-policy'),
  without(
    'a policy of more than 64 KiB',
    { text: `version: STSv1\n${'x: y\n'.repeat(14_000)}` },
    'sts-policy-fetch-error cannot-fetch-policy',
  ),
  without(
    'a policy that cannot be read',
    { text: 'version: STSv2\n' },
    'sts-policy-invalid policy-syntax-error',
  ),
  without(
    'a policy host of another name',
    { certificate: 'policy host of another name' },
    'sts-webpki-invalid certificate-host-mismatch',
  ),
  without(
    'a policy host whose certificate has expired',
    { certificate: 'policy host, expired' },
    'sts-webpki-invalid certificate-expired',
  ),
  without(
    'a policy host that nobody vouches for',
    { certificate: 'policy host of nobody' },
    'sts-webpki-invalid certificate-not-trusted',
  ),
]
