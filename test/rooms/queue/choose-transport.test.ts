import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions, type Relay, type Route } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
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
