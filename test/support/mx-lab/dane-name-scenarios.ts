import { lines, opportunistic } from './lines.ts'
import type { MxScenario } from './scenario.ts'

const aliased = { '@': { MX: [[10, 'mx']] }, mx: { CNAME: 'real' } } as const
const real = { real: {} }
const untrusted = `${lines.domain}: 1; ${lines.untrusted}`
const verified = {
  outcomes: [lines.acceptedIn('DANE')],
  sessions: ['real MAIL in TLS'],
  remembered: 'TLS',
} as const
const ignored = { ...opportunistic, sessions: ['real MAIL in TLS'] }

/** RFC 7672 §2.2: which TLSA records are asked for, and what it means when they cannot be had. */
export const daneNameScenarios: readonly MxScenario[] = [
  {
    rule: 'RFC 7672 §2.1.2: TLSA records that cannot be looked up (SERVFAIL) are waited for, without a session',
    zones: { '_tcp.mx': 'lame' },
    tlsa: { mx: ['3 1 1 own'] },
    expected: {
      outcomes: [
        'temporary: whether mx.x.test has TLSA records is not known: TLSA _25._tcp.mx.x.test: SERVFAIL',
      ],
      sessions: [],
      reports: [`${lines.tlsa}: 0; tlsa-invalid dns-lookup 1`],
    },
  },
  {
    rule: '§2.3 row "TLSA lookup error": bogus TLSA records are reported as DNSSEC’s failure',
    zones: { '_tcp.mx': 'bogus' },
    tlsa: { mx: ['3 1 1 own'] },
    expected: {
      outcomes: [
        'temporary: whether mx.x.test has TLSA records is not known: TLSA _25._tcp.mx.x.test: SERVFAIL',
      ],
      sessions: [],
      reports: [`${lines.tlsa}: 0; dnssec-invalid dns-extended-error-6-dnssec-bogus 1`],
    },
  },
  {
    rule: 'RFC 7672 §2.1.2: where the TLSA records of one host cannot be looked up, the next takes the mail',
    zones: { '_tcp.one': 'lame' },
    names: {
      '@': {
        MX: [
          [10, 'one'],
          [20, 'two'],
        ],
      },
    },
    tlsa: { one: ['3 1 1 own'], two: ['3 1 1 own'] },
    servers: { one: {}, two: {} },
    expected: {
      outcomes: [lines.acceptedIn('DANE', 'two')],
      sessions: ['two MAIL in TLS'],
      reports: ['tlsa host one.x.test: 0; tlsa-invalid dns-lookup 1', untrusted, 'tlsa host two.x.test: 1'],
      remembered: 'TLS',
    },
  },
  {
    rule: 'RFC 7672 §2.2: TLSA records without DNSSEC are ignored below a signed host',
    zones: { '_tcp.mx': 'unsigned' },
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: opportunistic,
  },
  {
    rule: 'RFC 7672 §2.2.2: secure TLSA records of a host whose address is insecure are ignored',
    zones: { mx: 'unsigned', '_tcp.mx': 'signed' },
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: opportunistic,
  },
  {
    rule: 'RFC 7672 §2.2.2: nobody asks for the TLSA records of an insecure host, whose servers may fail at that',
    zones: { mx: 'unsigned', '_tcp.mx': 'lame' },
    tlsa: { mx: ['3 1 1 own'] },
    expected: opportunistic,
  },
  {
    rule: 'RFC 7672 §2.2.1: secure TLSA records below an insecure MX are ignored',
    zones: { '@': 'unsigned', mx: 'signed' },
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: opportunistic,
  },
  {
    rule: 'RFC 7672 §2.2.1: a domain without MX has DANE of its own',
    names: {},
    servers: { '@': {} },
    tlsa: { '@': ['3 1 1 own'] },
    expected: {
      outcomes: ['accepted 250 2.0.0 at x.test, DANE'],
      sessions: ['@ MAIL in TLS'],
      reports: ['tlsa host x.test: 1'],
      remembered: 'TLS',
    },
  },
  {
    rule: 'RFC 7671 §6: a TLSA record may be an alias',
    names: { '@': { MX: [[10, 'mx']] }, '_port._tcp.mx': { CNAME: '_port._tcp.real' } },
    tlsa: { real: ['3 1 1 own'] },
    expected: { ...verified, sessions: ['mx MAIL in TLS'], reports: [untrusted, `${lines.tlsa}: 1`] },
  },
  {
    rule: '§10: a TLSA record whose CNAMEs lead in a circle is waited for',
    names: {
      '@': { MX: [[10, 'mx']] },
      '_port._tcp.mx': { CNAME: '_port._tcp.real' },
      '_port._tcp.real': { CNAME: '_port._tcp.mx' },
    },
    expected: {
      outcomes: [
        'temporary: whether mx.x.test has TLSA records is not known: TLSA _25._tcp.mx.x.test: SERVFAIL',
      ],
      sessions: [],
      reports: [`${lines.tlsa}: 0; tlsa-invalid dns-lookup 1`],
    },
  },
  {
    rule: '§10: a TLSA alias that leads nowhere is no DANE',
    names: { '@': { MX: [[10, 'mx']] }, '_port._tcp.mx': { CNAME: '_port._tcp.nowhere' } },
    expected: opportunistic,
  },
  {
    rule: '§10: a TLSA alias to where there is no DNSSEC is no DANE',
    zones: { loose: 'unsigned' },
    names: { '@': { MX: [[10, 'mx']] }, '_port._tcp.mx': { CNAME: '_port._tcp.mx.loose' } },
    tlsa: { 'mx.loose': ['3 1 1 foreign'] },
    expected: opportunistic,
  },
  {
    rule: '§10: a TLSA alias to where a lookup fails is waited for',
    zones: { broken: 'lame' },
    names: { '@': { MX: [[10, 'mx']] }, '_port._tcp.mx': { CNAME: '_port._tcp.mx.broken' } },
    tlsa: { 'mx.broken': ['3 1 1 own'] },
    expected: {
      outcomes: [
        'temporary: whether mx.x.test has TLSA records is not known: TLSA _25._tcp.mx.x.test: SERVFAIL',
      ],
      sessions: [],
      reports: [`${lines.tlsa}: 0; tlsa-invalid dns-lookup 1`],
    },
  },
  {
    rule: 'RFC 7672 §2.2.2: of a host that is an alias, the records where it leads come first',
    names: aliased,
    servers: real,
    tlsa: { real: ['3 1 1 own'], mx: ['3 1 1 foreign'] },
    expected: { ...verified, reports: [untrusted, 'tlsa host real.x.test: 1'] },
  },
  {
    rule: 'RFC 7672 §2.2.2: of a host that is an alias, its own records count where the other has none',
    names: aliased,
    servers: real,
    tlsa: { mx: ['3 1 1 own'] },
    expected: { ...verified, reports: [untrusted, `${lines.tlsa}: 1`] },
  },
  {
    rule: 'RFC 7672 §2.2.2: of an alias to where there is no DNSSEC, its own records count',
    zones: { real: 'unsigned' },
    names: aliased,
    servers: real,
    tlsa: { mx: ['3 1 1 own'], real: ['3 1 1 foreign'] },
    expected: { ...verified, reports: [untrusted, `${lines.tlsa}: 1`] },
  },
  {
    rule: 'RFC 7672 §2.2.2: an alias without DNSSEC has no DANE, however signed the host where it leads',
    zones: { mx: 'unsigned', real: 'signed' },
    names: { '@': { MX: [[10, 'alias.mx']] }, 'alias.mx': { CNAME: 'real' } },
    servers: real,
    tlsa: { real: ['3 1 1 foreign'] },
    expected: {
      ...ignored,
      outcomes: ['accepted 250 2.0.0 at alias.mx.x.test, TLS'],
      reports: [untrusted, 'no-policy-found host alias.mx.x.test: 1'],
    },
  },
  {
    rule: 'RFC 7672 §3.2.2: under a DANE-TA the certificate of an alias may be for its own name',
    names: aliased,
    servers: { real: { chain: ['by TA', 'TA'] } },
    tlsa: { real: ['2 0 1 TA'] },
    expected: { ...verified, reports: [untrusted, 'tlsa host real.x.test: 1'] },
  },
  {
    rule: 'RFC 7672 §2.2.1: an alias that DNSSEC vouches for leads to the DANE of the hosts',
    domain: 'alias',
    names: { alias: { CNAME: '@' }, '@': { MX: [[10, 'mx']] } },
    servers: { mx: { chain: ['by TA, for the domain', 'TA'] } },
    tlsa: { mx: ['2 0 1 TA'] },
    expected: {
      ...verified,
      sessions: ['mx MAIL in TLS'],
      reports: [`no-policy-found alias.x.test: 1; ${lines.untrusted}`, `${lines.tlsa}: 1`],
    },
  },
]
