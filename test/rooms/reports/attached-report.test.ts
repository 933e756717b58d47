import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { attachedReport } from '../../../shared/reports/attached-report.ts'
import { bomb, dmarcXml, gzipBomb, reportMail, zipOf } from '../../support/report-mails.ts'

const XML = dmarcXml()

type Attachments = Parameters<typeof reportMail>[1]

const read: readonly { readonly rule: string; readonly attachments: Attachments }[] = [
  { rule: 'XML', attachments: [['text/xml', XML]] },
  { rule: 'XML that calls itself octets', attachments: [['application/octet-stream', XML]] },
  { rule: 'gzip', attachments: [['application/gzip', gzipSync(XML)]] },
  { rule: 'gzip that calls itself zip', attachments: [['application/zip', gzipSync(XML)]] },
  { rule: 'zip, deflated', attachments: [['application/zip', zipOf({ files: [XML] })]] },
  {
    rule: 'zip, stored',
    attachments: [['application/x-zip-compressed', zipOf({ files: [XML], method: 0 })]],
  },
  {
    rule: 'one that is beside an image',
    attachments: [
      ['image/png', 'logo'],
      ['application/gzip', gzipSync(XML)],
    ],
  },
]

for (const { rule, attachments } of read) {
  test(`a DMARC report comes as ${rule} (RFC 7489 §7.2.1.1)`, async () => {
    assert.equal(String(await attachedReport('dmarc', mail(attachments))).replaceAll('\r\n', '\n'), XML)
  })
}

test('a message that is nothing but an archive is a report, too', async () => {
  const zip = zipOf({ files: [XML] }).toString('base64')
  const text = `From: a@b.example\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n${zip}\r\n`
  assert.equal(String(await attachedReport('dmarc', Buffer.from(text))), XML)
})

const refused: readonly { readonly rule: string; readonly attachments: Attachments; readonly why: RegExp }[] =
  [
    { rule: 'no attachment', attachments: [], why: /not exactly one attachment/ },
    {
      rule: 'two attachments',
      attachments: [
        ['text/xml', XML],
        ['text/xml', XML],
      ],
      why: /not exactly one attachment/,
    },
    { rule: 'JSON', attachments: [['application/json', '{}']], why: /not exactly one attachment/ },
    { rule: 'a gzip bomb', attachments: [['application/gzip', gzipBomb()]], why: /larger than 20 MB/ },
    {
      rule: 'a zip bomb',
      attachments: [['application/zip', zipOf({ files: [bomb()] })]],
      why: /larger than 20 MB/,
    },
    {
      rule: 'broken gzip',
      attachments: [['application/gzip', gzipSync(XML).subarray(0, 40)]],
      why: /malformed compression/,
    },
    {
      rule: 'an empty zip',
      attachments: [['application/zip', zipOf({ files: [] })]],
      why: /not exactly one file/,
    },
    {
      rule: 'a zip of two',
      attachments: [['application/zip', zipOf({ files: ['a', 'b'] })]],
      why: /not exactly one file/,
    },
    {
      rule: 'an encrypted zip',
      attachments: [['application/zip', zipOf({ files: [XML], flags: 1 })]],
      why: /encrypted/,
    },
    {
      rule: 'a zip of another method',
      attachments: [['application/zip', zipOf({ files: [XML], method: 12 })]],
      why: /unknown compression/,
    },
    {
      rule: 'a zip with another checksum',
      attachments: [['application/zip', zipOf({ files: [XML], crc32: 1 })]],
      why: /malformed zip/,
    },
    {
      rule: 'a zip that is cut',
      attachments: [['application/zip', zipOf({ files: [XML] }).subarray(0, -30)]],
      why: /malformed zip/,
    },
    {
      rule: 'a zip without its beginning',
      attachments: [
        ['application/zip', Buffer.concat([Buffer.from('PK'), zipOf({ files: [XML] }).subarray(9)])],
      ],
      why: /malformed zip/,
    },
  ]

for (const { rule, attachments, why } of refused) {
  test(`no DMARC report is ${rule}`, async () => {
    await assert.rejects(attachedReport('dmarc', mail(attachments)), {
      name: 'ReportError',
      message: new RegExp(`^could not parse report \\(.*${why.source}`),
    })
  })
}

test('a message of more than 15 MB is not searched', async () => {
  await assert.rejects(attachedReport('dmarc', Buffer.alloc(15_000_001)), /message larger than 15 MB/)
})

test('every octet of an archive may be wrong without a fault of ours', async () => {
  const archive = zipOf({ files: ['<a/>'] })
  for (const at of archive.keys()) {
    const broken = Buffer.from(archive)
    broken[at] = 0xff
    await attachedReport('dmarc', mail([['application/zip', broken]])).catch((error) =>
      assert.equal(error.name, 'ReportError', `${at}: ${error}`),
    )
  }
})

function mail(attachments: Attachments): Buffer {
  const { header, body } = reportMail('a@remote.example', attachments)
  return Buffer.from(`${header}\r\n${body}`)
}
