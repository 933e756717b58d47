import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SECOND } from '../../../shared/base/clock.ts'
import { makeCertificate } from '../../support/certificates.ts'
import type { FakeZone } from '../../support/fake-dns.ts'
import { associate } from '../../support/tlsa.ts'
import { arrange, message, outcomeText } from './arrange.ts'

const own = await makeCertificate()
const zone: FakeZone = {
  'x.example': { MX: [[10, 'mx.example']] },
  'y.example': { MX: [[10, 'mx.example']] },
  'mx.example': { A: ['192.0.2.1', '192.0.2.2'] },
}
const to = (recipient: string) => ({ messages: [message(recipient)] })

test('a session is kept for the next message, also for another domain of the same host', async () => {
  const world = arrange({ zone, servers: { 'mx.example': {} } })
  await world.deliver(to('bob@x.example'))
  await world.deliver(to('cat@y.example'))
  assert.equal(world.dials.length, 1)
  assert.deepEqual(world.sent, ['mx.example#1 bob', 'mx.example#2 cat'])
})

test('TLS that was kept counts once, and is remembered for each who used it', async () => {
  const world = arrange({ zone, servers: { 'mx.example': {} } })
  await world.deliver(to('bob@x.example'))
  const counted = world.results.length
  await world.deliver(to('cat@x.example'))
  assert.equal(world.results.length, counted)
  assert.equal(world.remembered.length, 2)
})

test('nobody takes a session that was opened on other terms', async () => {
  const world = arrange({
    zone: {
      ...zone,
      '_25._tcp.mx.example': { TLSA: [associate(3, 1, 1, own)] },
      'y.example': { MX: [[10, 'mx.example']], authentic: false },
    },
    servers: { 'mx.example': { chain: [own.der], extensions: ['REQUIRETLS'] } },
  })
  await world.deliver(to('bob@x.example'))
  await world.deliver(to('bob@y.example'))
  await world.deliver({ ...to('bob@x.example'), requireTls: true })
  await world.deliver({ ...to('bob@x.example'), hostname: 'other.example' })
  await world.deliver({ ...to('bob@x.example'), transport: { kind: 'direct', onlyFamily: 4 } })
  assert.equal(world.dials.length, 5)
})

test('nobody takes a session that was judged by other records', async () => {
  const records = [associate(3, 1, 1, own)]
  const signed = { ...zone, '_25._tcp.mx.example': { TLSA: records } }
  const world = arrange({ zone: signed, servers: { 'mx.example': { chain: [own.der] } } })
  await world.deliver(to('bob@x.example'))
  await world.deliver(to('bob@x.example'))
  assert.equal(world.dials.length, 1)
  records.unshift(associate(3, 1, 1, await makeCertificate()))
  await world.deliver(to('bob@x.example'))
  assert.equal(world.dials.length, 2)
})

test('§2.4: a message that was tried before takes only the address whose turn it is', async () => {
  const world = arrange({ zone, servers: { 'mx.example': {} } })
  await world.deliver(to('bob@x.example'))
  await world.deliver({ messages: [message('cat@x.example', [['mx.example', '192.0.2.2']])] })
  assert.deepEqual(world.dials, [
    'mx.example opportunistic 192.0.2.1,192.0.2.2',
    'mx.example opportunistic 192.0.2.2,192.0.2.1',
  ])
})

test('a kept session that ends before MAIL is replaced, and nobody hears of it', async () => {
  const world = arrange({ zone, servers: { 'mx.example': { says: [[], 'closed', []] } } })
  await world.deliver(to('bob@x.example'))
  const [outcome] = await world.deliver(to('cat@x.example'))
  assert.equal(outcomeText(outcome), 'accepted 250 2.0.0 at mx.example, TLS')
  assert.deepEqual(world.sent, ['mx.example#1 bob', 'mx.example#2 cat', 'mx.example#1 cat'])
})

test('a kept session that ends after the content was sent is a failure: the server may have it', async () => {
  const world = arrange({ zone, servers: { 'mx.example': { says: [[], 'lost'] } } })
  await world.deliver(to('bob@x.example'))
  const [outcome] = await world.deliver(to('cat@x.example'))
  assert.equal(outcomeText(outcome), 'temporary at mx.example, TLS: connection closed')
  assert.equal(world.sent.length, 2)
})

test('a session is kept for 5 s', async () => {
  const world = arrange({ zone, servers: { 'mx.example': {} } })
  await world.deliver(to('bob@x.example'))
  world.pass(5 * SECOND)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(world.ended, ['mx.example'])
  await world.deliver(to('bob@x.example'))
  assert.equal(world.dials.length, 2)
})

test('a session takes 100 messages', async () => {
  const world = arrange({ zone, servers: { 'mx.example': {} } })
  for (let at = 0; at < 101; at++) await world.deliver(to('bob@x.example'))
  assert.equal(world.dials.length, 2)
  assert.deepEqual(world.sent.slice(-2), ['mx.example#100 bob', 'mx.example#1 bob'])
})

test('the end of the process ends sessions that are kept, and keeps no more', async () => {
  const world = arrange({ zone, servers: { 'mx.example': {} } })
  await world.deliver(to('bob@x.example'))
  await world.kept.end()
  assert.deepEqual(world.ended, ['mx.example'])
  await world.deliver(to('bob@x.example'))
  assert.deepEqual(world.ended, ['mx.example', 'mx.example'])
})

test('a session that broke is not kept, and one that its server ended meanwhile is not taken', async () => {
  const world = arrange({ zone, servers: { 'mx.example': { says: ['lost', []] } } })
  await world.deliver(to('bob@x.example'))
  assert.deepEqual(world.ended, ['mx.example'])
  await world.deliver(to('bob@x.example'))
  world.closeAll()
  await world.deliver(to('bob@x.example'))
  assert.deepEqual(world.sent, ['mx.example#1 bob', 'mx.example#1 bob', 'mx.example#1 bob'])
})
