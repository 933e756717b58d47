import { type Answer, type DecodedPacket, decode, type OptAnswer } from 'dns-packet'
import { readExtendedError } from './extended-error.ts'
import type { ExtendedDnsError } from './resolver.ts'
import { checkRecords } from './wire-records.ts'

/** A record of the Internet class; OPT, which is none, left out. */
export type WireRecord = Exclude<Answer, OptAnswer>

/** A DNS message that answers a question. */
export interface DnsResponse {
  /** With EDNS's upper bits (RFC 6891 §6.1.3). */
  readonly responseCode: number
  /** AD: the server says that the answer is authentic. */
  readonly isAuthenticData: boolean
  /** The server neither knows the answer itself (AA) nor asks others for it (RA). */
  readonly isReferral: boolean
  readonly answers: readonly WireRecord[]
  readonly authorities: readonly WireRecord[]
  readonly extended?: ExtendedDnsError
}

/** TC: records were left out, or cut off, for want of space. */
export function isTruncated(message: Uint8Array): boolean {
  return ((message[2] ?? 0) & 0b10) !== 0
}

/** Undefined for what is no proper DNS message. */
export function decodeResponse(message: Uint8Array): DnsResponse | undefined {
  try {
    checkRecords(message)
    return readPacket(decode(Buffer.from(message.buffer, message.byteOffset, message.byteLength)))
  } catch {
    // Whatever dns-packet throws, it is about the message.
    return undefined
  }
}

function readPacket(packet: DecodedPacket): DnsResponse | undefined {
  const { flags = 0, answers = [], authorities = [], additionals = [] } = packet
  const [options, ...more] = additionals.filter((record) => record.type === 'OPT')
  if (more.length > 0) return undefined
  const extended = firstExtendedError(options)
  if (extended === 'malformed') return undefined
  return {
    responseCode: ((options?.extendedRcode ?? 0) << 4) | (flags & 0xf),
    isAuthenticData: packet.flag_ad,
    isReferral: !packet.flag_aa && !packet.flag_ra,
    answers: answers.filter(isInternetRecord),
    authorities: authorities.filter(isInternetRecord),
    ...(extended !== undefined && { extended }),
  }
}

function isInternetRecord(record: Answer): record is WireRecord {
  return record.type !== 'OPT' && record.class === 'IN'
}

/** EDNS option 15; the first counts. */
function firstExtendedError(options: OptAnswer | undefined): ExtendedDnsError | 'malformed' | undefined {
  // The types of dns-packet do not know of other option codes than the ones that it decodes.
  const all: readonly { readonly code: number; readonly data?: Buffer | undefined }[] = options?.options ?? []
  const errors = all
    .filter(({ code }) => code === 15)
    .map(({ data }) => readExtendedError(data ?? new Uint8Array()))
  return errors.includes(undefined) ? 'malformed' : errors[0]
}
