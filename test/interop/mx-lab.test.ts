import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { findFreePort } from '../../infra/local/free-port.ts'
import { type DnsLab, dnsLab, whyNoDnsLab } from '../../scripts/labs/dns-lab.ts'
import { trustCertificate } from '../adapters/net/trust-certificate.ts'
import { mxScenarios } from '../support/mx-lab/all-scenarios.ts'
import { trustedAuthority } from '../support/mx-lab/certificates.ts'
import { type PlacedScenario, placeScenario, startMxLab } from '../support/mx-lab/mx-lab.ts'
import { zoneFilesOf } from '../support/mx-lab/zones.ts'

const skip = whyNoDnsLab()
let dns: DnsLab
const placed: PlacedScenario[] = []

// The zones of all scenarios, which have domains of their own, behind one resolver.
before(async () => {
  if (skip) return
  const port = await findFreePort('0.0.0.0')
  for (const [number, scenario] of mxScenarios.entries()) {
    placed.push(await placeScenario(scenario, number, port))
  }
  dns = await dnsLab(Object.assign({}, ...placed.map(({ zones }) => zoneFilesOf(zones))))
})
after(async () => await dns?.stop())

for (const [number, scenario] of mxScenarios.entries()) {
  test(`over nsd and unbound: ${scenario.rule}`, { skip }, async (t) => {
    trustCertificate(t, trustedAuthority.pem)
    const lab = await startMxLab(t, placed[number] ?? assert.fail(), dns.address)
    await lab.deliver()
    assert.deepEqual(lab.observed(), scenario.expected)
  })
}
