import { promisify } from 'node:util'
import { gunzip, inflateRaw } from 'node:zlib'
import { asBuffer } from '../message/header-section.ts'
import { decodePart, type MimePart, readMimeTree } from '../message/mime-tree.ts'
import { checkUnzipped, readZip } from './read-zip.ts'
import type { ReportKind } from './report.ts'
import { unreadable } from './report-error.ts'

const LARGEST_MESSAGE = 15_000_000
const LARGEST_REPORT = 20_000_000

const PACKED = [
  'application/gzip',
  'application/x-gzip',
  'application/zip',
  'application/x-zip',
  'application/x-zip-compressed',
  'application/octet-stream',
]
/** RFC 7489 §7.2.1.1, RFC 8460 §5.3, and what reporters use besides. */
const CONTENT_TYPES: Readonly<Record<ReportKind, readonly string[]>> = {
  dmarc: [...PACKED, 'application/xml', 'text/xml'],
  tls: [...PACKED, 'application/tlsrpt+gzip', 'application/tlsrpt+json', 'application/json'],
}

const unpackGzip = promisify(gunzip)
const unpackDeflated = promisify(inflateRaw)

/** The one report that a message brings, unpacked, at most 20 MB; throws ReportError. */
export async function attachedReport(kind: ReportKind, content: Uint8Array): Promise<Buffer> {
  if (content.length > LARGEST_MESSAGE) throw unreadable('message larger than 15 MB')
  const parts = leavesOf(readMimeTree(content)).filter((part) =>
    CONTENT_TYPES[kind].includes(part.contentType),
  )
  const [part] = parts
  if (!part || parts.length > 1) throw unreadable('not exactly one attachment that can be a report')
  const report = await unpack(asBuffer(decodePart(content, part)))
  if (report.length > LARGEST_REPORT) throw tooLarge()
  return report
}

function leavesOf(part: MimePart): readonly MimePart[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf)
}

/** By the first octets: the declared types are wrong too often. */
async function unpack(attachment: Buffer): Promise<Buffer> {
  try {
    if (attachment.toString('hex', 0, 2) === '1f8b') {
      return await unpackGzip(attachment, { maxOutputLength: LARGEST_REPORT })
    }
    if (attachment.toString('latin1', 0, 2) !== 'PK') return attachment
    const file = readZip(attachment)
    const bytes =
      file.method === 'stored'
        ? file.bytes
        : await unpackDeflated(file.bytes, { maxOutputLength: LARGEST_REPORT })
    checkUnzipped(file, bytes)
    return bytes
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    throw error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : unreadable('malformed compression')
  }
}

function tooLarge(): Error {
  return unreadable('report larger than 20 MB')
}
