import { crc32, deflateRawSync, gzipSync } from 'node:zlib'

/** Ends with 2026-05-31, the day before the tests' clock. */
export const REPORT_BEGIN = Date.UTC(2026, 4, 31)
export const REPORT_END = REPORT_BEGIN + 86_399_000

/** What a sample of a DMARC report may say otherwise. */
export interface DmarcSample {
  readonly domain?: string
  readonly id?: string
  /** Milliseconds. */
  readonly end?: number
  readonly records?: readonly string[]
}

/** A DMARC aggregate report (RFC 7489 appendix C). */
export function dmarcXml({ domain = 'y.example', id = '42', end = REPORT_END, records }: DmarcSample = {}) {
  return `<?xml version="1.0" encoding="UTF-8" ?>
<feedback>
  <version>1.0</version>
  <report_metadata>
    <org_name>Remote &amp; Sons</org_name>
    <email>dmarc@remote.example</email>
    <report_id>${id}</report_id>
    <date_range><begin>${REPORT_BEGIN / 1000}</begin><end>${Math.floor(end / 1000)}</end></date_range>
  </report_metadata>
  <policy_published>
    <domain>${domain}</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p><sp>none</sp><pct>100</pct>
  </policy_published>
  ${(records ?? [dmarcRecord(7, 'pass'), dmarcRecord(2, 'fail')]).join('\n')}
</feedback>
`
}

/** Messages of one source. */
export function dmarcRecord(count: number | string, dkim: 'pass' | 'fail'): string {
  return `<record>
  <row><source_ip>192.0.2.9</source_ip><count>${count}</count>
    <policy_evaluated><disposition>${dkim === 'pass' ? 'none' : 'reject'}</disposition><dkim>${dkim}</dkim><spf>fail</spf>
      <reason><type>forwarded</type><comment>a <![CDATA[<list>]]></comment></reason>
    </policy_evaluated>
  </row>
  <identifiers><header_from>y.example</header_from><envelope_from>b.example</envelope_from></identifiers>
  <auth_results>
    <dkim><domain>y.example</domain><selector>sel</selector><result>${dkim}</result></dkim>
    <spf><domain>b.example</domain><result>pass</result></spf>
  </auth_results>
</record>`
}

/** A report about TLS (RFC 8460 §4.4); `changes` replaces members of it. */
export function tlsJson(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    'organization-name': 'Remote',
    'date-range': { 'start-datetime': '2026-05-31T00:00:00Z', 'end-datetime': '2026-05-31T23:59:59Z' },
    'contact-info': 'tls@remote.example',
    'report-id': 'tls-42',
    policies: [tlsPolicy('y.example')],
    ...changes,
  }
}

/** Three sessions, of which one failed. */
export function tlsPolicy(domain: string): Record<string, unknown> {
  return {
    policy: {
      'policy-type': 'sts',
      'policy-string': ['version: STSv1', 'mode: testing'],
      'policy-domain': domain,
      'mx-host': ['*.mail.example'],
    },
    summary: { 'total-successful-session-count': 2, 'total-failure-session-count': 1 },
    'failure-details': [
      {
        'result-type': 'certificate-expired',
        'sending-mta-ip': '192.0.2.9',
        'receiving-mx-hostname': 'mx.y.example',
        'receiving-ip': '203.0.113.5',
        'failed-session-count': 1,
        'failure-reason-code': 'X509_V_ERR_CERT_HAS_EXPIRED',
      },
    ],
  }
}

/** Header, without its last line break, and body of a mail with these attachments, by media type. */
export function reportMail(
  from: string,
  attachments: readonly (readonly [mediaType: string, bytes: Uint8Array | string])[],
): { readonly header: string; readonly body: string } {
  const parts = attachments.map(
    ([mediaType, bytes]) =>
      `--=_b\r\nContent-Type: ${mediaType}\r\nContent-Transfer-Encoding: base64\r\n\r\n${lines(bytes)}`,
  )
  return {
    header: `From: Reports <${from}>\r\nSubject: Report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="=_b"\r\n`,
    body: `--=_b\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n${parts.join('')}--=_b--\r\n`,
  }
}

function lines(bytes: Uint8Array | string): string {
  return Buffer.from(bytes)
    .toString('base64')
    .replace(/.{1,76}/g, '$&\r\n')
}

/** What a ZIP archive of a test has in it, and what is wrong with it. */
export interface ZipSample {
  readonly files: readonly (Uint8Array | string)[]
  readonly method?: number
  readonly flags?: number
  readonly crc32?: number
}

/** Writes a ZIP archive (APPNOTE 6.3.10), sharing no code with what reads them. */
export function zipOf({ files, method = 8, flags = 0, ...wrong }: ZipSample): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const file of files) {
    const bytes = Buffer.from(file)
    const packed = method === 8 ? deflateRawSync(bytes) : bytes
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(flags, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(wrong.crc32 ?? crc32(bytes), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(5, 22)
    const name = Buffer.from('a.xml')
    locals.push(Buffer.from('PK\x03\x04', 'latin1'), common, name, packed)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    central.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, name)
    offset += 30 + name.length + packed.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

/** 30 MB that come as some kilobytes. */
export function bomb(): Buffer {
  return Buffer.alloc(30_000_000, ' ')
}

/** A bomb, compressed. */
export function gzipBomb(): Buffer {
  return gzipSync(bomb())
}
