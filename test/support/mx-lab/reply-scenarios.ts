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
const untrusted = `${lines.domain}: 1; ${lines.untrusted}`
const reports = [untrusted, 'no-policy-found host one.x.test: 1']
const bothReports = [
  `${lines.domain}: 2; ${lines.untrusted}; ${lines.untrusted}`,
  'no-policy-found host one.x.test: 1',
  'no-policy-found host two.x.test: 1',
]

/** The first host has no last word: the second takes the mail. */
function goesOn(rule: string, one: MxServer, sessions: readonly string[], told = bothReports): MxScenario {
  return {
    rule: `${rule}: the next host takes the mail`,
    names: both,
    servers: { one, two: {} },
    expected: {
      outcomes: [lines.acceptedIn('TLS', 'two')],
      sessions: [...sessions, 'two MAIL in TLS'],
      reports: told,
      remembered: 'TLS',
    },
  }
}

/** The first host decides. */
function ends(rule: string, one: MxServer, outcome: string): MxScenario {
  return {
    rule,
    names: both,
    servers: { one, two: {} },
    expected: { outcomes: [outcome], sessions: ['one MAIL in TLS'], reports, remembered: 'TLS' },
  }
}

const onlyTwo = [untrusted, 'no-policy-found host two.x.test: 1']
const mail = ['one MAIL in TLS']

/** §10 "smtpclient client", "Errors" and "queue direct": what servers say, to one recipient or to several. */
export const replyScenarios: readonly MxScenario[] = [
  goesOn('AT-40: a greeting of 451', { greeting: '451 4.3.2 later' }, [], onlyTwo),
  goesOn('RFC 5321 §3.1: a greeting of 554', { greeting: '554 no service' }, [], onlyTwo),
  goesOn('§10: a greeting that is no SMTP', { greeting: 'bogus' }, [], onlyTwo),
  goesOn('§10: a greeting whose code has four digits', { greeting: '2200 hello' }, [], onlyTwo),
  goesOn('AT-40: a session that ends at EHLO', { replies: { EHLO: null } }, ['one'], onlyTwo),
  goesOn('AT-40: a session that ends at MAIL', { replies: { MAIL: null } }, mail),
  goesOn('§10: MAIL that is put off', { replies: { MAIL: '451 4.3.0 later' } }, mail),
  goesOn('§10: RCPT that is put off', { replies: { RCPT: '452 4.3.1 disk full' } }, mail),
  goesOn('§10: DATA that is put off', { replies: { DATA: '451 4.3.0 later' } }, mail),
  goesOn('§10: data that are put off', { replies: { '.': '451 4.3.0 later' } }, mail),
  goesOn('RFC 5321 §3.8: 421', { replies: { RCPT: '421 4.3.2 closing' } }, mail),
  {
    ...goesOn('RFC 6531 §3.5: a host without SMTPUTF8', { extensions: ['8BITMIME'] }, ['one']),
    smtputf8: true,
  },
  ends(
    '§10: MAIL that is refused for good is the end',
    { replies: { MAIL: '550 5.7.1 not you' } },
    'permanent 550 5.7.1 at one.x.test, TLS: not you',
  ),
  ends(
    '§10: RCPT that is refused for good is the end',
    { replies: { RCPT: '550 5.1.1 no such user' } },
    'permanent 550 5.1.1 at one.x.test, TLS: no such user',
  ),
  ends(
    '§10: data that are refused for good are the end',
    { replies: { '.': '554 5.6.0 no' } },
    'permanent 554 5.6.0 at one.x.test, TLS: no',
  ),
  ends(
    'RFC 5321 §4.5.4.1: what a server may have taken goes to no other',
    { replies: { '.': null } },
    'temporary at one.x.test, TLS: sending to one.x.test:25: connection closed',
  ),
  {
    ...ends(
      'RFC 1870 §6.1: a message larger than a host takes is refused for good, before MAIL',
      { extensions: ['SIZE 10'] },
      'permanent 5.3.4 at one.x.test, TLS: one.x.test:25 takes no message of 22 bytes',
    ),
    expected: {
      outcomes: ['permanent 5.3.4 at one.x.test, TLS: one.x.test:25 takes no message of 22 bytes'],
      sessions: ['one'],
      reports,
      remembered: 'TLS',
    },
  },
  {
    rule: 'AT-34: two recipients of one domain go in one session and one transaction',
    recipients: ['ann', 'bob'],
    expected: { ...opportunistic, outcomes: [lines.acceptedIn('TLS'), lines.acceptedIn('TLS')] },
  },
  {
    rule: 'AT-36: where a server takes one recipient at a time, two go in two transactions of one session',
    recipients: ['ann', 'bob'],
    servers: { mx: { extensions: ['LIMITS RCPTMAX=1'] } },
    expected: { ...opportunistic, outcomes: [lines.acceptedIn('TLS'), lines.acceptedIn('TLS')] },
  },
  {
    rule: 'AT-70: each recipient has an outcome of its own',
    recipients: ['ann', 'bob', 'cat'],
    servers: {
      mx: { replies: { 'RCPT TO:<bob': '451 4.2.1 later', 'RCPT TO:<cat': '550 5.1.1 no such user' } },
    },
    expected: {
      ...opportunistic,
      outcomes: [
        lines.acceptedIn('TLS'),
        'temporary 451 4.2.1 at mx.x.test, TLS: later',
        'permanent 550 5.1.1 at mx.x.test, TLS: no such user',
      ],
    },
  },
  {
    rule: 'AT-40: a host that cannot be connected to is waited for',
    servers: { mx: 'down' },
    expected: {
      outcomes: ['temporary: connecting to mx.x.test:25: connection refused'],
      sessions: [],
      reports: [],
    },
  },
  {
    rule: 'where all hosts fail, each error is told',
    names: both,
    servers: { one: 'down', two: { replies: { RCPT: '451 4.7.1 greylisted' } } },
    expected: {
      outcomes: [
        'temporary 451 4.7.1 at two.x.test, TLS: connecting to one.x.test:25: connection refused; greylisted',
      ],
      sessions: ['two MAIL in TLS'],
      reports: onlyTwo,
      remembered: 'TLS',
    },
  },
]
