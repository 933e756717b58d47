import { crc32 } from 'node:zlib'
import { unreadable } from './report-error.ts'

/** The one file of a ZIP archive, still compressed. */
export interface ZippedFile {
  readonly method: 'stored' | 'deflated'
  readonly bytes: Buffer
  /** As the archive says; whoever unpacks compares. */
  readonly size: number
  readonly crc32: number
}

/** Signatures and lengths of PKWARE's APPNOTE 6.3.10, §4.3.7, §4.3.12, §4.3.16. */
const LOCAL_HEADER = { signature: 0x04034b50, octets: 30 }
const CENTRAL_HEADER = { signature: 0x02014b50, octets: 46 }
const END_RECORD = { signature: 0x06054b50, octets: 22 }
const LONGEST_COMMENT = 0xffff
const ENCRYPTED = 1

/** Finds the only file of an archive, by its central directory; throws ReportError for any other archive. */
export function readZip(archive: Buffer): ZippedFile {
  const end = findEndRecord(archive)
  if (archive.readUInt16LE(end + 10) !== 1) throw unreadable('not exactly one file in the zip archive')
  const entry = headerAt(archive, archive.readUInt32LE(end + 16), CENTRAL_HEADER)
  const method = archive.readUInt16LE(entry + 10)
  if ((archive.readUInt16LE(entry + 8) & ENCRYPTED) !== 0) throw unreadable('encrypted zip archive')
  if (method !== 0 && method !== 8) throw unreadable('unknown compression in the zip archive')
  const local = headerAt(archive, archive.readUInt32LE(entry + 42), LOCAL_HEADER)
  const start =
    local + LOCAL_HEADER.octets + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
  const packedSize = archive.readUInt32LE(entry + 20)
  if (start + packedSize > archive.length) throw malformed()
  return {
    method: method === 0 ? 'stored' : 'deflated',
    bytes: archive.subarray(start, start + packedSize),
    size: archive.readUInt32LE(entry + 24),
    crc32: archive.readUInt32LE(entry + 16),
  }
}

/** Throws ReportError unless the bytes are what the archive says that the file is. */
export function checkUnzipped(file: ZippedFile, bytes: Buffer): void {
  if (bytes.length !== file.size || crc32(bytes) !== file.crc32) throw malformed()
}

function findEndRecord(archive: Buffer): number {
  const signature = Buffer.alloc(4)
  signature.writeUInt32LE(END_RECORD.signature)
  const at = archive.lastIndexOf(signature)
  const isBehind = at >= 0 && at >= archive.length - END_RECORD.octets - LONGEST_COMMENT
  if (!isBehind || at + END_RECORD.octets > archive.length) throw malformed()
  return at
}

function headerAt(
  archive: Buffer,
  at: number,
  { signature, octets }: { readonly signature: number; readonly octets: number },
): number {
  if (at + octets > archive.length || archive.readUInt32LE(at) !== signature) throw malformed()
  return at
}

function malformed(): Error {
  return unreadable('malformed zip archive')
}
