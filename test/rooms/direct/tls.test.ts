import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DirectRequest } from '../../../shared/direct/direct-attempt.ts'
import type { FetchedPolicy } from '../../../shared/mta-sts/policy-fetcher.ts'
import { makeCertificate } from '../../support/certificates.ts'
import type { FakeZone } from '../../support/fake-dns.ts'
import { associate } from '../../support/tlsa.ts'
import { arrange, outcomeText, reportLines } from './arrange.ts'
import { type FakeServer, notTrusted } from './fake-servers.ts'

const own = await makeCertificate({ names: ['mx.x.example'] })
const foreign = await makeCertificate({ names: ['mx.x.example'] })

const zone: FakeZone = {
  'x.example': { MX: [[10, 'mx.x.example']] },
  'mx.x.example': { A: ['192.0.2.1'] },
}
const insecure: FakeZone = {
  'x.example': { MX: [[10, 'mx.x.example']], authentic: false },
  'mx.x.example': { A: ['192.0.2.1'], authentic: false },
}
const withRecord = { '_mta-sts.x.example': { TXT: ['v=STSv1; id=one'] } }
const tlsa = (...records: ReturnType<typeof associate>[]): FakeZone => ({
  '_25._tcp.mx.x.example': { TLSA: records },
})
const matching = tlsa(associate(3, 1, 1, own))
const wrong = tlsa(associate(3, 1, 1, foreign))
const unusable = tlsa(associate(1, 1, 1, own))
const bogus = { code: 6, name: 'dnssec bogus', text: '' }

function policy(mode: string, mx = 'mx.x.example'): FetchedPolicy {
  return { kind: 'fetched', text: `version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: 86400\n` }
}

const shows: FakeServer = { chain: [own.der] }
const untrusted: FakeServer = { ...shows, webPkiFailure: notTrusted }
const broken: FakeServer = { tls: 'broken' }
const plain: FakeServer = { tls: 'none' }
const promises: FakeServer = { ...untrusted, extensions: ['REQUIRETLS'] }

interface Case {
  readonly rule: string
  readonly zone: FakeZone
  readonly server: FakeServer
  readonly policy?: FetchedPolicy
  readonly requireTls?: boolean
  readonly transport?: DirectRequest['transport']
  readonly outcome: string
  /** What TLS each session was tried with. */
  readonly dials: readonly string[]
  readonly reports: readonly string[]
}

const MX = 'mx.x.example'
const NO_POLICY = 'no-policy-found x.example'
const NO_DANE = `no-policy-found host ${MX}`
const ALERT = 'validation-failure tls-remote-alert-40-handshake-failure'

const cases: readonly Case[] = [
  {
    rule: 'AT-39a: opportunistic TLS takes an untrusted certificate, and is noted for domain and host',
    zone: insecure,
    server: untrusted,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: [`${NO_POLICY}: 1; certificate-not-trusted 0`, `${NO_DANE}: 1`],
  },
  {
    rule: 'AT-39b: a handshake that fails is followed by a session without TLS, and counted',
    zone: insecure,
    server: broken,
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['opportunistic', 'none'],
    reports: [`${NO_POLICY}: 0; ${ALERT} 1`, `${NO_DANE}: 0; ${ALERT} 1`],
  },
  {
    rule: '§2.6: an alert after the handshake makes a failure of what looked like a success',
    zone,
    server: { ...shows, tls: 'alert' },
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['opportunistic', 'none'],
    reports: [`${NO_POLICY}: 0; ${ALERT} 1`, `${NO_DANE}: 0; ${ALERT} 1`],
  },
  {
    rule: '§2.3: a server without STARTTLS gets the mail in the same session',
    zone,
    server: plain,
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['opportunistic'],
    reports: [`${NO_POLICY}: 0; starttls-not-supported 0`, `${NO_DANE}: 0; starttls-not-supported 0`],
  },
  {
    rule: 'AT-39c: a TLSA record that matches verifies the server',
    zone: { ...zone, ...matching },
    server: untrusted,
    outcome: `accepted 250 2.0.0 at ${MX}, DANE`,
    dials: ['required'],
    reports: [`${NO_POLICY}: 1; certificate-not-trusted 0`, `tlsa host ${MX}: 1`],
  },
  {
    rule: 'AT-39d: REQUIRETLS goes to a server that DANE vouches for and that promises it',
    zone: { ...zone, ...matching },
    server: promises,
    requireTls: true,
    outcome: `accepted 250 2.0.0 at ${MX}, DANE`,
    dials: ['required'],
    reports: [`${NO_POLICY}: 1; certificate-not-trusted 0`, `tlsa host ${MX}: 1`],
  },
  {
    rule: 'AT-39e: with unusable TLSA records only TLS is demanded still, and the report says why',
    zone: { ...zone, ...unusable },
    server: untrusted,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['required'],
    reports: [
      `tlsa host ${MX}: 1; tlsa-invalid all-unusable-records+ignored 0`,
      `${NO_POLICY}: 1; certificate-not-trusted 0`,
    ],
  },
  {
    rule: '§2.3: with unusable TLSA records only nothing goes without TLS',
    zone: { ...zone, ...unusable },
    server: broken,
    outcome: `temporary at ${MX}, plain: the handshake failed`,
    dials: ['required'],
    reports: [
      `tlsa host ${MX}: 0; tlsa-invalid all-unusable-records+ignored 0; ${ALERT} 1`,
      `${NO_POLICY}: 0; ${ALERT} 1`,
    ],
  },
  {
    rule: 'AT-39f: TLSA records without DNSSEC count for nothing, and broken TLS is done without',
    zone: { ...insecure, ...wrong },
    server: broken,
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['opportunistic', 'none'],
    reports: [`${NO_POLICY}: 0; ${ALERT} 1`, `${NO_DANE}: 0; ${ALERT} 1`],
  },
  {
    rule: 'RFC 7672 §2.2: TLSA records that are not authentic are ignored below a signed MX',
    zone: { ...zone, '_25._tcp.mx.x.example': { ...wrong['_25._tcp.mx.x.example'], authentic: false } },
    server: untrusted,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: [`${NO_POLICY}: 1; certificate-not-trusted 0`, `${NO_DANE}: 1`],
  },
  {
    rule: 'RFC 7672 §2.2.2: an address without DNSSEC has no DANE, whatever TLSA records are signed',
    zone: { ...zone, ...wrong, 'mx.x.example': { A: ['192.0.2.1'], authentic: false } },
    server: untrusted,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: [`${NO_POLICY}: 1; certificate-not-trusted 0`, `${NO_DANE}: 1`],
  },
  {
    rule: 'AT-39g: TLS-Required: No takes a server that DANE does not vouch for',
    zone: { ...zone, ...wrong },
    server: untrusted,
    requireTls: false,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['required'],
    reports: [
      `${NO_POLICY}: 1; certificate-not-trusted 0`,
      `tlsa host ${MX}: 0; validation-failure dane-no-match 1`,
    ],
  },
  {
    rule: 'AT-39g: TLS-Required: No goes without TLS where that is broken, in spite of DANE',
    zone: { ...zone, ...matching },
    server: broken,
    requireTls: false,
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['required', 'none'],
    reports: [`${NO_POLICY}: 0; ${ALERT} 1`, `tlsa host ${MX}: 0; ${ALERT} 1`],
  },
  {
    rule: 'AT-39h: REQUIRETLS fails at once where no host promises it',
    zone: { ...zone, ...matching },
    server: untrusted,
    requireTls: true,
    outcome: `permanent 554 5.7.30: ${MX} does not offer REQUIRETLS, which the message demands (RFC 8689)`,
    dials: ['required'],
    reports: [`${NO_POLICY}: 1; certificate-not-trusted 0`, `tlsa host ${MX}: 1`],
  },
  {
    rule: 'AT-39i: REQUIRETLS without DANE or MTA-STS fails at once, and no server is called',
    zone,
    server: promises,
    requireTls: true,
    outcome: `permanent 554 5.7.30: ${MX} cannot be verified, by DANE or by an enforced MTA-STS policy, as the message demands (RFC 8689)`,
    dials: [],
    reports: [],
  },
  {
    rule: 'AT-40: a TLSA record that does not match is waited out, and never gone without',
    zone: { ...zone, ...wrong },
    server: shows,
    outcome: `temporary at ${MX}, plain: DANE does not vouch for ${MX}: dane-ee spki sha2-256: the server has another certificate`,
    dials: ['required'],
    reports: [`${NO_POLICY}: 1`, `tlsa host ${MX}: 0; validation-failure dane-no-match 1`],
  },
  {
    rule: 'RFC 7672 §2.1.2: a question for TLSA records that fails is waited out without a session',
    zone: { ...zone, '_25._tcp.mx.x.example': { fails: true } },
    server: shows,
    outcome: `temporary: whether ${MX} has TLSA records is not known: TLSA _25._tcp.${MX}: SERVFAIL`,
    dials: [],
    reports: [`tlsa host ${MX}: 0; tlsa-invalid dns-lookup 1`],
  },
  {
    rule: '§2.3: bogus TLSA records are waited out, and reported as DNSSEC’s failure',
    zone: { ...zone, '_25._tcp.mx.x.example': { fails: true, extended: bogus } },
    server: shows,
    outcome: `temporary: whether ${MX} has TLSA records is not known: TLSA _25._tcp.${MX}: SERVFAIL`,
    dials: [],
    reports: [`tlsa host ${MX}: 0; dnssec-invalid dns-extended-error-6-dnssec-bogus 1`],
  },
  {
    rule: 'RFC 8461 §5: an enforced policy takes a host that it lists and WebPKI knows',
    zone: { ...zone, ...withRecord },
    policy: policy('enforce'),
    server: shows,
    outcome: `accepted 250 2.0.0 at ${MX}, WebPKI`,
    dials: ['required'],
    reports: ['sts x.example: 1', `${NO_DANE}: 1`],
  },
  {
    rule: 'RFC 8461 §5: an enforced policy refuses a certificate that nobody vouches for',
    zone: { ...zone, ...withRecord },
    policy: policy('enforce'),
    server: untrusted,
    outcome: `temporary at ${MX}, plain: the certificate is not trusted`,
    dials: ['required'],
    reports: ['sts x.example: 0; certificate-not-trusted 1', `${NO_DANE}: 1`],
  },
  {
    rule: 'RFC 8461 §5: an enforced policy refuses a server without STARTTLS',
    zone: { ...zone, ...withRecord },
    policy: policy('enforce'),
    server: plain,
    outcome: `temporary at ${MX}, plain: STARTTLS is not offered`,
    dials: ['required'],
    reports: ['sts x.example: 0; starttls-not-supported 1', `${NO_DANE}: 0; starttls-not-supported 1`],
  },
  {
    rule: 'RFC 8461 §5: a policy in testing only reports an untrusted certificate',
    zone: { ...zone, ...withRecord },
    policy: policy('testing'),
    server: untrusted,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: ['sts x.example: 0; certificate-not-trusted 1', `${NO_DANE}: 1`],
  },
  {
    rule: 'RFC 8461 §5: a policy in testing only reports that there is no STARTTLS',
    zone: { ...zone, ...withRecord },
    policy: policy('testing'),
    server: plain,
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['opportunistic'],
    reports: ['sts x.example: 0; starttls-not-supported 1', `${NO_DANE}: 0; starttls-not-supported 0`],
  },
  {
    rule: 'RFC 8461 §4.1: an enforced policy keeps mail from a host that it does not list',
    zone: { ...zone, ...withRecord },
    policy: policy('enforce', 'other.example'),
    server: shows,
    outcome: `temporary: the MTA-STS policy does not list ${MX}`,
    dials: [],
    reports: ['sts x.example: 0; validation-failure mtasts-policy-mx-mismatch 1'],
  },
  {
    rule: 'RFC 8461 §4.1: a policy in testing only reports a host that it does not list',
    zone: { ...zone, ...withRecord },
    policy: policy('testing', 'other.example'),
    server: shows,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: ['sts x.example: 0; validation-failure mtasts-policy-mx-mismatch 1', `${NO_DANE}: 1`],
  },
  {
    rule: '§2.5: TLS-Required: No goes past an enforced policy',
    zone: { ...zone, ...withRecord },
    policy: policy('enforce', 'other.example'),
    server: broken,
    requireTls: false,
    outcome: `accepted 250 2.0.0 at ${MX}, plain`,
    dials: ['opportunistic', 'none'],
    reports: [
      `sts x.example: 0; validation-failure mtasts-policy-mx-mismatch 1; ${ALERT} 1`,
      `${NO_DANE}: 0; ${ALERT} 1`,
    ],
  },
  {
    rule: '§2.3: DANE and an enforced policy must both be content',
    zone: { ...zone, ...withRecord, ...matching },
    policy: policy('enforce'),
    server: shows,
    outcome: `accepted 250 2.0.0 at ${MX}, DANE and WebPKI`,
    dials: ['required'],
    reports: ['sts x.example: 1', `tlsa host ${MX}: 1`],
  },
  {
    rule: '§2.3: what DANE vouches for, an enforced policy may refuse',
    zone: { ...zone, ...withRecord, ...matching },
    policy: policy('enforce'),
    server: untrusted,
    outcome: `temporary at ${MX}, plain: the certificate is not trusted`,
    dials: ['required'],
    reports: ['sts x.example: 0; certificate-not-trusted 1', `tlsa host ${MX}: 1`],
  },
  {
    rule: '§2.3: an MTA-STS record that cannot be looked up is waited out before any host',
    zone: { ...zone, '_mta-sts.x.example': { fails: true } },
    server: shows,
    outcome: 'temporary: the MTA-STS policy is not known: TXT _mta-sts.x.example: SERVFAIL',
    dials: [],
    reports: [`${NO_POLICY}: 0; sts-policy-fetch-error dns-lookup 1`],
  },
  {
    rule: '§2.5: TLS-Required: No goes on without the policy',
    zone: { ...zone, '_mta-sts.x.example': { fails: true } },
    server: shows,
    requireTls: false,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: [`${NO_POLICY}: 1; sts-policy-fetch-error dns-lookup 1`, `${NO_DANE}: 1`],
  },
  {
    rule: '§2.7: a policy that cannot be had is reported, and mail goes as if there were none',
    zone: { ...zone, ...withRecord },
    policy: { kind: 'failed', problem: 'connection refused' },
    server: shows,
    outcome: `accepted 250 2.0.0 at ${MX}, TLS`,
    dials: ['opportunistic'],
    reports: [`${NO_POLICY}: 1; sts-policy-fetch-error cannot-fetch-policy 0`, `${NO_DANE}: 1`],
  },
  {
    rule: '§2.3: bogus MX records are waited out, and reported',
    zone: { 'x.example': { fails: ['MX'], extended: bogus } },
    server: shows,
    outcome: 'temporary: the mail hosts of x.example are not known: MX x.example: SERVFAIL',
    dials: [],
    reports: [`${NO_POLICY}: 0; validation-failure dns-extended-error-6-dnssec-bogus 1`],
  },
  {
    rule: '§2.3: bogus addresses of a host are waited out, and reported for the host',
    zone: { ...zone, 'mx.x.example': { fails: true, extended: bogus } },
    server: shows,
    outcome: 'temporary: CNAME mx.x.example: SERVFAIL',
    dials: [],
    reports: [`tlsa host ${MX}: 0; validation-failure dns-extended-error-6-dnssec-bogus 1`],
  },
]

for (const { rule, server, requireTls, ...expected } of cases) {
  test(rule, async () => {
    const world = arrange({ ...expected, servers: { [MX]: server } })
    const [outcome] = await world.deliver({ ...(requireTls !== undefined && { requireTls }) })
    assert.equal(outcomeText(outcome), expected.outcome)
    assert.deepEqual(
      world.requests.map(({ tls }) => tls),
      expected.dials,
    )
    assert.deepEqual(reportLines(world.results), expected.reports)
  })
}

test('AT-39c, AT-39f: what TLS a domain has is remembered for the account, and taken back when TLS fails', async () => {
  const remembered = async (server: FakeServer) => {
    const world = arrange({ zone, servers: { [MX]: server } })
    await world.deliver()
    return world.remembered
  }
  const whose = { account: 'shop', domain: 'x.example' }
  assert.deepEqual(await remembered(promises), [{ ...whose, starttls: true, requiretls: true }])
  assert.deepEqual(await remembered(shows), [{ ...whose, starttls: true, requiretls: false }])
  assert.deepEqual(await remembered(broken), [{ ...whose, starttls: false, requiretls: false }])
})

test('AT-39h: REQUIRETLS is not given up while a host is left that may promise it', async () => {
  const two: FakeZone = {
    'x.example': {
      MX: [
        [10, 'one.example'],
        [20, 'two.example'],
      ],
    },
    'one.example': { A: ['192.0.2.1'] },
    'two.example': { A: ['192.0.2.2'] },
    '_25._tcp.one.example': { TLSA: [associate(3, 1, 1, own)] },
    '_25._tcp.two.example': { TLSA: [associate(3, 1, 1, own)] },
  }
  const outcomeWith = async (second: FakeServer) => {
    const world = arrange({ zone: two, servers: { 'one.example': shows, 'two.example': second } })
    return outcomeText((await world.deliver({ requireTls: true }))[0])
  }
  assert.match(await outcomeWith(promises), /^accepted 250 2.0.0 at two.example, DANE$/)
  assert.match(await outcomeWith({ isDown: true }), /^temporary: .*REQUIRETLS.*; .*connection refused$/)
  assert.match(await outcomeWith(shows), /^permanent 554 5.7.30: one.example .*; two.example .*REQUIRETLS/)
})

test('RFC 8460 §4.4: a detail names who called whom, as far as that is known', async () => {
  const ports = { egressAddresses: ['2001:db8::1', '198.51.100.1'] }
  const world = arrange({ zone, servers: { [MX]: broken }, ports })
  await world.deliver()
  const [detail] = world.results[0]?.failures ?? []
  assert.deepEqual(
    [detail?.sendingIp, detail?.receivingHost, detail?.receivingIp],
    ['198.51.100.1', MX, '192.0.2.1'],
  )
})

test('RFC 7672 §8.1: SNI asks for the name where the TLSA records are', async () => {
  const aliased: FakeZone = {
    'x.example': { MX: [[10, 'mx.x.example']] },
    'mx.x.example': { CNAME: 'real.example' },
    'real.example': { A: ['192.0.2.1'] },
    '_25._tcp.real.example': { TLSA: [associate(3, 1, 1, own)] },
  }
  const world = arrange({ zone: aliased, servers: { [MX]: shows } })
  await world.deliver()
  assert.deepEqual(
    world.requests.map(({ host, serverName }) => [host, serverName]),
    [[MX, 'real.example']],
  )
})

test('a domain that is its own host is reported once, by its TLSA records', async () => {
  const world = arrange({
    zone: { 'x.example': { A: ['192.0.2.1'] }, '_25._tcp.x.example': { TLSA: [associate(3, 1, 1, own)] } },
    servers: { 'x.example': shows },
  })
  await world.deliver()
  assert.deepEqual(reportLines(world.results), ['tlsa host x.example: 1'])
})

test('results that cannot be noted lose no delivery', async () => {
  const fail = async () => {
    throw new Error('the table is away')
  }
  const world = arrange({
    zone,
    servers: { [MX]: shows },
    ports: { tlsResults: { note: fail }, domainTls: { note: fail } },
  })
  assert.equal(outcomeText((await world.deliver())[0]), `accepted 250 2.0.0 at ${MX}, TLS`)
})
