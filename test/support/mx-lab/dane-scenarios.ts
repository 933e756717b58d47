import { lines, opportunistic } from './lines.ts'
import type { MxScenario, MxServer } from './scenario.ts'

const verified = {
  outcomes: [lines.acceptedIn('DANE')],
  sessions: ['mx MAIL in TLS'],
  reports: [`${lines.domain}: 1; ${lines.untrusted}`, `${lines.tlsa}: 1`],
  remembered: 'TLS',
} as const

/** Records that vouch for a server. */
function vouching(rule: string, records: readonly string[], chain: readonly string[] = ['own']): MxScenario {
  return { rule, tlsa: { mx: records }, servers: { mx: { chain } }, expected: verified }
}

/** Records that do not: the mail waits, and is never said in the clear. */
function refusing(
  rule: string,
  [records, chain]: readonly [records: readonly string[], chain: readonly string[]],
  why: string,
  webPki = 'certificate-not-trusted',
): MxScenario {
  return {
    rule,
    tlsa: { mx: records },
    servers: { mx: { chain } },
    expected: {
      outcomes: [`temporary at mx.x.test, TLS: DANE does not vouch for mx.x.test: ${why}`],
      sessions: ['mx'],
      reports: [`${lines.domain}: 1; ${webPki} 0`, `${lines.tlsa}: 0; validation-failure dane-no-match 1`],
    },
  }
}

/** TLS that comes to nothing although TLSA records demand it. */
function withoutTls(
  rule: string,
  tls: NonNullable<MxServer['tls']>,
  outcome: string,
  detail: string,
): MxScenario {
  return {
    rule,
    tlsa: { mx: ['3 1 1 own'] },
    servers: { mx: { tls } },
    expected: {
      outcomes: [outcome],
      sessions: ['mx'],
      reports: [`${lines.domain}: 0; ${detail}`, `${lines.tlsa}: 0; ${detail}`],
    },
  }
}

const unusable = `${lines.tlsa}: 1; tlsa-invalid all-unusable-records+ignored 0`
const unauthenticated = { ...opportunistic, reports: [unusable, `${lines.domain}: 1; ${lines.untrusted}`] }

/** RFC 7672, §2.2 and §10 "dane": what TLSA records vouch for. */
export const daneScenarios: readonly MxScenario[] = [
  vouching('AT-39c: DANE-EE by the hash of the key vouches for a server', ['3 1 1 own']),
  vouching('RFC 7671 §5.1: DANE-EE by the longer hash', ['3 1 2 own']),
  vouching('RFC 7671 §5.1: DANE-EE by the key itself', ['3 1 0 own']),
  vouching('RFC 7671 §5.1: DANE-EE by the hash of the certificate', ['3 0 1 own']),
  {
    ...vouching(
      'RFC 7672 §3.1.1: DANE-EE vouches for an expired certificate of another name',
      ['3 1 1 own, expired and of another name'],
      ['own, expired and of another name'],
    ),
    expected: { ...verified, reports: [`${lines.domain}: 1; certificate-expired 0`, `${lines.tlsa}: 1`] },
  },
  vouching('RFC 7671 §5: one record that matches is enough', ['3 1 1 foreign', '2 0 1 TA', '3 1 1 own']),
  vouching('RFC 7672 §2.2: a malformed record beside a good one counts for nothing', [
    '3 1 1 #abcd',
    '3 1 1 own',
  ]),
  vouching('RFC 7672 §3.1.3: a PKIX record beside a good one counts for nothing', [
    '1 1 1 foreign',
    '3 1 1 own',
  ]),
  vouching('RFC 7672 §3.1.2: DANE-TA by the hash of the certificate', ['2 0 1 TA'], ['by TA', 'TA']),
  vouching('RFC 7672 §3.1.2: DANE-TA by the hash of the key', ['2 1 1 TA'], ['by TA', 'TA']),
  vouching('RFC 7672 §3.1.2: DANE-TA over an authority between', ['2 0 1 TA'], ['by middle', 'middle', 'TA']),
  vouching(
    'RFC 7672: a shuffled chain with foreign certificates leads to its DANE-TA',
    ['2 0 1 TA'],
    ['by middle', 'foreign authority', 'TA', 'foreign', 'middle'],
  ),
  vouching(
    'RFC 7671 §5.2: a DANE-TA that is in the record need not be sent',
    ['2 0 0 TA'],
    ['by middle', 'middle'],
  ),
  vouching(
    'RFC 7672 §3.2.2: under a DANE-TA the certificate may be for the recipients’ domain',
    ['2 0 1 TA'],
    ['by TA, for the domain', 'TA'],
  ),
  refusing(
    'RFC 7671 §5.2.2: a DANE-TA of which there is a hash only must be sent',
    [['2 0 1 TA'], ['by TA']],
    'dane-ta cert sha2-256: the server sent no such authority',
  ),
  refusing(
    'RFC 7672: an expired DANE-TA vouches for nothing',
    [['2 0 1 expired TA'], ['by expired TA', 'expired TA']],
    'dane-ta cert sha2-256: "CN=expired TA" expired on its day',
    'certificate-expired',
  ),
  refusing(
    'RFC 7672: under a DANE-TA a certificate that has expired is refused',
    [['2 0 1 TA'], ['by TA, expired', 'TA']],
    'dane-ta cert sha2-256: "CN=by TA expired" expired on its day',
    'certificate-expired',
  ),
  refusing(
    'RFC 7672: under a DANE-TA a certificate of another name is refused',
    [['2 0 1 TA'], ['by TA, of another name', 'TA']],
    "dane-ta cert sha2-256: the server's certificate is not for mx.x.test or x.test",
  ),
  refusing(
    'RFC 7672: under a DANE-TA a chain that does not lead there is refused',
    [['2 0 1 TA'], ['by middle', 'TA']],
    'dane-ta cert sha2-256: nothing leads from "CN=by middle" to the trust anchor',
  ),
  refusing(
    'AT-40: a TLSA record that does not match is waited out, and never gone without',
    [['3 1 1 foreign'], ['own']],
    'dane-ee spki sha2-256: the server has another certificate',
  ),
  {
    rule: 'RFC 7672 §2.1: where the best host is not who DANE says, the next takes the mail',
    names: {
      '@': {
        MX: [
          [10, 'one'],
          [20, 'two'],
        ],
      },
    },
    tlsa: { one: ['3 1 1 foreign'], two: ['3 1 1 own'] },
    servers: { one: {}, two: {} },
    expected: {
      outcomes: [lines.acceptedIn('DANE', 'two')],
      sessions: ['one', 'two MAIL in TLS'],
      reports: [
        `${lines.domain}: 2; ${lines.untrusted}; ${lines.untrusted}`,
        'tlsa host one.x.test: 0; validation-failure dane-no-match 1',
        'tlsa host two.x.test: 1',
      ],
      remembered: 'TLS',
    },
  },
  {
    rule: 'RFC 7672: with usages 0 and 1 only, TLS is demanded and nobody vouches for the server',
    tlsa: { mx: ['0 0 1 trusted authority', '1 1 1 foreign'] },
    expected: unauthenticated,
  },
  {
    rule: 'AT-39e: with malformed records only, TLS is demanded and the report says why',
    tlsa: { mx: ['3 1 1 #abcd', '3 1 9 own', '3 7 1 own', '2 0 0 #abcd'] },
    expected: unauthenticated,
  },
  {
    rule: '§2.3 row "only unusable records": never without TLS',
    tlsa: { mx: ['1 1 1 own'] },
    servers: { mx: { tls: 'alert' } },
    expected: {
      outcomes: [`temporary at mx.x.test, plain: ${lines.brokenHandshake}`],
      sessions: ['mx'],
      reports: [
        `${lines.tlsa}: 0; tlsa-invalid all-unusable-records+ignored 0; ${lines.alert}`,
        `${lines.domain}: 0; ${lines.alert}`,
      ],
    },
  },
  withoutTls(
    '§2.3 row "usable records": TLS that is broken is waited out, and never gone without',
    'alert',
    `temporary at mx.x.test, plain: ${lines.brokenHandshake}`,
    lines.alert,
  ),
  withoutTls(
    'RFC 7672 §2.2: a server without STARTTLS gets nothing where DANE demands it',
    'not offered',
    'temporary 502 5.5.1 at mx.x.test, plain: STARTTLS with mx.x.test:25: the server answered 502 5.5.1 what?',
    'starttls-not-supported smtp-starttls-reply-code-502 1',
  ),
  withoutTls(
    '§2.3 quirk: a required STARTTLS that is refused for good is waited out',
    'refused for good',
    'temporary 554 5.7.0 at mx.x.test, plain: STARTTLS with mx.x.test:25: the server answered 554 5.7.0 never',
    'starttls-not-supported smtp-starttls-reply-code-554 1',
  ),
  withoutTls(
    '§2.6: an alert after the handshake makes a failure of what DANE vouched for',
    'late alert',
    'temporary at mx.x.test, plain: TLS handshake with mx.x.test:25: TLS handshake failed (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)',
    'validation-failure tls-remote-alert-116-certificate-required 1',
  ),
  {
    rule: '§2.3: a required STARTTLS is said although it is not offered',
    tlsa: { mx: ['3 1 1 own'] },
    servers: { mx: { tls: 'hidden' } },
    expected: verified,
  },
]
