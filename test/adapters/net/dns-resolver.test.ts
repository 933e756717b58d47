import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { networkInterfaces } from 'node:os'
import { type TestContext, test } from 'node:test'
import { encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { dnsConfiguration } from '../../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../../shared/adapters/net/dns-resolver.ts'
import { systemRandom } from '../../../shared/adapters/system/random.ts'
import { extendedError, options } from '../../rooms/dns/wire.ts'
import {
  type AskedQuestion,
  type DnsTestServer,
  dnsServer,
  type ServerReply,
} from '../../support/dns-server.ts'
import { fakeClock } from '../../support/fake-clock.ts'

const AUTHENTIC = 0x20
const TRUNCATED = 0x200
const SERVFAIL = 2
const NXDOMAIN = 3

type Answer = (question: AskedQuestion) => ServerReply | readonly ServerReply[]

/** A's address 192.0.2.`last`, for an hour. */
const address = (last: number, more: Partial<Packet> = {}): Packet => ({
  answers: [{ name: 'www.example', type: 'A', ttl: 3600, class: 'IN', data: `192.0.2.${last}` }],
  ...more,
})
const found = (last: number, authentic = false) => ({
  kind: 'found',
  values: [`192.0.2.${last}`],
  canonicalName: 'www.example',
  authentic,
})

function resolverOf(servers: readonly { readonly port: number }[], isTrusted = false) {
  const clock = fakeClock()
  const configuration = {
    servers: servers.map(({ port }) => ({ address: '127.0.0.1', port })),
    isTrusted,
    timeoutMs: 300,
    rounds: 2,
  }
  return { clock, ...dnsResolver(configuration, { clock, random: systemRandom }) }
}

async function oneServer(context: TestContext, answer: Answer, isTrusted = false) {
  const server = await dnsServer(context, answer)
  return { server, ...resolverOf([server], isTrusted) }
}

/** A port of loopback where nobody listens. */
async function closedPort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound))
  const { port } = socket.address()
  await new Promise<void>((closed) => socket.close(closed))
  return port
}

test('an answer is found, in whatever letter case it is asked for', async (t) => {
  const { server, lookUp } = await oneServer(t, () => address(1))
  assert.deepEqual(await lookUp('A', 'WWW.example'), found(1))
  const [asked] = server.asked
  assert.deepEqual([asked?.over, asked?.name, asked?.packet.flag_ad], ['udp', 'www.example', false])
})

test('RFC 4035 §3.2.3: an answer is authentic by the word of a trusted server only', async (t) => {
  for (const isTrusted of [true, false]) {
    const { server, lookUp } = await oneServer(t, () => address(1, { flags: AUTHENTIC }), isTrusted)
    assert.deepEqual(await lookUp('A', 'www.example'), found(1, isTrusted))
    assert.equal(server.asked[0]?.packet.flag_ad, isTrusted)
  }
})

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

test('a server is asked over IPv6', { skip: !hasIpv6 && 'no ::1 here' }, async (t) => {
  const answer: Answer = ({ over }) => address(1, { flags: over === 'udp' ? TRUNCATED : AUTHENTIC })
  const server = await dnsServer(t, answer, '::1')
  const configuration = dnsConfiguration({ servers: server.address, trustsAd: false })
  const { lookUp } = dnsResolver(configuration, { clock: fakeClock(), random: systemRandom })
  assert.deepEqual(await lookUp('A', 'www.example'), found(1, true))
})

test('ids of queries differ, and the ports they come from', async (t) => {
  const ids = new Set<number | undefined>()
  const { server, lookUp } = await oneServer(t, () => ({ flags: NXDOMAIN }))
  await Promise.all(Array.from({ length: 20 }, (_, place) => lookUp('A', `${place}.example`)))
  for (const { packet } of server.asked) ids.add(packet.id)
  assert.ok(ids.size > 15)
})

const forgeries: readonly (readonly [what: string, Packet | Uint8Array])[] = [
  ['with another id', address(66, { id: 1 })],
  ['to another name', address(66, { questions: [{ type: 'A', name: 'www.other' }] })],
  ['of another type', address(66, { questions: [{ type: 'AAAA', name: 'www.example' }] })],
  ['without a question', address(66, { questions: [] })],
  ['that is a query', encode({ type: 'query', id: 1, questions: [{ type: 'A', name: 'www.example' }] })],
  ['that is nothing', Uint8Array.of(1, 2, 3)],
]

for (const [what, forgery] of forgeries) {
  test(`RFC 5452 §9.1: an answer ${what} is ignored, and the right one after it taken`, async (t) => {
    // One of 65536 ids is the forger's.
    const { lookUp } = await oneServer(t, () => [forgery, forgery, address(1)])
    assert.deepEqual(await lookUp('A', 'www.example'), found(1))
  })
}

test('only the server itself can answer: a message from another port does not arrive', async (t) => {
  const forger = createSocket('udp4')
  t.after(() => forger.close())
  const server = createSocket('udp4')
  server.on('message', (query, { port }) => {
    const reply = encode({
      id: query.readUInt16BE(0),
      ...address(66),
      type: 'response',
      questions: [{ type: 'A', name: 'www.example' }],
    })
    forger.send(reply, port, '127.0.0.1')
  })
  await new Promise<void>((bound) => server.bind(0, '127.0.0.1', bound))
  t.after(() => server.close())
  const { lookUp } = resolverOf([server.address()])
  const answer = await lookUp('A', 'www.example')
  assert.deepEqual(answer, { kind: 'failed', error: 'A www.example: no answer within 0.3 seconds' })
})

test('RFC 7766: what is too long for UDP comes over TCP', async (t) => {
  const many = Array.from({ length: 200 }, (_, last) => address(last).answers ?? []).flat()
  const { server, lookUp } = await oneServer(t, ({ over }) =>
    over === 'udp' ? address(66, { flags: TRUNCATED }) : { answers: many },
  )
  const answer = await lookUp('A', 'www.example')
  assert.ok(answer.kind === 'found' && answer.values.length === 200)
  assert.deepEqual(
    server.asked.map(({ over }) => over),
    ['udp', 'tcp'],
  )
})

const brokenOverTcp: readonly (readonly [what: string, ServerReply, error: string])[] = [
  ['that is truncated too', address(1, { flags: TRUNCATED }), 'the answer is too long for a DNS message'],
  ['to another question', address(1, { id: 1 }), 'the DNS server answered something else'],
  ['that is empty', Buffer.alloc(0), 'the DNS server answered something else'],
  ['that breaks off', 'hang up', 'the DNS server closed the connection'],
]

for (const [what, reply, error] of brokenOverTcp) {
  test(`an answer over TCP ${what} fails`, async (t) => {
    const { lookUp } = await oneServer(t, ({ over }) => (over === 'udp' ? { flags: TRUNCATED } : reply))
    assert.deepEqual(await lookUp('A', 'www.example'), { kind: 'failed', error: `A www.example: ${error}` })
  })
}

test('a server that is silent over TCP costs the timeout', async (t) => {
  const { lookUp } = await oneServer(t, ({ over }) => (over === 'udp' ? { flags: TRUNCATED } : undefined))
  const answer = await lookUp('A', 'www.example')
  assert.deepEqual(answer, { kind: 'failed', error: 'A www.example: no answer within 0.3 seconds' })
})

test('a silent server is asked twice, and the question fails', async (t) => {
  const { server, lookUp } = await oneServer(t, () => undefined)
  const startedAt = performance.now()
  const answer = await lookUp('A', 'www.example')
  const tookMs = performance.now() - startedAt
  assert.deepEqual(answer, { kind: 'failed', error: 'A www.example: no answer within 0.3 seconds' })
  assert.equal(server.asked.length, 2)
  assert.ok(tookMs >= 590 && tookMs < 3000, `${tookMs} ms`)
})

test('a port where nobody listens fails at once', async () => {
  const { lookUp } = resolverOf([{ port: await closedPort() }])
  const answer = await lookUp('A', 'www.example')
  const error = 'A www.example: the DNS server cannot be asked: connection refused'
  assert.deepEqual(answer, { kind: 'failed', error })
})

test('a malformed answer fails', async (t) => {
  const twice = { answers: [], additionals: [options(), options()] }
  const { lookUp } = await oneServer(t, () => twice)
  const error = 'A www.example: the DNS server sent a malformed message'
  assert.deepEqual(await lookUp('A', 'www.example'), { kind: 'failed', error })
})

const bogus = { flags: SERVFAIL, additionals: [options(extendedError(6, 'no'))] }
const notReady = { flags: SERVFAIL, additionals: [options(extendedError(14, ''))] }
const orders: readonly (readonly [
  rule: string,
  replies: readonly ServerReply[],
  asked: readonly number[],
  kind: string,
])[] = [
  ['the first that answers is asked only', [address(1), address(2)], [1, 0], 'found'],
  ['a silent one is passed over', [undefined, address(2)], [1, 1], 'found'],
  ['SERVFAIL is passed over', [{ flags: SERVFAIL }, address(2)], [1, 1], 'found'],
  ['REFUSED is passed over', [{ flags: 5 }, address(2)], [1, 1], 'found'],
  ['who failed is not asked again, who was silent is', [{ flags: SERVFAIL }, undefined], [1, 2], 'failed'],
  ['NXDOMAIN is an answer', [{ flags: NXDOMAIN }, address(2)], [1, 0], 'no-name'],
  ['NODATA is an answer', [{}, address(2)], [1, 0], 'no-data'],
  ['that DNSSEC fails is an answer', [bogus, address(2)], [1, 0], 'failed'],
  ['an extended error of another kind is none', [notReady, address(2)], [1, 1], 'found'],
]

for (const [rule, replies, asked, kind] of orders) {
  test(`of two servers: ${rule}`, async (t) => {
    const servers: DnsTestServer[] = []
    for (const reply of replies) servers.push(await dnsServer(t, () => reply))
    const { lookUp } = resolverOf(servers)
    assert.equal((await lookUp('A', 'www.example')).kind, kind)
    assert.deepEqual(
      servers.map((server) => server.asked.length),
      asked,
    )
  })
}

test('of two failures, the one that says more is told', async (t) => {
  const servers = [await dnsServer(t, () => notReady), await dnsServer(t, () => ({ flags: SERVFAIL }))]
  const answer = await resolverOf(servers).lookUp('A', 'www.example')
  assert.deepEqual(answer.kind === 'failed' && answer.extended, { code: 14, name: 'not ready', text: '' })
})

test('an answer is remembered for as long as it says', async (t) => {
  const { server, clock, lookUp } = await oneServer(t, () => address(1, { flags: AUTHENTIC }), true)
  for (const advanceMs of [0, 3_599_999, 1]) {
    clock.advance(advanceMs)
    assert.deepEqual(await lookUp('A', 'www.example'), found(1, true))
  }
  assert.equal(server.asked.length, 2)
})

test('RFC 2308 §5: that there is no such name is remembered for as long as the SOA record says', async (t) => {
  const soa = {
    name: 'example',
    type: 'SOA',
    ttl: 900,
    class: 'IN',
    data: { mname: 'a.example', rname: 'b.example', minimum: 60 },
  } as const
  const { server, clock, lookUp } = await oneServer(t, () => ({ flags: NXDOMAIN, authorities: [soa] }))
  for (const advanceMs of [0, 59_999, 1]) {
    clock.advance(advanceMs)
    assert.deepEqual(await lookUp('A', 'www.example'), { kind: 'no-name', authentic: false })
  }
  assert.equal(server.asked.length, 2)
})

test('failures are not remembered', async (t) => {
  const replies = [{ flags: SERVFAIL }, address(1)]
  const { lookUp } = await oneServer(t, () => replies.shift())
  assert.equal((await lookUp('A', 'www.example')).kind, 'failed')
  assert.deepEqual(await lookUp('A', 'www.example'), found(1))
})

test('the same question at the same time is asked once, another type of it again', async (t) => {
  const { server, lookUp } = await oneServer(t, () => address(1, { flags: 0 }))
  const lookUps = [lookUp('A', 'www.example'), lookUp('A', 'WWW.EXAMPLE'), lookUp('AAAA', 'www.example')]
  assert.deepEqual(
    (await Promise.all(lookUps)).map(({ kind }) => kind),
    ['found', 'found', 'no-data'],
  )
  assert.deepEqual(server.asked.map(({ type }) => type).sort(), ['A', 'AAAA'])
})

for (const name of ['', 'www..example', 'www.example.', `${'a'.repeat(64)}.example`, 'b\u00fccher.example']) {
  test(`RFC 1035 §2.3.4: nobody is asked about "${name}", which cannot be`, async (t) => {
    const { server, lookUp } = await oneServer(t, () => address(1), true)
    assert.deepEqual(await lookUp('A', name), { kind: 'no-name', authentic: false })
    assert.equal(server.asked.length, 0)
  })
}

test('whatever a server sends, questions come to an end', async (t) => {
  const mutations = fc.sample(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), 300)
  const { lookUp } = await oneServer(t, ({ packet, over }) => {
    const { id = 0, questions = [] } = packet
    const reply = encode({ ...address(1), type: 'response', id, questions, flags: 0x80 })
    for (const [at, octet] of mutations.pop() ?? [])
      reply[over === 'udp' ? 2 + (at % (reply.length - 2)) : 0] = octet
    return reply
  })
  const names = Array.from({ length: 150 }, (_, place) => `${place}.example`)
  const answers = await Promise.all(names.map((name) => lookUp('A', name)))
  const kinds = new Set(answers.map(({ kind }) => kind))
  assert.ok(kinds.has('failed') && kinds.has('no-data'), [...kinds].join())
})
