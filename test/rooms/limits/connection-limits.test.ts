import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionLimits } from '../../../shared/limits/connection-limits.ts'

const MINUTE = 60_000

/** How many of the clients, one connection each, are let in at once. */
function admitted(clients: readonly string[], limits = fresh()): number {
  return clients.filter((client) => limits.enter(client, MINUTE)).length
}

function fresh(most = 10_000): ConnectionLimits {
  return new ConnectionLimits({ most, exemptsLoopback: true })
}

const ipv4 = (count: number, address: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => address(at))

const networks: readonly (readonly [what: string, clients: readonly string[], most: number])[] = [
  ['an IPv4 address', ipv4(40, () => '192.0.2.1'), 30],
  ['an IPv4 /26', ipv4(100, (at) => `192.0.2.${at % 64}`), 90],
  ['an IPv4 /21', ipv4(300, (at) => `192.0.${at % 8}.${at % 256}`), 270],
  ['an IPv6 /64', ipv4(40, (at) => `2001:db8::${at.toString(16)}`), 30],
  ['an IPv6 /48', ipv4(100, (at) => `2001:db8:0:${at.toString(16)}::1`), 90],
  ['an IPv6 /32', ipv4(300, (at) => `2001:db8:${at.toString(16)}::1`), 270],
  ['many networks', ipv4(300, (at) => `192.${at % 256}.0.1`), 300],
  ['this machine', ipv4(300, (at) => (at % 2 === 0 ? '127.0.0.1' : '::1')), 300],
]

for (const [what, clients, most] of networks) {
  test(`${what} has at most ${most} connections at once`, () => assert.equal(admitted(clients), most))
}

test('a network makes at most 300 connections a minute, however short they are', () => {
  const limits = fresh()
  const let1 = ipv4(400, () => '192.0.2.1').filter((client) => {
    const isIn = limits.enter(client, MINUTE)
    if (isIn) limits.leave(client)
    return isIn
  })
  assert.equal(let1.length, 300)
  assert.ok(!limits.enter('192.0.2.1', 2 * MINUTE - 1))
  assert.ok(limits.enter('192.0.2.1', 2 * MINUTE))
})

test('all networks together have a bound, and who leaves makes room', () => {
  const limits = fresh(2)
  const others = ['192.0.2.1', '198.51.100.1', '203.0.113.1']
  assert.equal(admitted(others, limits), 2)
  limits.leave('192.0.2.1')
  assert.equal(admitted(others, limits), 1)
})

test('loopback counts like any other where it is not exempt', () => {
  const limits = new ConnectionLimits({ most: 1_000, exemptsLoopback: false })
  assert.equal(
    admitted(
      ipv4(40, () => '127.0.0.1'),
      limits,
    ),
    30,
  )
})
