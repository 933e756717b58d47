import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { localSeed } from '../../scripts/local-postern.ts'
import type { MailJson } from '../../shared/admin/mails.ts'
import type { ReportDetailsJson, ReportJson } from '../../shared/admin/reports.ts'
import { DAY, formatInstant } from '../../shared/base/clock.ts'
import { variables } from '../../shared/runtime/names.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { keyRecord, signDkim } from '../support/dkim-signer.ts'
import type { FakeZone } from '../support/fake-dns.ts'
import { dmarcXml, reportMail, tlsJson, tlsPolicy, zipOf } from '../support/report-mails.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { zoneServer } from '../support/zone-server.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')

const ZONE: FakeZone = {
  '1.0.0.127.in-addr.arpa': { PTR: ['out.remote.example'] },
  'out.remote.example': { A: ['127.0.0.1'] },
  'remote.example': { MX: [[1, 'out.remote.example']] },
  'sel._domainkey.remote.example': { TXT: [keyRecord(publicKey)] },
  '_dmarc.remote.example': { TXT: ['v=DMARC1; p=none'] },
}

test('reports over a real socket are stored once, when their senders are known, and delivered always', async (context) => {
  const dns = await zoneServer(context, ZONE)
  const postern = await testPostern(context, {
    environment: { listener: { [variables.skipSenderChecks]: '', [variables.dnsServers]: dns.address } },
  })
  await postern.admin.put('/domains/y.example', { LocalpartCatchallSeparators: [] })
  await postern.admin.put('/addresses/reports@y.example', { Account: localSeed.account })
  await postern.admin.patch('/domains/y.example', {
    DMARCReportAddress: 'reports@y.example',
    TLSReportAddress: 'reports@y.example',
  })
  // So long the listener may take options to be as they were.
  await sleep(5_000)
  const yesterday = Date.now() - DAY
  const end = Math.floor(yesterday / 1000) * 1000
  const xml = dmarcXml({ end })
  const range = { 'start-datetime': formatInstant(end - DAY), 'end-datetime': formatInstant(end) }
  const json = JSON.stringify(tlsJson({ 'date-range': range, policies: [tlsPolicy('y.example')] }))
  await deliver(postern, [['application/zip', zipOf({ files: [xml] })]])
  await deliver(postern, [['application/gzip', gzipSync(xml)]])
  await deliver(postern, [['application/tlsrpt+gzip', gzipSync(json)]])
  await deliver(postern, [['application/gzip', gzipSync(dmarcXml({ end, id: 'forged' }))]], 'unsigned')

  const listed = await postern.admin.get<ReportJson[]>('/reports/dmarc?since=-48h')
  assert.deepEqual(
    listed.map(({ Sender, ReportID, Passed, Failed }) => [Sender, ReportID, Passed, Failed]),
    [['remote.example', '42', 7, 2]],
  )
  const shown = await postern.admin.get<ReportDetailsJson>(`/reports/${listed[0]?.ID}`)
  assert.equal(shown.DMARC?.Rows.length, 2)
  const [tls, ...others] = await postern.admin.get<ReportJson[]>('/reports/tls?domain=y.example')
  assert.deepEqual([tls?.ReportID, tls?.Passed, tls?.Failed, others], ['tls-42', 2, 1, []])
  assert.deepEqual(await postern.admin.get('/reports/dmarc?since=-1h'), [])

  const mails = await postern.admin.get<MailJson[]>('/mail')
  assert.equal(mails.length, 4)
  const texts = await Promise.all(mails.map(({ MsgID }) => rawOf(postern, MsgID)))
  const errors = texts.flatMap((text) => text.match(/^X-Postern-.*-Report-Error: .*(?=\r$)/gm) ?? [])
  assert.deepEqual(errors, [
    'X-Postern-DMARC-Report-Error: no DMARC pass',
    'X-Postern-TLS-Report-Error: no acceptable DKIM signature',
  ])
})

async function deliver(
  { smtpPort }: TestPostern,
  attachments: Parameters<typeof reportMail>[1],
  how: 'signed' | 'unsigned' = 'signed',
): Promise<void> {
  const { header, body } = reportMail('reports@remote.example', attachments)
  const message =
    how === 'signed'
      ? signDkim({ header, body, privateKey, domain: 'remote.example' })
      : `${header}\r\n${body}`
  await deliverRaw(smtpPort, 'reports@remote.example', 'reports@y.example', message)
}

async function rawOf(postern: TestPostern, MsgID: number): Promise<string> {
  const answer = await postern.post('MessageRawGet', JSON.stringify({ MsgID }), {
    'content-type': 'application/json',
  })
  return await answer.text()
}
