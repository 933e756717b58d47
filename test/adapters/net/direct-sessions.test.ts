import assert from 'node:assert/strict'
import { before, type TestContext, test } from 'node:test'
import { findFreePort } from '../../../infra/local/free-port.ts'
import { type MxLab, placeScenario, startMxLab } from '../../support/mx-lab/mx-lab.ts'
import type { MxScenario } from '../../support/mx-lab/scenario.ts'
import { fakeZoneOf } from '../../support/mx-lab/zones.ts'
import { socksServer } from '../../support/socks-server.ts'
import { zoneServer } from '../../support/zone-server.ts'

let port = 0
before(async () => {
  port = await findFreePort('0.0.0.0')
})

/** A domain whose server DANE vouches for, unless something is said. */
async function startLab(
  t: TestContext,
  number: number,
  changes: Partial<MxScenario> = {},
): Promise<MxLab & { readonly addresses: ReadonlyMap<string, string> }> {
  const expected = { outcomes: [], sessions: [], reports: [] }
  const scenario = { rule: t.name, tlsa: { mx: ['3 1 1 own'] }, expected, ...changes }
  const placed = await placeScenario(scenario, number, port)
  const dns = await zoneServer(t, fakeZoneOf(placed.zones))
  const lab = await startMxLab(t, placed, dns.address)
  return { ...lab, addresses: placed.place.addresses }
}

const verified = 'accepted 250 2.0.0 at mx.x.test, DANE'

test('AT-38: through a SOCKS proxy mail goes to addresses of the domain’s servers, with its name and DANE', async (t) => {
  const lab = await startLab(t, 1)
  const proxy = await socksServer(t)
  const transport = {
    kind: 'socks',
    host: '127.0.0.1',
    port: proxy.port,
    hostname: 'out.example',
    ipAddresses: ['198.51.100.7'],
  } as const
  await lab.deliver({ transport })
  assert.deepEqual(lab.observed().outcomes, [verified])
  assert.deepEqual(proxy.requests, [`1 ${lab.addresses.get('mx')}:${port}`])
  assert.equal(lab.servers[0]?.commands[0], 'EHLO out.example')
})

test('AT-38: a SOCKS proxy that refuses is waited out, and the server hears nothing', async (t) => {
  const lab = await startLab(t, 2)
  const proxy = await socksServer(t, { reply: 5 })
  const place = { host: '127.0.0.1', port: proxy.port, hostname: 'out.example', ipAddresses: [] }
  await lab.deliver({ transport: { kind: 'socks', ...place } })
  assert.match(lab.observed().outcomes[0] ?? '', /^temporary: .*mx\.x\.test/)
  assert.equal(lab.servers[0]?.connections, 0)
})

test('messages that follow each other share a session, which was verified once', async (t) => {
  const lab = await startLab(t, 3)
  await lab.deliver()
  await lab.deliver()
  assert.deepEqual(lab.observed().outcomes, [verified, verified])
  assert.equal(lab.servers[0]?.connections, 1)
})

test('a message that demands more has a session of its own', async (t) => {
  const lab = await startLab(t, 4, { servers: { mx: { extensions: ['REQUIRETLS'] } } })
  await lab.deliver()
  await lab.deliver({ requireTls: true })
  assert.deepEqual(lab.observed().outcomes, [verified, verified])
  const mails = lab.servers[0]?.commands.filter((command) => command.startsWith('MAIL')) ?? []
  assert.deepEqual(
    [lab.servers[0]?.connections, mails.map((mail) => mail.endsWith(' REQUIRETLS'))],
    [2, [false, true]],
  )
})

test('a kept session that the server ends meanwhile is replaced, and no failure (RFC 5321 §3.8)', async (t) => {
  const lab = await startLab(t, 5, { servers: { mx: { mostMails: 1 } } })
  await lab.deliver()
  await lab.deliver()
  assert.deepEqual(lab.observed().outcomes, [verified, verified])
  assert.equal(lab.servers[0]?.connections, 2)
})
