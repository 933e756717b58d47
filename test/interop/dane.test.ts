import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DnsLab, dnsLab, type LabZone, whyNoDnsLab } from '../../scripts/labs/dns-lab.ts'
import { formatTlsa } from '../../shared/dane/tlsa.ts'
import { scriptedServer } from '../adapters/net/scripted-server.ts'
import { runPostern } from '../cli/admin-server.ts'
import { makeAuthority, makeCertificate, type TestCertificate } from '../support/certificates.ts'
import { identityOf, tlsServer } from '../support/tls-server.ts'
import { associate } from '../support/tlsa.ts'

const skip = whyNoDnsLab()
const ends: (() => unknown)[] = []
const context = { after: (end: () => unknown) => void ends.push(end) }

let lab: DnsLab
let port = 0
let mailPort = 0

before(async () => {
  if (skip) return
  const root = await makeAuthority({ subject: 'root' })
  const middle = await makeAuthority({ subject: 'middle', issuer: root })
  const leaf = await makeCertificate({ issuer: middle, names: ['ta.signed.test', 'signed.test'] })
  const foreign = await makeAuthority({ subject: 'foreign' })
  const chain = [leaf, foreign, root, middle]
  port = (await tlsServer(context, chain)).port
  mailPort = (await scriptedServer(context, { identity: identityOf(chain) })).port
  const record = (...[usage, selector, matchingType, of]: Parameters<typeof associate>) =>
    `TLSA ${formatTlsa(associate(usage, selector, matchingType, of))}`
  lab = await dnsLab(zonesWith({ leaf, root, foreign }, record))
})
after(async () => {
  await lab?.stop()
  for (const end of ends.reverse()) await end()
})

function zonesWith(
  { leaf, root, foreign }: Readonly<Record<'leaf' | 'root' | 'foreign', TestCertificate>>,
  record: (...of: Parameters<typeof associate>) => string,
): Readonly<Record<string, LabZone>> {
  const at = (name: string, text: string) =>
    [`${name} A 127.0.0.1`, `_${port}._tcp.${name} ${text}`, `_${mailPort}._tcp.${name} ${text}`].join('\n')
  const records = [
    at('mx', record(3, 1, 1, leaf)),
    at('ta', record(2, 0, 1, root)),
    at('wrong', record(3, 1, 1, foreign)),
    at('pkix', record(1, 1, 1, leaf)),
    'bare A 127.0.0.1',
    'alias CNAME mx',
    'astray CNAME mx.unsigned.test.',
    '@ MX 10 mx',
    'elsewhere MX 10 mx.unsigned.test.',
    'broken MX 10 mx.bogus.test.',
  ].join('\n')
  return {
    'signed.test': { records, dnssec: 'signed' },
    'unsigned.test': { records: `${records}\nback MX 10 mx.signed.test.`, dnssec: 'unsigned' },
    'bogus.test': { records, dnssec: 'bogus' },
  }
}

const dialed: readonly (readonly [host: string, verdict: RegExp])[] = [
  ['mx.signed.test', /^mx\.signed\.test: verified by 3 1 1 [0-9a-f]{64} \(dane-ee spki sha2-256\)\n/],
  ['ta.signed.test', /: verified by 2 0 1 [\s\S]* certificates sent: 4\n$/],
  ['alias.signed.test', /: verified by 3 1 1 .*\n {2}records: +1 at mx\.signed\.test\n/],
  ['wrong.signed.test', /: not verified: dane-ee spki sha2-256: the server has another certificate\n/],
  ['bare.signed.test', /: not verified: there are no TLSA records\n/],
  ['astray.signed.test', /: not verified: there are no TLSA records\n/],
  ['mx.unsigned.test', /: not verified: DNSSEC vouches neither for TLSA records nor for their absence\n/],
  ['mx.bogus.test', /: not verified: CNAME mx\.bogus\.test: SERVFAIL: dnssec bogus/],
]

for (const [host, verdict] of dialed) {
  test(`RFC 7671 over nsd and unbound: postern dane dial ${host} says ${verdict.source.slice(0, 50)}`, {
    skip,
  }, async () => {
    const { status, stdout } = await runPostern(['dane', 'dial', `${host}:${port}`, '--server', lab.address])
    assert.match(stdout, verdict)
    assert.equal(status, stdout.includes(': verified by') ? 0 : 1)
  })
}

const mailed: readonly (readonly [domain: string, verdict: RegExp])[] = [
  ['signed.test', /^mx\.signed\.test: verified by 3 1 1 /],
  ['ta.signed.test', /^ta\.signed\.test: verified by 2 0 1 /],
  [
    'pkix.signed.test',
    /^pkix\.signed\.test: not verified: pkix-ee spki sha2-256: usage pkix-ee does not count here\n/,
  ],
  [
    'elsewhere.signed.test',
    /^mx\.unsigned\.test: not verified: DNSSEC does not vouch for the name mx\.unsigned\.test\n/,
  ],
  ['broken.signed.test', /^mx\.bogus\.test: not verified: CNAME mx\.bogus\.test: SERVFAIL: dnssec bogus/],
  [
    'back.unsigned.test',
    /^mx\.signed\.test: not verified: DNSSEC does not vouch for the hosts of back\.unsigned\.test\n/,
  ],
  ['bogus.test', /^bogus\.test: not verified: CNAME bogus\.test: SERVFAIL: dnssec bogus/],
]

for (const [domain, verdict] of mailed) {
  test(`RFC 7672 over nsd and unbound: postern dane dialmx ${domain}`, { skip }, async () => {
    const args = ['dane', 'dialmx', domain, '--port', `${mailPort}`, '--server', lab.address]
    const { status, stdout } = await runPostern(args)
    assert.match(stdout, verdict)
    assert.equal(status, stdout.includes(': verified by') ? 0 : 1)
  })
}
