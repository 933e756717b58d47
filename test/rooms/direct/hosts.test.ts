import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshOptions } from '../../../shared/account/options.ts'
import type { DomainName } from '../../../shared/address/domain-name.ts'
import { MINUTE, SECOND } from '../../../shared/base/clock.ts'
import type { SessionDialer } from '../../../shared/direct/sessions.ts'
import type { Resolver } from '../../../shared/dns/resolver.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { arrange, message, outcomeText, request } from './arrange.ts'
import type { FakeServer } from './fake-servers.ts'

const one: FakeZone = {
  'x.example': { MX: [[10, 'one.example']] },
  'one.example': { A: ['192.0.2.1'] },
}
const two: FakeZone = {
  'x.example': {
    MX: [
      [10, 'one.example'],
      [20, 'two.example'],
    ],
  },
  'one.example': { A: ['192.0.2.1'] },
  'two.example': { A: ['192.0.2.2'] },
}
const plain: FakeServer = { tls: 'none' }
const says = (...replies: readonly string[]): FakeServer => ({ ...plain, says: [replies] })
const bothFamilies: FakeZone = { ...one, 'one.example': { A: ['192.0.2.1'], AAAA: ['2001:db8::1'] } }

interface Case {
  readonly rule: string
  readonly zone: FakeZone
  /** Of one.example and two.example. */
  readonly servers?: readonly FakeServer[]
  readonly outcome: string
  readonly dials?: readonly string[]
}

const ONE = 'one.example opportunistic 192.0.2.1'
const TWO = 'two.example opportunistic 192.0.2.2'

const cases: readonly Case[] = [
  {
    rule: 'AT-33: the host of the best preference takes the mail',
    zone: two,
    servers: [plain, plain],
    outcome: 'accepted 250 2.0.0 at one.example, plain',
    dials: [ONE],
  },
  {
    rule: 'RFC 5321 §5.1: a domain without MX is its own host',
    zone: { 'x.example': { A: ['192.0.2.9'] } },
    outcome: 'temporary: connecting to x.example: connection refused',
    dials: ['x.example opportunistic 192.0.2.9'],
  },
  {
    rule: 'RFC 5321 §5.1: an alias leads to another domain’s hosts',
    zone: { ...one, 'x.example': { CNAME: 'y.example' }, 'y.example': { MX: [[10, 'one.example']] } },
    servers: [plain],
    outcome: 'accepted 250 2.0.0 at one.example, plain',
    dials: [ONE],
  },
  {
    rule: 'AT-40: a host that cannot be connected to is waited for',
    zone: one,
    servers: [{ isDown: true }],
    outcome: 'temporary: connecting to one.example: connection refused',
    dials: [ONE],
  },
  {
    rule: 'AT-40: a greeting of 451 is waited out',
    zone: one,
    servers: [{ greeting: '451 4.3.2 later' }],
    outcome: 'temporary 451 at one.example, plain: 451 4.3.2 later',
    dials: [ONE],
  },
  {
    rule: 'RFC 5321 §3.1: a greeting of 554 is no word on the message: the next host is asked',
    zone: two,
    servers: [{ greeting: '554 no service' }, plain],
    outcome: 'accepted 250 2.0.0 at two.example, plain',
    dials: [ONE, TWO],
  },
  {
    rule: 'AT-40: a session that ends early goes on at the next host',
    zone: two,
    servers: [{ ...plain, says: ['closed'] }, plain],
    outcome: 'accepted 250 2.0.0 at two.example, plain',
    dials: [ONE, TWO],
  },
  {
    rule: 'AT-40: a session that ends early at the only host is waited out',
    zone: one,
    servers: [{ ...plain, says: ['closed'] }],
    outcome: 'temporary at one.example, plain: connection closed',
    dials: [ONE],
  },
  {
    rule: 'RFC 5321 §4.5.4.1: what a server may have taken goes to no other',
    zone: two,
    servers: [{ ...plain, says: ['lost'] }, plain],
    outcome: 'temporary at one.example, plain: connection closed',
    dials: [ONE],
  },
  {
    rule: 'RFC 5321 §5.1: a host that puts off all recipients has no last word',
    zone: two,
    servers: [says('452 4.3.1 disk full'), plain],
    outcome: 'accepted 250 2.0.0 at two.example, plain',
    dials: [ONE, TWO],
  },
  {
    rule: 'RFC 5321 §5.1: a host that refuses for good has the last word',
    zone: two,
    servers: [says('550 5.1.1 no such user'), plain],
    outcome: 'permanent 550 5.1.1 at one.example, plain: no such user',
    dials: [ONE],
  },
  {
    rule: 'where all hosts fail, each error is told',
    zone: two,
    servers: [{ isDown: true }, says('451 4.7.1 greylisted')],
    outcome:
      'temporary 451 4.7.1 at two.example, plain: connecting to one.example: connection refused; greylisted',
    dials: [ONE, TWO],
  },
  {
    rule: 'RFC 7505 §4.2: a null MX is a refusal for good',
    zone: { 'x.example': { MX: [[0, '.']] } },
    outcome: 'permanent 556 5.1.10: x.example does not accept mail: its MX is null (RFC 7505)',
  },
  {
    rule: 'RFC 5321 §5.1: a domain that is not there fails at once',
    zone: {},
    outcome: 'permanent 5.1.2: the host x.example does not exist',
  },
  {
    rule: 'an MX whose host has no address is waited for',
    zone: { 'x.example': { MX: [[10, 'one.example']] } },
    outcome: 'temporary: the host one.example does not exist',
  },
  {
    rule: 'CNAMEs in a circle are waited out',
    zone: { 'x.example': { CNAME: 'y.example' }, 'y.example': { CNAME: 'x.example' } },
    outcome:
      'temporary: the mail hosts of x.example are not known: CNAME x.example: the CNAMEs lead in a circle',
  },
  {
    rule: 'RFC 5321 §5.1: we are the best host of a domain that we do not know',
    zone: { 'x.example': { MX: [[10, 'postern.example']] }, 'postern.example': { A: ['192.0.2.3'] } },
    outcome: 'permanent 5.4.6: this server is the mail host of x.example, but does not know that domain',
  },
  {
    rule: 'RFC 5321 §5.1: hosts that are no better than we are are left out',
    zone: {
      ...two,
      'x.example': {
        MX: [
          [10, 'one.example'],
          [20, 'two.example'],
          [20, 'postern.example'],
        ],
      },
    },
    servers: [{ isDown: true }, plain],
    outcome: 'temporary: connecting to one.example: connection refused',
    dials: [ONE],
  },
]

for (const { rule, zone, servers = [], outcome, dials = [] } of cases) {
  test(rule, async () => {
    const [first = { isDown: true }, second = { isDown: true }] = servers
    const world = arrange({ zone, servers: { 'one.example': first, 'two.example': second } })
    assert.equal(outcomeText((await world.deliver())[0]), outcome)
    assert.deepEqual(world.dials, dials)
  })
}

test('a domain of ours is delivered to our own listeners', async () => {
  const options = { ...freshOptions, domains: { 'x.example': { separators: [], disabled: false } } }
  const zone: FakeZone = {
    'x.example': { MX: [[10, 'postern.example']] },
    'postern.example': { A: ['192.0.2.3'] },
  }
  const world = arrange({ zone, servers: { 'postern.example': plain }, options })
  assert.equal(outcomeText((await world.deliver())[0]), 'accepted 250 2.0.0 at postern.example, plain')
})

test('AT-34: recipients of one domain share a session and a transaction, and each has an outcome', async () => {
  const replies = ['250 2.1.5 ok', '451 4.2.1 later', '550 5.1.1 no such user']
  const world = arrange({ zone: two, servers: { 'one.example': says(...replies), 'two.example': plain } })
  const messages = ['ann@x.example', 'bob@x.example', 'cat@x.example'].map((each) => message(each))
  const outcomes = await world.deliver({ messages })
  assert.deepEqual(outcomes.map(outcomeText), [
    'accepted 250 2.1.5 at one.example, plain',
    'temporary 451 4.2.1 at one.example, plain: later',
    'permanent 550 5.1.1 at one.example, plain: no such user',
  ])
  assert.deepEqual(world.sent, ['one.example#1 ann,bob,cat'])
})

test('RFC 5321 §4.1.3: an address literal is its own host, without a question to the DNS', async () => {
  for (const [domain, host] of [
    ['[192.0.2.7]', '192.0.2.7'],
    ['[IPv6:2001:db8::7]', '2001:db8::7'],
  ] as const) {
    const world = arrange({ zone: {}, servers: { [host]: { tls: 'broken' } } })
    const recipient = { localpart: 'bob', domain: domain as DomainName }
    const [outcome] = await world.deliver({ messages: [message(recipient)] })
    assert.equal(outcomeText(outcome), `accepted 250 2.0.0 at ${host}, plain`)
    assert.deepEqual(world.dials, [`${host} opportunistic ${host}`, `${host} none ${host}`])
    assert.deepEqual([world.resolver.asked, world.results, world.remembered], [[], [], []])
  }
})

const policyRefusal = says('550 5.7.1 not from your address')
const POLICY = '550 5.7.1 at one.example, plain: not from your address'

test('§2.4: a policy’s refusal at the first attempt is waited out where there is another family', async () => {
  const outcomeAt = async (zone: FakeZone, changes = {}) =>
    outcomeText((await arrange({ zone, servers: { 'one.example': policyRefusal } }).deliver(changes))[0])
  assert.equal(await outcomeAt(bothFamilies), `temporary ${POLICY}`)
  assert.equal(await outcomeAt(one), `permanent ${POLICY}`)
  assert.equal(
    await outcomeAt(bothFamilies, { transport: { kind: 'direct', onlyFamily: 4 } }),
    `permanent ${POLICY}`,
  )
  const second = { messages: [message('bob@x.example', [['one.example', '192.0.2.1']])] }
  assert.equal(await outcomeAt(bothFamilies, second), `permanent ${POLICY}`)
})

test('§2.4: the next attempt begins with the other family', async () => {
  const world = arrange({ zone: bothFamilies, servers: { 'one.example': plain } })
  await world.deliver({ messages: [message('bob@x.example', [['one.example', '192.0.2.1']])] })
  assert.deepEqual(world.dials, ['one.example opportunistic 2001:db8::1,192.0.2.1'])
})

test('a transport of one family uses no addresses of the other', async () => {
  const world = arrange({ zone: bothFamilies, servers: { 'one.example': plain } })
  await world.deliver({ transport: { kind: 'direct', onlyFamily: 6 } })
  assert.deepEqual(world.dials, ['one.example opportunistic 2001:db8::1'])
  const without = arrange({ zone: one, servers: {} })
  const [outcome] = await without.deliver({ transport: { kind: 'direct', onlyFamily: 6 } })
  assert.equal(outcomeText(outcome), 'temporary: the host one.example has no IPv6 address')
})

test('AT-38: a proxy says its own name, and reaches what its addresses reach', async () => {
  const world = arrange({ zone: bothFamilies, servers: { 'one.example': { tls: 'broken' } } })
  const transport = {
    kind: 'socks',
    host: 'proxy.example',
    port: 1080,
    hostname: 'out.example',
    ipAddresses: ['198.51.100.7'],
  } as const
  await world.deliver({ transport })
  const [first] = world.requests
  assert.deepEqual(
    [first?.hello, first?.proxy, first?.ipAddresses],
    ['out.example', transport, ['192.0.2.1']],
  )
  assert.equal(world.results[0]?.failures[0]?.sendingIp, '198.51.100.7')
})

test('addresses that must not be reached are as good as none', async () => {
  const whyNotReachable = (ipAddress: string) =>
    ipAddress.startsWith('10.') ? 'is not public: 10.0.0.0/8' : undefined
  const zone = (...A: string[]): FakeZone => ({ ...one, 'one.example': { A } })
  const deliver = async (...addresses: string[]) => {
    const world = arrange({
      zone: zone(...addresses),
      servers: { 'one.example': plain },
      ports: { whyNotReachable },
    })
    return [outcomeText((await world.deliver())[0]), ...world.dials]
  }
  assert.deepEqual(await deliver('10.0.0.1', '192.0.2.1'), ['accepted 250 2.0.0 at one.example, plain', ONE])
  assert.deepEqual(await deliver('10.0.0.1'), [
    'temporary: no address of the host one.example may be connected to: 10.0.0.1 is not public: 10.0.0.0/8',
  ])
})

test('RFC 5321 §5.1: of thousands of hosts that a domain names, the ten best are called', async () => {
  const names = Array.from({ length: 1000 }, (_, at) => `mx${at}.example`)
  const zone: FakeZone = Object.fromEntries(names.map((name) => [name, { A: ['192.0.2.1'] }]))
  const world = arrange({
    zone: { ...zone, 'x.example': { MX: names.map((name, at) => [at, name] as const) } },
    servers: {},
  })
  await world.deliver()
  assert.deepEqual(
    world.dials,
    names.slice(0, 10).map((name) => `${name} opportunistic 192.0.2.1`),
  )
})

test('§11 Q25: REQUIRETLS that no host can be given is a refusal of ours, and a null MX is one of the domain', async () => {
  const demanding = await arrange({ zone: one, servers: {} }).deliver({ requireTls: true })
  const nullMx: FakeZone = { 'x.example': { MX: [[0, '.']] } }
  const refusing = await arrange({ zone: nullMx, servers: {} }).deliver()
  const told = [...demanding, ...refusing].map((outcome) => [outcome.code, 'isOurs' in outcome])
  assert.deepEqual(told, [
    [554, true],
    [556, false],
  ])
})

test('the port is 25, unless it is set; TLSA records are those of the port', async () => {
  const world = arrange({ zone: one, servers: { 'one.example': plain } })
  await world.deliver()
  const other = arrange({ zone: one, servers: { 'one.example': plain }, ports: { port: 2525 } })
  await other.deliver()
  assert.deepEqual([world.requests[0]?.port, other.requests[0]?.port], [25, 2525])
  assert.ok(other.resolver.asked.includes('TLSA _2525._tcp.one.example'))
})

test('§2.4: a host whose addresses take longer than 30 s leaves time for the next', async () => {
  const { lookUp } = fakeDns(two)
  const resolver: Resolver = {
    lookUp: (type, name) => (name === 'one.example' ? new Promise(() => {}) : lookUp(type, name)),
  }
  const world = arrange({ zone: two, servers: { 'two.example': plain }, ports: { resolver } })
  const delivered = world.deliver()
  while (world.dials.length === 0) {
    await new Promise((resolve) => setImmediate(resolve))
    world.pass(30 * SECOND)
  }
  assert.equal(outcomeText((await delivered)[0]), 'accepted 250 2.0.0 at two.example, plain')
})

test('an attempt ends after 14 minutes, its session with it, and begins no other', async () => {
  const opened: string[] = []
  const nothing = { error: 'timed out', code: 0, enhancedCode: '', reply: '' }
  const dialer: SessionDialer = {
    open: ({ host, signal }) => {
      opened.push(host)
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ ...nothing, kind: 'failed', stage: 'greeting' }))
      })
    },
  }
  const world = arrange({ zone: two, servers: {}, ports: { dialer } })
  const delivered = world.deliver()
  while (opened.length === 0) await new Promise((resolve) => setImmediate(resolve))
  world.pass(14 * MINUTE)
  assert.equal(outcomeText((await delivered)[0]), 'temporary: timed out')
  assert.deepEqual(opened, ['one.example'])
})

test('nobody to deliver to is no work', async () => {
  const world = arrange({ zone: one, servers: {} })
  assert.deepEqual(await world.deliver({ ...request(), messages: [] }), [])
  assert.deepEqual(world.resolver.asked, [])
})
