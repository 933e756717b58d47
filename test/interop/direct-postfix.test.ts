import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { findFreePort } from '../../infra/local/free-port.ts'
import { eventually } from '../../scripts/eventually.ts'
import { type DnsLab, dnsLab, type LabZone, whyNoDnsLab } from '../../scripts/labs/dns-lab.ts'
import { type PostfixLab, startPostfix, whyNoPostfix } from '../../scripts/labs/postfix-lab.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { formatTlsa } from '../../shared/dane/tlsa.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import { variables } from '../../shared/runtime/names.ts'
import { makeCertificate, type TestCertificate } from '../support/certificates.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { identityOf } from '../support/tls-server.ts'
import { associate } from '../support/tlsa.ts'

/** Each is a zone, whose MX is an address and an SMTP service of one Postfix. */
const domains = {
  'signed.test': { ipAddress: '127.0.0.2', dnssec: 'signed', record: 'right' },
  'wrong.test': { ipAddress: '127.0.0.3', dnssec: 'signed', record: 'wrong' },
  'unsigned.test': { ipAddress: '127.0.0.4', dnssec: 'unsigned', record: 'right' },
} as const
type Domain = keyof typeof domains

describe('Postfix as the server of a domain', { skip: whyNoPostfix() || whyNoDnsLab() }, () => {
  let dns: DnsLab
  let postfix: PostfixLab
  let postern: TestPostern
  const ends: (() => unknown)[] = []
  const context = { after: (end: () => unknown) => void ends.push(end) }

  before(async () => {
    const port = await findFreePort('0.0.0.0')
    const own = await makeCertificate()
    dns = await dnsLab(zonesOf(port, { right: own, wrong: await makeCertificate() }))
    context.after(() => dns.stop())
    postfix = await postfixAt(port, own)
    context.after(() => postfix.stop())
    postern = await posternThatAsks(context, dns, port)
  })
  after(async () => {
    for (const end of ends.reverse()) await end()
  })

  test('RFC 7672: it gets mail over TLS that its 3 1 1 record in a signed zone verifies', async () => {
    const row = await sendTo(postern, 'signed.test')
    assert.deepEqual(await tlsOf(postern, row), { status: 'success', isVerified: true, verifiedBy: 'DANE' })
    await arrived(postfix, 'signed.test')
  })

  test('RFC 7672 §2.1: a record that is not its key’s delays mail, and nothing is said in the clear', async () => {
    const row = await sendTo(postern, 'wrong.test')
    const { state, results } = await attempted(postern, row)
    const [result = assert.fail()] = results
    assert.deepEqual([state, result.status, result.remote?.tls?.isVerified], ['waiting', 'temporary', false])
    assert.match(
      result.error,
      /^DANE does not vouch for mx\.wrong\.test: .* the server has another certificate$/,
    )
    const sessions = await sessionsWith(postfix, 'wrong.test')
    assert.match(sessions, /^disconnect from \S+ ehlo=[12] starttls=1( quit=1)? commands=[234]$/)
  })

  test('RFC 7672 §2.2: a record that DNSSEC does not vouch for is none: TLS, but not verified', async () => {
    const row = await sendTo(postern, 'unsigned.test')
    assert.deepEqual(await tlsOf(postern, row), {
      status: 'success',
      isVerified: false,
      verifiedBy: undefined,
    })
    await arrived(postfix, 'unsigned.test')
  })
})

function zonesOf(
  port: number,
  certificates: Readonly<Record<'right' | 'wrong', TestCertificate>>,
): Readonly<Record<string, LabZone>> {
  const zones = Object.entries(domains).map(([name, { ipAddress, dnssec, record }]) => {
    const tlsa = formatTlsa(associate(3, 1, 1, certificates[record]))
    const records = `@ MX 10 mx\nmx A ${ipAddress}\n_${port}._tcp.mx TLSA ${tlsa}`
    return [name, { records, dnssec }] as const
  })
  return Object.fromEntries(zones)
}

async function postfixAt(port: number, certificate: TestCertificate): Promise<PostfixLab> {
  const { key, cert } = identityOf([certificate])
  return await startPostfix({
    settings: {},
    smtpServices: Object.entries(domains).map(([name, { ipAddress }]) => ({ name, ipAddress, port })),
    mailboxDomains: Object.keys(domains),
    tlsChain: key + cert,
  })
}

/** A Postern that delivers everything to the servers of its domain, as that DNS tells. */
async function posternThatAsks(
  context: { after(end: () => unknown): void },
  { address }: DnsLab,
  port: number,
): Promise<TestPostern> {
  const postern = await testPostern(context, {
    egress: 'nat-gateway',
    environment: {
      sender: {
        [variables.dnsServers]: address,
        [variables.smtpDestinationPort]: String(port),
        [variables.deliverToAnyAddress]: 'true',
        [variables.healthPort]: String(await findFreePort('127.0.0.1')),
      },
    },
  })
  await postern.admin.put('/transports/mx', { Kind: 'direct' })
  await postern.admin.put('/routes', [{ FromDomain: [], ToDomain: [], MinimumAttempts: 0, Transport: 'mx' }])
  // Beyond what a running program remembers of the options.
  await postern.local.cloud.clock.advance(10_000)
  return postern
}

async function sendTo({ call }: TestPostern, domain: Domain): Promise<RowId> {
  const { json } = await call('Send', { To: [{ Address: `ann@${domain}` }], Subject: domain, Text: 'hello' })
  const [submission] = json.Submissions as { QueueMsgID: RowId }[]
  return submission?.QueueMsgID ?? assert.fail(JSON.stringify(json))
}

async function attempted({ table }: TestPostern, id: RowId): Promise<QueuedMessage> {
  return await eventually('the first attempt', async () => {
    const row = await storesOf(table).queue.read('postern', id)
    return row && row.attempts > 0 && row.state !== 'attempting' && row
  })
}

async function tlsOf(postern: TestPostern, id: RowId) {
  const { results } = await attempted(postern, id)
  const [{ status, remote } = assert.fail()] = results
  return { status, isVerified: remote?.tls?.isVerified, verifiedBy: remote?.tls?.verifiedBy }
}

/** The mail is in the mailbox, and the log tells of its session and of itself. */
async function arrived(postfix: PostfixLab, domain: Domain): Promise<void> {
  const mail = await eventually('the mail', () =>
    postfix.mails().find((each) => each.includes(`Subject: ${domain}\n`)),
  )
  assert.match(mail, /\n\tby postfix\.test \(Postfix\) with ESMTPS id /)
  const [, messageId = assert.fail(mail)] = /^Message-Id: (<.+>)$/im.exec(mail) ?? []
  const said = saidAt(postfix, domain)
  assert.match(said, /TLS connection established from \S+: TLSv1\.3 with cipher /)
  const [, queueId = assert.fail(said)] = /^(\w+): client=/m.exec(said) ?? []
  assert.ok(postfix.log().includes(`${queueId}: message-id=${messageId}`), postfix.log())
}

/**
 * What the log says of the sessions with the server of a domain in which anything was said, each in a line, once
 * all are over.
 */
async function sessionsWith(postfix: PostfixLab, domain: Domain): Promise<string> {
  return await eventually('the end of the sessions', () => {
    const said = saidAt(postfix, domain)
    const begun = said.match(/^connect from /gm) ?? []
    const ended = said.match(/^disconnect from .*/gm) ?? []
    const spoken = ended.filter((line) => !line.endsWith(' commands=0/0'))
    return begun.length === ended.length && spoken.join('\n')
  })
}

/** What the log says for the server of a domain, without times and process ids. */
function saidAt(postfix: PostfixLab, domain: Domain): string {
  const lines = postfix.log().split('\n')
  return lines
    .flatMap((line) => line.split(` ${domain}/smtpd`)[1]?.replace(/^\[\d+\]: /, '') ?? [])
    .join('\n')
}
