import { AUTHENTIC_DATA, encode, RECURSION_DESIRED } from 'dns-packet'
import type { DnsRecordType } from './resolver.ts'

/** What passes all networks in one piece (dnsflagday.net/2020). */
const UDP_PAYLOAD = 1232

const HEADER = 12
/** Type and class, after the question's name. */
const TYPE_AND_CLASS = 4
/** EDNS's OPT record without options (RFC 6891 §6.1.2), the last of a query. */
const OPT = 11

/** A question; `name` as `askableName` gives it. */
export interface Query {
  /** 16 bits that nobody can guess. */
  readonly id: number
  readonly type: DnsRecordType
  readonly name: string
  /** Asks to be told whether the answer is authentic (RFC 6840 §5.7), of a server whose word on it counts. */
  readonly asksForAuthenticity: boolean
}

/** The query as a DNS message: recursion desired, EDNS with no signatures wanted (DO is 0). */
export function encodeQuery({ id, type, name, asksForAuthenticity }: Query): Uint8Array {
  const edns = { udpPayloadSize: UDP_PAYLOAD, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false }
  return encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | (asksForAuthenticity ? AUTHENTIC_DATA : 0),
    questions: [{ type, name, class: 'IN' }],
    additionals: [{ type: 'OPT', name: '.', ...edns, options: [] }],
  })
}

/**
 * Whether a message is the response to the query (RFC 5452 §9.1): a response with the same id and the same question.
 * Compares octets, as a question's name is never compressed; letters of the name may change case.
 */
export function isReplyTo(query: Uint8Array, message: Uint8Array): boolean {
  const questionEnd = query.length - OPT
  if (message.length < questionEnd) return false
  const [id0, id1, flags, , questions0, questions1] = message
  if (id0 !== query[0] || id1 !== query[1] || questions0 !== 0 || questions1 !== 1) return false
  // QR is 1 and the opcode is 0, a standard query (RFC 1035 §4.1.1).
  if (flags === undefined || flags >> 3 !== 0b10000) return false
  return query.subarray(HEADER, questionEnd).every((octet, place) => {
    const other = message[HEADER + place] ?? 0
    const isOfName = HEADER + place < questionEnd - TYPE_AND_CLASS
    return isOfName ? lowerCase(octet) === lowerCase(other) : octet === other
  })
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet
}
