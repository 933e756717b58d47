import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  freshAccount,
  freshOptions,
  type Options,
  type Relay,
  type Route,
} from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { chooseTransport } from '../../../shared/queue/choose-transport.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const relay = (host: string): Relay => ({ kind: 'smtp', host, port: 25, tls: 'none' })
const transports = { a: relay('a.test'), b: relay('b.test') }
const route = (transport: string, more: Partial<Route> = {}): Route => ({
  fromDomains: [],
  toDomains: [],
  minimumAttempts: 0,
  transport,
  ...more,
})
const message = queuedMessage({
  state: 'attempting',
  attempts: 1,
  queuedAt: 0,
  nextAt: 0,
  results: [],
  mailFrom: parseAddress('me@from.example'),
  recipient: parseAddress('you@sub.to.test'),
})

const cases: readonly [
  rule: string,
  routes: readonly Route[],
  attemptsBefore: number,
  host: string | RegExp,
][] = [
  ['the first route that matches decides', [route('a'), route('b')], 0, 'a.test'],
  ['no route is the operator’s mistake', [], 0, /no route leads to sub\.to\.test/],
  ['a transport that does not exist is too', [route('c')], 0, /unknown transport c/],
  ['a domain matches itself only', [route('a', { toDomains: ['to.test'] }), route('b')], 0, 'b.test'],
  [
    'with a leading dot also what is below it',
    [route('a', { toDomains: ['.to.test'] }), route('b')],
    0,
    'a.test',
  ],
  [
    'from and to are both demanded',
    [route('a', { toDomains: ['.to.test'], fromDomains: ['x.example'] }), route('b')],
    0,
    'b.test',
  ],
  ['a route can wait for failures', [route('a', { minimumAttempts: 2 }), route('b')], 1, 'b.test'],
  ['and then it counts', [route('a', { minimumAttempts: 2 }), route('b')], 2, 'a.test'],
]
for (const [rule, routes, attemptsBefore, host] of cases) {
  test(rule, () => {
    const chosen = chooseTransport({ ...freshOptions, transports, routes }, message, attemptsBefore)
    if (typeof host === 'string') assert.equal('host' in chosen && chosen.host, host)
    else assert.match('mistake' in chosen ? chosen.mistake : '', host)
  })
}

test('the null reverse-path matches no From domain', () => {
  const { mailFrom, ...notification } = message
  const routes = [route('a', { fromDomains: ['from.example'] }), route('b')]
  const chosen = chooseTransport({ ...freshOptions, transports, routes }, notification, 0)
  assert.equal('host' in chosen && chosen.host, 'b.test')
})

const sender = parseDomainName('from.example')
const toOther = { toDomains: ['other.test'] }

/** The routes of the message's account, of its sender's domain and of the installation. */
function withRoutes(account: readonly Route[], domain: readonly Route[], all: readonly Route[]): Options {
  return {
    ...freshOptions,
    transports,
    accounts: {
      shop: { ...freshAccount, routes: account },
      other: { ...freshAccount, routes: [route('b')] },
    },
    domains: {
      [sender]: { separators: [], disabled: false, routes: domain },
      [parseDomainName('to.test')]: { separators: [], disabled: false, routes: [route('b')] },
    },
    routes: all,
  }
}

const owned: readonly [
  rule: string,
  account: readonly Route[],
  domain: readonly Route[],
  all: readonly Route[],
  attemptsBefore?: number,
][] = [
  ['routes of the account go before all others', [route('a')], [route('b')], [route('b')]],
  ['then those of the domain of the reverse-path', [route('b', toOther)], [route('a')], [route('b')]],
  ['then those of the installation', [route('b', toOther)], [route('b', toOther)], [route('a')]],
  ['what others have does not matter', [], [], [route('a')]],
  [
    'AT-77: a route of the account that waits for failures leaves the first attempts to others',
    [route('b', { minimumAttempts: 2 })],
    [],
    [route('a')],
    1,
  ],
  [
    'AT-77: it takes the later ones from them',
    [route('a', { minimumAttempts: 2 })],
    [route('b')],
    [route('b')],
    2,
  ],
]
for (const [rule, account, domain, all, attemptsBefore = 0] of owned) {
  test(rule, () => {
    const chosen = chooseTransport(withRoutes(account, domain, all), message, attemptsBefore)
    assert.equal('host' in chosen && chosen.host, 'a.test')
  })
}

test('AT-38: the transport that was chosen for a message goes before all routes', () => {
  const options = withRoutes([route('b')], [route('b')], [route('b')])
  const chosen = chooseTransport(options, { ...message, transport: 'a' }, 0)
  assert.equal('host' in chosen && chosen.host, 'a.test')
})

test('a message waits for the transport that was chosen for it', () => {
  const options = withRoutes([route('a')], [], [])
  const chosen = chooseTransport(options, { ...message, transport: 'gone' }, 0)
  assert.match('mistake' in chosen ? chosen.mistake : '', /unknown transport gone/)
})

test('nothing leaves a domain that is disabled', () => {
  const options = withRoutes([route('a')], [], [route('a')])
  const domains = { [sender]: { separators: [], disabled: true } }
  for (const transport of ['', 'a']) {
    const chosen = chooseTransport({ ...options, domains }, { ...message, transport }, 0)
    assert.match(
      'mistake' in chosen ? chosen.mistake : '',
      /^the sender's domain from\.example is disabled: /,
    )
  }
})

test('a notification has no domain that could be disabled', () => {
  const { mailFrom, ...notification } = message
  const domains = { [sender]: { separators: [], disabled: true } }
  const chosen = chooseTransport({ ...withRoutes([], [], [route('a')]), domains }, notification, 0)
  assert.equal('host' in chosen && chosen.host, 'a.test')
})
