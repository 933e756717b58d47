import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import type { DomainName } from '../../../shared/address/domain-name.ts'
import { checkSpf } from '../../../shared/authentication/spf-check.ts'
import type { DnsRecordType } from '../../../shared/dns/resolver.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'

// The suite that RFC 7208 is tested with (openspf.org, release 2014.04), whole. Where a case allows several results,
// its test's name lists them.

const texts = z.union([z.string(), z.array(z.string())])
const zoneRecord = z.union([
  z.literal('TIMEOUT'),
  z.strictObject({ SPF: texts }),
  z.strictObject({ TXT: texts }),
  z.strictObject({ A: z.string() }),
  z.strictObject({ AAAA: z.string() }),
  z.strictObject({ MX: z.tuple([z.number(), z.string()]) }),
  z.strictObject({ PTR: z.string() }),
  z.strictObject({ CNAME: z.string() }),
])
type ZoneRecord = z.infer<typeof zoneRecord>

const section = z.object({
  description: z.string(),
  tests: z.record(
    z.string(),
    z.object({
      helo: z.string(),
      host: z.string(),
      mailfrom: z.string(),
      result: texts,
      explanation: z.string().optional(),
    }),
  ),
  zonedata: z.record(z.string(), z.array(zoneRecord)),
})

const file = new URL('../../fixtures/spf/rfc7208-tests.yml', import.meta.url)
const sections = parseAllDocuments(readFileSync(file, 'utf8'))
  .map((document) => document.toJS())
  .filter((content) => content !== null)
  .map((content) => section.parse(content))

test('the suite is read whole', () => {
  const cases = sections.flatMap(({ tests }) => Object.keys(tests))
  assert.deepEqual([sections.length, cases.length], [16, 203])
})

for (const { description, tests, zonedata } of sections) {
  for (const [name, { helo, host, mailfrom, result, explanation }] of Object.entries(tests)) {
    const allowed = [result].flat()
    test(`${description}: ${name} is ${allowed.join(' or ')} (RFC 7208's suite)`, async () => {
      const at = mailfrom.lastIndexOf('@')
      const mailFrom = { localpart: mailfrom.slice(0, at), domain: mailfrom.slice(at + 1) as DomainName }
      const client = { ipAddress: host, hello: helo, protocol: 'ESMTP', sessionId: 'suite' }
      const outcome = await checkSpf(
        { resolver: fakeDns(readZone(zonedata)), clock: fakeClock(), hostname: 'receiver.example' },
        { client, ...(mailfrom !== '' && { mailFrom }) },
      )
      assert.ok(allowed.includes(outcome.result), `${outcome.result}: ${outcome.problem}`)
      if (explanation !== undefined) {
        assert.equal(outcome.explanation, explanation === 'DEFAULT' ? undefined : explanation)
      }
    })
  }
}

function readZone(data: Readonly<Record<string, readonly ZoneRecord[]>>): FakeZone {
  return Object.fromEntries(
    Object.entries(data).map(([name, records]) => [name.toLowerCase(), readName(records)]),
  )
}

function readName(records: readonly ZoneRecord[]): FakeZone[string] {
  const own = records.filter((record) => record !== 'TIMEOUT')
  // The suite knows two record types: where a name has none of type TXT, those of type SPF are meant.
  const type = own.some((record) => 'TXT' in record) ? 'TXT' : 'SPF'
  const published = own.flatMap((record) => {
    if ('TXT' in record && type === 'TXT' && record.TXT !== 'NONE') return [record.TXT]
    return 'SPF' in record && type === 'SPF' ? [record.SPF] : []
  })
  const [canonical] = own.flatMap((record) => ('CNAME' in record ? [withoutDot(record.CNAME)] : []))
  const here = {
    A: own.flatMap((record) => ('A' in record ? [record.A] : [])),
    AAAA: own.flatMap((record) => ('AAAA' in record ? [record.AAAA] : [])),
    MX: own.flatMap((record) => ('MX' in record ? [record.MX] : [])),
    PTR: own.flatMap((record) => ('PTR' in record ? [withoutDot(record.PTR)] : [])),
    TXT: published.map((text) => [text].flat().join('')),
  }
  // TIMEOUT: whatever is asked for beyond what is here has no answer.
  const types = ['A', 'AAAA', 'MX', 'PTR', 'TXT'] as const satisfies readonly DnsRecordType[]
  const fails = types.filter((each) => records.includes('TIMEOUT') && here[each].length === 0)
  return { ...here, ...(canonical !== undefined && { CNAME: canonical }), fails }
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '')
}
