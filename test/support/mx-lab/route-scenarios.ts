import { lines, opportunistic } from './lines.ts'
import type { MxScenario } from './scenario.ts'

const nothing = { sessions: [], reports: [] }
const one = { ...opportunistic, outcomes: [lines.acceptedIn('TLS', 'one')], sessions: ['one MAIL in TLS'] }
const noDane = (host: string) => `no-policy-found host ${host}.x.test: 1`
const domainReport = `${lines.domain}: 1; ${lines.untrusted}`
const bothMx = {
  '@': {
    MX: [
      [10, 'one'],
      [20, 'two'],
    ],
  },
} as const

/** §2.1, §10 "gather": which hosts of a domain are tried, and what is believed of the way to them. */
export const routeScenarios: readonly MxScenario[] = [
  {
    rule: 'RFC 5321 §5.1: the host of the best preference takes the mail',
    names: bothMx,
    servers: { one: {}, two: {} },
    expected: { ...one, reports: [domainReport, noDane('one')] },
  },
  {
    rule: 'RFC 5321 §5.1: the next host is tried where the best does not answer',
    names: bothMx,
    servers: { one: 'down', two: {} },
    expected: {
      ...opportunistic,
      outcomes: [lines.acceptedIn('TLS', 'two')],
      sessions: ['two MAIL in TLS'],
      reports: [domainReport, noDane('two')],
    },
  },
  {
    rule: 'RFC 5321 §5.1: a domain without MX is its own host',
    names: {},
    servers: { '@': {} },
    expected: {
      ...opportunistic,
      outcomes: ['accepted 250 2.0.0 at x.test, TLS'],
      sessions: ['@ MAIL in TLS'],
      reports: [domainReport],
    },
  },
  {
    rule: 'RFC 5321 §5.1: a domain without MX may have an IPv6 address only',
    names: {},
    servers: { '@': { ipv6: true } },
    expected: {
      ...opportunistic,
      outcomes: ['accepted 250 2.0.0 at x.test, TLS'],
      sessions: ['@ MAIL in TLS'],
      reports: [domainReport],
    },
  },
  {
    rule: 'RFC 5321 §5.1: an alias leads to the hosts of another domain',
    domain: 'alias',
    names: { alias: { CNAME: '@' }, '@': { MX: [[10, 'mx']] } },
    expected: {
      ...opportunistic,
      reports: [`no-policy-found alias.x.test: 1; ${lines.untrusted}`, noDane('mx')],
    },
  },
  {
    rule: 'RFC 5321 §5.1: a domain that is not there fails at once',
    domain: 'nowhere',
    expected: { outcomes: ['permanent 5.1.2: the host nowhere.x.test does not exist'], ...nothing },
  },
  {
    rule: 'RFC 5321 §5.1: an alias that leads nowhere fails at once',
    domain: 'alias',
    names: { alias: { CNAME: 'nowhere' } },
    expected: { outcomes: ['permanent 5.1.2: the host nowhere.x.test does not exist'], ...nothing },
  },
  {
    rule: '§2.1: more than 16 CNAMEs in a row are waited out',
    domain: 'alias0',
    names: Object.fromEntries(
      Array.from({ length: 17 }, (_, at) => [`alias${at}`, { CNAME: `alias${at + 1}` }]),
    ),
    servers: { alias17: {} },
    expected: {
      outcomes: [
        'temporary: the mail hosts of alias0.x.test are not known: CNAME alias0.x.test: more than 16 CNAMEs',
      ],
      ...nothing,
    },
  },
  {
    rule: '§2.1: CNAMEs in a circle are waited out',
    domain: 'alias',
    names: { alias: { CNAME: 'another' }, another: { CNAME: 'alias' } },
    expected: {
      outcomes: [
        'temporary: the mail hosts of alias.x.test are not known: CNAME alias.x.test: the CNAMEs lead in a circle',
      ],
      ...nothing,
    },
  },
  {
    rule: 'RFC 7505 §4.2: a null MX is a refusal for good',
    names: { '@': { MX: [[0, '.']] } },
    expected: {
      outcomes: ['permanent 556 5.1.10: x.test does not accept mail: its MX is null (RFC 7505)'],
      ...nothing,
    },
  },
  {
    rule: 'RFC 5321 §5.1: mail for a domain whose best host we are, but which we do not know, goes nowhere',
    names: { '@': { MX: [[10, 'postern.example.']] } },
    expected: {
      outcomes: ['permanent 5.4.6: this server is the mail host of x.test, but does not know that domain'],
      ...nothing,
    },
  },
  {
    rule: '§2.1: MX records that cannot be looked up are waited for',
    zones: { '@': 'lame' },
    expected: {
      outcomes: ['temporary: the mail hosts of x.test are not known: CNAME x.test: SERVFAIL'],
      ...nothing,
    },
  },
  {
    rule: '§2.3 row "any lookup bogus on MX or CNAME": waited for, and reported',
    zones: { '@': 'bogus' },
    expected: {
      outcomes: ['temporary: the mail hosts of x.test are not known: CNAME x.test: SERVFAIL'],
      sessions: [],
      reports: [`${lines.domain}: 0; validation-failure dns-extended-error-6-dnssec-bogus 1`],
    },
  },
  {
    rule: '§2.3 row "same on host address": waited for, and reported for the host',
    zones: { mx: 'bogus' },
    expected: {
      outcomes: ['temporary: CNAME mx.x.test: SERVFAIL'],
      sessions: [],
      reports: [`${lines.tlsa}: 0; validation-failure dns-extended-error-6-dnssec-bogus 1`],
    },
  },
  {
    rule: '§2.3: where the address of one host is bogus, the next is tried',
    zones: { one: 'bogus' },
    names: bothMx,
    servers: { one: {}, two: {} },
    expected: {
      ...opportunistic,
      outcomes: [lines.acceptedIn('TLS', 'two')],
      sessions: ['two MAIL in TLS'],
      reports: [
        'tlsa host one.x.test: 0; validation-failure dns-extended-error-6-dnssec-bogus 1',
        domainReport,
        noDane('two'),
      ],
    },
  },
  {
    rule: '§2.1: a host that is not there is waited for',
    names: { '@': { MX: [[10, 'nowhere']] } },
    expected: { outcomes: ['temporary: the host nowhere.x.test does not exist'], ...nothing },
  },
  {
    rule: '§2.1: a host that is an alias to nowhere is waited for',
    names: { '@': { MX: [[10, 'mail']] }, mail: { CNAME: 'nowhere' } },
    expected: { outcomes: ['temporary: the host nowhere.x.test does not exist'], ...nothing },
  },
  {
    rule: '§2.1: a host whose CNAMEs lead in a circle is waited for',
    names: { '@': { MX: [[10, 'mail']] }, mail: { CNAME: 'other' }, other: { CNAME: 'mail' } },
    expected: { outcomes: ['temporary: CNAME mail.x.test: the CNAMEs lead in a circle'], ...nothing },
  },
  {
    rule: '§2.1: a host that is an alias is found where that leads',
    names: { '@': { MX: [[10, 'mx']] }, mx: { CNAME: 'real' } },
    servers: { real: {} },
    expected: { ...opportunistic, sessions: ['real MAIL in TLS'] },
  },
  {
    rule: '§2.4: a transport of one family does not use the other',
    servers: { mx: { ipv6: true } },
    onlyFamily: 4,
    expected: { outcomes: ['temporary: the host mx.x.test has no IPv4 address'], ...nothing },
  },
  {
    rule: '§2.4: IPv4 comes first',
    names: { '@': { MX: [[10, 'mx']] }, mx: { A: ['two'] } },
    servers: { mx: { ipv6: true }, two: {} },
    expected: { ...opportunistic, sessions: ['two MAIL in TLS'] },
  },
  {
    rule: '§2.4: after IPv4 the next attempt is made over IPv6',
    names: { '@': { MX: [[10, 'mx']] }, mx: { A: ['two'] } },
    servers: { mx: { ipv6: true }, two: {} },
    earlier: [['mx', 'two']],
    expected: { ...opportunistic, sessions: ['mx MAIL in TLS'] },
  },
  {
    rule: '§2.4: an address that does not answer is followed by the next one of the host',
    names: { '@': { MX: [[10, 'mx']] }, mx: { A: ['two'] } },
    servers: { mx: { ipv6: true }, two: 'down' },
    expected: opportunistic,
  },
  {
    rule: '§2.4: a refusal by policy at the first attempt is waited out where there is another family',
    names: { '@': { MX: [[10, 'mx']] }, mx: { A: ['two'] } },
    servers: { mx: { ipv6: true }, two: { replies: { MAIL: '550 5.7.1 not from there' } } },
    expected: {
      ...opportunistic,
      outcomes: ['temporary 550 5.7.1 at mx.x.test, TLS: not from there'],
      sessions: ['two MAIL in TLS'],
    },
  },
  {
    rule: '§2.3 row "recipient is IP literal": opportunistic, and without TLS where that fails',
    recipients: ['bob@[mx]'],
    servers: { mx: { tls: 'alert' } },
    names: {},
    expected: {
      outcomes: ['accepted 250 2.0.0 at [mx], plain'],
      sessions: ['mx', 'mx MAIL in the clear'],
      reports: [],
    },
  },
  {
    rule: '§2.1: an alias without DNSSEC leads to no DANE, however signed the hosts are',
    domain: 'in.loose',
    zones: { loose: 'unsigned' },
    names: { 'in.loose': { CNAME: '@' }, '@': { MX: [[10, 'mx']] } },
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: {
      ...opportunistic,
      reports: [`no-policy-found in.loose.x.test: 1; ${lines.untrusted}`, noDane('mx')],
    },
  },
  {
    rule: '§2.1: the second alias without DNSSEC leads to no DANE either',
    domain: 'alias',
    zones: { loose: 'unsigned' },
    names: { alias: { CNAME: 'in.loose' }, 'in.loose': { CNAME: '@' }, '@': { MX: [[10, 'mx']] } },
    tlsa: { mx: ['3 1 1 foreign'] },
    expected: {
      ...opportunistic,
      reports: [`no-policy-found alias.x.test: 1; ${lines.untrusted}`, noDane('mx')],
    },
  },
]
