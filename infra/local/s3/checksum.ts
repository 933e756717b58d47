import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** A checksum being computed; `digest` is in network byte order, as S3 writes it in base64. */
export interface Checksum {
  update(chunk: Buffer): unknown
  digest(): Buffer
}

/** Starts the checksum of an `x-amz-checksum-<name>` header; undefined for one this S3 does not know. */
export function startChecksum(name: string): Checksum | undefined {
  switch (name) {
    case 'crc32':
      return startCrc32()
    case 'crc32c':
      return startReflectedCrc(0, 0x82f63b78)
    case 'crc64nvme':
      return startReflectedCrc(0x9a6c9329, 0xac4bc9b5)
    case 'md5':
    case 'sha1':
    case 'sha256':
    case 'sha512':
      return createHash(name)
    default:
      return undefined
  }
}

function startCrc32(): Checksum {
  let value = 0
  return {
    update: (chunk) => {
      value = crc32(chunk, value)
    },
    digest: () => bigEndian([value]),
  }
}

/** A CRC of 64 bits, or of 32 when `polyHigh` is 0: bit-reflected, starting from and inverted by all ones. */
function startReflectedCrc(polyHigh: number, polyLow: number): Checksum {
  const tableHigh = new Uint32Array(256)
  const tableLow = new Uint32Array(256)
  for (let index = 0; index < 256; index++) {
    let high = 0
    let low = index
    for (let bit = 0; bit < 8; bit++) {
      const carry = low & 1
      low = ((low >>> 1) | (high << 31)) ^ (carry ? polyLow : 0)
      high = (high >>> 1) ^ (carry ? polyHigh : 0)
    }
    tableHigh[index] = high
    tableLow[index] = low
  }
  let high = polyHigh === 0 ? 0 : 0xffffffff
  let low = 0xffffffff
  return {
    update: (chunk) => {
      for (const byte of chunk) {
        const index = (low ^ byte) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ (tableLow[index] ?? 0)
        high = (high >>> 8) ^ (tableHigh[index] ?? 0)
      }
    },
    digest: () => bigEndian(polyHigh === 0 ? [~low] : [~high, ~low]),
  }
}

function bigEndian(words: readonly number[]): Buffer {
  const bytes = Buffer.alloc(words.length * 4)
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(word >>> 0, index * 4)
  return bytes
}
