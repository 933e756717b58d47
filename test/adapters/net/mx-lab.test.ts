import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { findFreePort } from '../../../infra/local/free-port.ts'
import { mxScenarios } from '../../support/mx-lab/all-scenarios.ts'
import { trustedAuthority } from '../../support/mx-lab/certificates.ts'
import { placeScenario, startMxLab } from '../../support/mx-lab/mx-lab.ts'
import { fakeZoneOf } from '../../support/mx-lab/zones.ts'
import { zoneServer } from '../../support/zone-server.ts'
import { trustCertificate } from './trust-certificate.ts'

let port = 0
before(async () => {
  // Free at all addresses, of which each server takes one of its own.
  port = await findFreePort('0.0.0.0')
})

for (const [number, scenario] of mxScenarios.entries()) {
  test(scenario.rule, async (t) => {
    trustCertificate(t, trustedAuthority.pem)
    const placed = await placeScenario(scenario, number, port)
    const dns = await zoneServer(t, fakeZoneOf(placed.zones))
    const lab = await startMxLab(t, placed, dns.address)
    await lab.deliver()
    assert.deepEqual(lab.observed(), scenario.expected)
  })
}
