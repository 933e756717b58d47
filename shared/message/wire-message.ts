import { formatInstant, type Instant } from '../base/clock.ts'
import type { NamedAddressText } from './message-fields.ts'
import type { MimePart } from './mime-tree.ts'

/** An address as the webapi and the webhooks write it. */
export interface WireAddress {
  readonly Name: string
  readonly Address: string
}

/** A MIME part as the webapi and the webhooks write it; offsets and encodings stay inside. */
export interface WireStructure {
  readonly ContentType: string
  readonly ContentTypeParams: Readonly<Record<string, string>>
  readonly ContentID: string
  readonly ContentDisposition: string
  readonly Filename: string
  readonly DecodedSize: number
  readonly Parts: readonly WireStructure[]
}

export function wireAddresses(addresses: readonly NamedAddressText[]): readonly WireAddress[] {
  return addresses.map(({ name, address }) => ({ Name: name, Address: address }))
}

export function wireStructure(part: MimePart): WireStructure {
  return {
    ContentType: part.contentType,
    ContentTypeParams: wireMap(part.contentTypeParams),
    ContentID: part.contentId,
    ContentDisposition: part.contentDisposition,
    Filename: part.filename,
    DecodedSize: part.decodedSize,
    Parts: part.parts.map(wireStructure),
  }
}

/** As Go, and so mox, writes maps: sorted by their keys. Neither messages nor databases keep an order to rely on. */
export function wireMap(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** RFC 3339, or null for a message without a readable date. */
export function wireTime(at: Instant | undefined): string | null {
  return at === undefined ? null : formatInstant(at)
}
