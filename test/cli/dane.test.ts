import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { formatTlsa } from '../../shared/dane/tlsa.ts'
import { scriptedServer } from '../adapters/net/scripted-server.ts'
import { makeAuthority, makeCertificate } from '../support/certificates.ts'
import type { FakeZone } from '../support/fake-dns.ts'
import { identityOf, tlsServer } from '../support/tls-server.ts'
import { associate } from '../support/tlsa.ts'
import { zoneServer } from '../support/zone-server.ts'
import { runPostern } from './admin-server.ts'

const root = await makeAuthority({ subject: 'root' })
const leaf = await makeCertificate({ subject: 'leaf', issuer: root, names: ['mx.example'] })
const other = await makeCertificate({ subject: 'other', issuer: root, names: ['other.example'] })
const [three, two] = [associate(3, 1, 1, leaf), associate(2, 0, 1, root)]

async function dane(t: TestContext, zone: FakeZone, ...args: readonly string[]) {
  const { status, stdout, stderr } = await runPostern([
    'dane',
    ...args,
    '--server',
    (await zoneServer(t, zone)).address,
  ])
  assert.equal(stderr, '')
  return { status, stdout }
}

const here = { A: ['127.0.0.1'] }

const dialed: readonly (readonly [
  rule: string,
  zone: (tlsaName: string) => FakeZone,
  exit: 0 | 1,
  verdict: RegExp,
  ...options: readonly string[],
])[] = [
  [
    'a 3 1 1 record verifies',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [three] } }),
    0,
    /^mx\.example: verified by 3 1 1 [0-9a-f]{64} \(dane-ee spki sha2-256\)\n {2}records: +1 at mx\.example\n {2}names: +mx\.example\n {2}server: +127\.0\.0\.1, TLSv1\.3, certificates sent: 2\n$/,
  ],
  [
    'a 2 0 1 record verifies',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [associate(3, 1, 1, other), two] } }),
    0,
    /verified by 2 0 1 /,
  ],
  [
    'a usage that is not in the list does not count',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [three] } }),
    1,
    /^mx\.example: not verified: dane-ee spki sha2-256: usage dane-ee does not count here\n/,
    '--usages',
    'dane-ta,0',
  ],
  [
    'usages in the list count beside others',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [three, two] } }),
    0,
    /verified by 2 0 1 /,
    '--usages',
    '2',
  ],
  [
    'PKIX-EE needs an authority that this machine trusts',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [associate(1, 1, 1, leaf)] } }),
    1,
    /not verified: pkix-ee spki sha2-256: nothing leads from "CN=leaf" to the trust anchor\n/,
  ],
  [
    'another certificate does not verify',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [associate(3, 1, 1, other)] } }),
    1,
    /^mx\.example: not verified: dane-ee spki sha2-256: the server has another certificate\n/,
  ],
  [
    'no records',
    () => ({ 'mx.example': here }),
    1,
    /^mx\.example: not verified: there are no TLSA records\n$/,
  ],
  [
    'records without dnssec',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { TLSA: [three], authentic: false } }),
    1,
    /not verified: DNSSEC vouches neither for TLSA records nor for their absence\n$/,
  ],
  [
    'a name without dnssec',
    (tlsa) => ({ 'mx.example': { ...here, authentic: false }, [tlsa]: { TLSA: [three] } }),
    1,
    /not verified: DNSSEC vouches neither/,
  ],
  [
    'a TLSA question that fails',
    (tlsa) => ({ 'mx.example': here, [tlsa]: { fails: true } }),
    1,
    /not verified: TLSA _\d+\._tcp\.mx\.example: SERVFAIL\n$/,
  ],
  [
    'a name without address',
    (tlsa) => ({ 'mx.example': {}, [tlsa]: { TLSA: [three] } }),
    1,
    /not verified: the host mx\.example has no address\n$/,
  ],
  [
    'records where a CNAME leads verify, and its name is asked for',
    (tlsa) => ({
      'mx.example': { CNAME: 'real.example' },
      'real.example': here,
      [tlsa.replace('mx', 'real')]: { TLSA: [two] },
    }),
    0,
    /verified by 2 0 1 .*\n.*at real\.example\n {2}names: +real\.example, mx\.example\n/,
  ],
  [
    'records of the name itself verify where its CNAME leads to none',
    (tlsa) => ({ 'mx.example': { CNAME: 'real.example' }, 'real.example': here, [tlsa]: { TLSA: [three] } }),
    0,
    /verified by 3 1 1 .*\n.*at mx\.example\n/,
  ],
  [
    'a first CNAME without dnssec',
    (tlsa) => ({
      'mx.example': { CNAME: 'real.example', authentic: false },
      'real.example': here,
      [tlsa]: { TLSA: [three] },
    }),
    1,
    /not verified: DNSSEC vouches neither/,
  ],
]

for (const [rule, zone, exit, verdict, ...options] of dialed) {
  test(`RFC 7671: postern dane dial: ${rule}`, async (t) => {
    const { port } = await tlsServer(t, [leaf, root])
    const { status, stdout } = await dane(
      t,
      zone(`_${port}._tcp.mx.example`),
      'dial',
      `mx.example:${port}`,
      ...options,
    )
    assert.match(stdout, verdict)
    assert.equal(status, exit)
  })
}

test('postern dane dial --json shows everything', async (t) => {
  const { port, serverNames } = await tlsServer(t, [leaf, root])
  const zone = { 'mx.example': here, [`_${port}._tcp.mx.example`]: { TLSA: [three, two] } }
  const { stdout } = await dane(t, zone, 'dial', `MX.example.:${port}`, '--json')
  assert.deepEqual(JSON.parse(stdout), [
    {
      host: 'mx.example',
      baseDomain: 'mx.example',
      records: [three, two].map(formatTlsa),
      names: ['mx.example'],
      address: '127.0.0.1',
      protocol: 'TLSv1.3',
      certificates: 2,
      verified: true,
      record: formatTlsa(three),
      means: 'dane-ee spki sha2-256',
    },
  ])
  assert.deepEqual(serverNames, ['mx.example'])
})

/** Two hosts, of which the first has nothing that matches. */
function mailZone(port: number): FakeZone {
  return {
    'to.example': {
      MX: [
        [20, 'mx.example'],
        [10, 'wrong.example'],
      ],
    },
    'mx.example': here,
    'wrong.example': here,
    [`_${port}._tcp.mx.example`]: { TLSA: [three] },
    [`_${port}._tcp.wrong.example`]: { TLSA: [associate(3, 1, 1, other)] },
  }
}

test('RFC 7672: postern dane dialmx calls hosts in their order until one is verified', async (t) => {
  const server = await scriptedServer(t, { identity: identityOf([leaf, root]) })
  const { port, commands } = server
  const { status, stdout } = await dane(
    t,
    mailZone(port),
    'dialmx',
    'to.example',
    '--port',
    `${port}`,
    '--ehlo',
    'me',
  )
  assert.match(
    stdout,
    /^wrong\.example: not verified: dane-ee [^\n]*\n(?: {2}.*\n)*\nmx\.example: verified by 3 1 1 [^\n]*\n(?: {2}.*\n)*$/,
  )
  assert.match(stdout, /names: +mx\.example, to\.example\n/)
  assert.equal(status, 0)
  assert.deepEqual(commands.slice(-4), ['EHLO me', 'STARTTLS', 'EHLO me', 'QUIT'])
})

test('postern dane dialmx calls the named host only', async (t) => {
  const { port } = await scriptedServer(t, { identity: identityOf([leaf, root]) })
  const args = ['dialmx', 'to.example', 'wrong.example', '--port', `${port}`]
  const { status, stdout } = await dane(t, mailZone(port), ...args)
  assert.match(stdout, /^wrong\.example: not verified: /)
  assert.equal(status, 1)
})

const failures: readonly (readonly [rule: string, zone: (port: number) => FakeZone, stdout: RegExp])[] = [
  [
    'MX without dnssec',
    (port) => ({ ...mailZone(port), 'to.example': { MX: [[10, 'mx.example']], authentic: false } }),
    /^mx\.example: not verified: DNSSEC does not vouch for the hosts of to\.example\n$/,
  ],
  [
    'a host without dnssec',
    (port) => ({
      ...mailZone(port),
      'to.example': { MX: [[10, 'mx.example']] },
      'mx.example': { ...here, authentic: false },
    }),
    /^mx\.example: not verified: DNSSEC does not vouch for the name mx\.example\n$/,
  ],
  [
    'a null MX',
    () => ({ 'to.example': { MX: [[0, '.']] } }),
    /^to\.example: not verified: to\.example does not accept mail/,
  ],
  [
    'MX that fail',
    () => ({ 'to.example': { fails: ['MX'] } }),
    /^to\.example: not verified: MX to\.example: SERVFAIL\n$/,
  ],
  [
    'RFC 7672 §3.1.3: usages 0 and 1 only',
    (port) => ({
      'to.example': { MX: [[10, 'mx.example']] },
      'mx.example': here,
      [`_${port}._tcp.mx.example`]: { TLSA: [associate(1, 1, 1, leaf), associate(0, 1, 1, root)] },
    }),
    /^mx\.example: not verified: pkix-ee spki sha2-256: usage pkix-ee does not count here; pkix-ta /,
  ],
]

for (const [rule, zone, expected] of failures) {
  test(`RFC 7672: postern dane dialmx: ${rule} is not verified`, async (t) => {
    const { port } = await scriptedServer(t, { identity: identityOf([leaf, root]) })
    const { status, stdout } = await dane(t, zone(port), 'dialmx', 'to.example', '--port', `${port}`)
    assert.match(stdout, expected)
    assert.equal(status, 1)
  })
}

test('postern dane makerecord prints the record of a file', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-dane-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  writeFileSync(certificate, leaf.pem)
  writeFileSync(key, leaf.privateKey)
  const made = await runPostern(['dane', 'makerecord', '3', 'SPKI', 'sha2-256', key])
  assert.deepEqual([made.status, made.stdout], [0, `${formatTlsa(three)}\n`])
  const json = await runPostern(['dane', 'makerecord', 'dane-ta', '0', '0', certificate, '--json'])
  const data = Buffer.from(leaf.der).toString('hex')
  assert.deepEqual(JSON.parse(json.stdout), { usage: 2, selector: 0, matchingType: 0, data })
  const refused = await runPostern(['dane', 'makerecord', '3', '0', '1', key])
  assert.equal(
    refused.stderr,
    'error: file: selector 0 (cert) needs a certificate, and the first in it is a private key\n',
  )
  assert.equal(refused.status, 1)
})

const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['dial', 'mx.example'], /^error: host:port: "mx\.example" must be a name and a port/],
  [['dial', 'mx.example:70000'], /^error: port: "70000" must be a number from 1 to 65535/],
  [['dial', '127.0.0.1:25'], /^error: host: malformed domain name "127\.0\.0\.1"/],
  [['dial', 'mx.example:25', '--usages', '3,4'], /^error: usage: "4" must be one of 0 \(pkix-ta\)/],
  [
    ['dial', 'mx.example:25', '--server', 'x'],
    /^error: --server: "x" must be the IP address of a DNS server/,
  ],
  [['dialmx', 'a..example'], /^error: domain: malformed domain name "a\.\.example"/],
  [['dialmx', 'a.example', '-'], /^error: destination-host: malformed domain name/],
  [['dialmx', 'a.example', '--port', '0'], /^error: --port: "0" must be a number from 1 to 65535/],
  [['dialmx', 'a.example', '--ehlo', 'a b'], /^error: --ehlo: "a b" must be a host name/],
  [['makerecord', '3', '1', 'sha256', 'x.pem'], /^error: matching type: "sha256" must be one of 0 \(full\)/],
  [['makerecord', '3', '1', '1', '/nowhere.pem'], /^error: file: ENOENT/],
]

for (const [args, message] of refused) {
  test(`postern dane ${args.join(' ')} is refused`, async () => {
    const { status, stderr } = await runPostern(['dane', ...args])
    assert.match(stderr, message)
    assert.equal(status, 1)
  })
}
