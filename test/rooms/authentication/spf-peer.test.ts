import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { spf } from 'mailauth'
import type { DnsRecordType } from '../../../shared/dns/resolver.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { askSpf } from '../../support/spf-check.ts'
import { spfZones } from '../../support/spf-zones.ts'

/** What Node's resolver has for an error, by our answers. */
const codes = { failed: 'ESERVFAIL', 'no-name': 'ENOTFOUND', 'no-data': 'ENODATA' } as const

const hello = 'b.example'

/** What mailauth makes of the same question. It writes the nibbles of IPv6 addresses in lower case. */
async function askMailauth(zone: FakeZone, sender: string, ip: string) {
  const dns = fakeDns(zone)
  const resolver = async (name: string, type: string) => {
    if (name.split('.').includes('')) throw Object.assign(new Error(name), { code: 'EBADNAME' })
    const answer = await dns.lookUp(type as DnsRecordType, name)
    if (answer.kind !== 'found') throw Object.assign(new Error(name), { code: codes[answer.kind] })
    // Its types know no MX records, which are objects there too.
    return answer.values.map((value) => {
      if (type === 'TXT') return [value]
      return typeof value === 'object' && 'exchange' in value
        ? { priority: value.preference, ...value }
        : value
    }) as string[]
  }
  const mta = 'mx.receiver.example'
  const { status, explanation } = await spf({ sender, ip, helo: hello, mta, resolver, strict: true })
  return { result: status.result, explanation: explanation?.toLowerCase() }
}

test('mailauth comes to the same result and the same explanation', async () => {
  const sender = fc.constantFrom('d@a.example', 'x-y@c.a.example')
  const ip = fc.constantFrom('192.0.2.1', '2001:db8::1')
  await fc.assert(
    fc.asyncProperty(spfZones, sender, ip, async (zone, from, ip) => {
      const ours = await askSpf({ zone, from, ip, hello })
      const { result, explanation } = ours
      assert.deepEqual({ result, explanation: explanation?.toLowerCase() }, await askMailauth(zone, from, ip))
    }),
    { numRuns: 1000 },
  )
})
