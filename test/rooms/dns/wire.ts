import { type Answer, encode, type Packet } from 'dns-packet'
import { readAnswer } from '../../../shared/dns/read-answer.ts'
import type { DnsRecordType } from '../../../shared/dns/resolver.ts'
import { decodeResponse } from '../../../shared/dns/response.ts'

/** Header flags as they stand in the message. */
export const flags = { authentic: 0x20, recursive: 0x80, authoritative: 0x400 }
/** Response codes (RFC 1035 §4.1.1). */
export const codes = { noError: 0, formatError: 1, serverFailure: 2, noName: 3, refused: 5 }

/** A recursive resolver's response to a question about `www.example`. */
export function response(parts: Packet, type: DnsRecordType = 'A', name = 'www.example'): Uint8Array {
  const head = { id: 1, questions: [{ type, name }], ...parts }
  return encode({ ...head, type: 'response', flags: flags.recursive | (parts.flags ?? 0) })
}

/** What is read of a response, by somebody who trusts the server unless told otherwise. */
export function read(message: Uint8Array, type: DnsRecordType = 'A', name = 'www.example', isTrusted = true) {
  const decoded = decodeResponse(message)
  return decoded ? readAnswer(type, name, decoded, isTrusted) : 'malformed'
}

/** A record for `encode`, of an hour. */
export function record(name: string, type: string, data: unknown, ttl = 3600): Answer {
  return { name, type, data, ttl, class: 'IN' } as Answer
}

/** An OPT record whose options are octets as they stand. */
export function options(...data: readonly (readonly [code: number, data: Uint8Array])[]): Answer {
  const opt = { udpPayloadSize: 1232, extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false }
  const all = data.map(([code, octets]) => ({ code, data: Buffer.from(octets) }))
  return { name: '.', type: 'OPT', ...opt, options: all } as unknown as Answer
}

/** EDNS option 15 (RFC 8914 §2). */
export function extendedError(code: number, text: string): readonly [number, Uint8Array] {
  return [15, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(text)])]
}
