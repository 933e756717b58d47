import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookUpAddresses } from '../../../shared/dns/look-up-addresses.ts'
import type { DnsAnswer, Resolver } from '../../../shared/dns/resolver.ts'
import { fakeDns } from '../../support/fake-dns.ts'

const found = (value: string, authentic = true): DnsAnswer<string> => ({
  kind: 'found',
  values: [value],
  canonicalName: 'www.example',
  authentic,
})
const noName = (authentic = true): DnsAnswer<string> => ({ kind: 'no-name', authentic })
const noData = (authentic = true): DnsAnswer<string> => ({ kind: 'no-data', authentic })
const failed = (error: string): DnsAnswer<string> => ({ kind: 'failed', error })
const both = (authentic: boolean) => ({ ...found('192.0.2.1', authentic), values: ['192.0.2.1', '::1'] })

const rules: readonly (readonly [
  rule: string,
  ipv4: DnsAnswer<string>,
  ipv6: DnsAnswer<string>,
  DnsAnswer<string>,
])[] = [
  ['IPv4 addresses come first', found('192.0.2.1'), found('::1'), both(true)],
  [
    'found is authentic when both are: not with IPv4 alone',
    found('192.0.2.1'),
    found('::1', false),
    both(false),
  ],
  [
    'found is authentic when both are: not with IPv6 alone',
    found('192.0.2.1', false),
    found('::1'),
    both(false),
  ],
  ['an inauthentic absence counts', found('192.0.2.1'), noData(false), found('192.0.2.1', false)],
  ['an authentic absence does no harm', noData(), found('::1'), found('::1')],
  ['a failure neither hides nor discredits what was found', failed('x'), found('::1'), found('::1')],
  ['a failure makes nothing authentic', failed('x'), found('::1', false), found('::1', false)],
  ['a failure is the answer when nothing was found', noData(), failed('x'), failed('x')],
  ['the first of two failures is the answer', failed('x'), failed('y'), failed('x')],
  ['there is no name when both say so', noName(), noName(), noName()],
  ['absences are authentic when both are', noName(), noName(false), noName(false)],
  ['a name with no address of either kind is there', noData(), noData(), noData()],
  ['who knows the name is believed', noName(), noData(), noData()],
]

for (const [rule, ipv4, ipv6, expected] of rules) {
  test(rule, async () => {
    const answers: Readonly<Record<string, DnsAnswer<string>>> = { A: ipv4, AAAA: ipv6 }
    const resolver = { lookUp: async (type: string) => answers[type] } as unknown as Resolver
    assert.deepEqual(await lookUpAddresses(resolver, 'www.example'), expected)
  })
}

test('both kinds are asked for, and CNAMEs followed', async () => {
  const resolver = fakeDns({
    'www.example': { CNAME: 'host.example' },
    'host.example': { A: ['192.0.2.1'], AAAA: ['::1'] },
  })
  const answer = await lookUpAddresses(resolver, 'www.example')
  assert.deepEqual(answer, { ...both(true), canonicalName: 'host.example' })
  assert.deepEqual(resolver.asked, ['A www.example', 'AAAA www.example'])
})
