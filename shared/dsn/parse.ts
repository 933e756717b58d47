import { asBuffer, findHeaderSection, firstValue, readHeaderFields } from '../message/header-section.ts'
import { decodePart, type MimePart } from '../message/mime-tree.ts'
import { readTextBodies } from '../message/text-bodies.ts'
import { readDeliveryStatus } from './delivery-status.ts'
import type { DsnRecipient } from './recipient.ts'
import { readTextBounce, returnedText } from './text-bounce.ts'

/** A delivery status notification (RFC 3464) or a bounce in plain text; empty texts are not told. */
export interface DsnReport {
  readonly recipients: readonly DsnRecipient[]
  readonly originalEnvelopeId: string
  readonly reportingMta: string
  /** With angle brackets; from the returned message or its header section. */
  readonly originalMessageId: string
  /** false for a bounce in plain text, which is read only as far as it carries a documented mark. */
  readonly isStructured: boolean
  /** Why a notification names no recipient. */
  readonly problem?: string
}

/** Reads a received message as a notification; undefined if it is none. Never throws. */
export function readDsn(bytes: Uint8Array, tree: MimePart): DsnReport | undefined {
  const parts = everyPart(tree)
  const reports = parts.filter(({ contentType }) => contentType === 'multipart/report')
  const report = reports.find((candidate) => statusPart(candidate) !== undefined) ?? reports.find(isDeclared)
  return report === undefined ? readPlainBounce(bytes, tree, parts) : readReport(bytes, report, parts)
}

function readReport(bytes: Uint8Array, report: MimePart, parts: readonly MimePart[]): DsnReport {
  const part = statusPart(report)
  const status = part && readDeliveryStatus(bytes, part)
  const problem =
    status === undefined
      ? 'the report has no message/delivery-status part'
      : 'the message/delivery-status part names no recipient'
  return {
    recipients: status?.recipients ?? [],
    originalEnvelopeId: status?.originalEnvelopeId ?? '',
    reportingMta: status?.reportingMta ?? '',
    originalMessageId: returnedMessageId(bytes, parts),
    isStructured: true,
    ...((status?.recipients.length ?? 0) === 0 && { problem }),
  }
}

function readPlainBounce(
  bytes: Uint8Array,
  tree: MimePart,
  parts: readonly MimePart[],
): DsnReport | undefined {
  const failed = readHeaderFields(asBuffer(bytes), tree.header)
    // Exim begins the field anew after some fifty addresses.
    .filter(({ name }) => name === 'x-failed-recipients')
    .map(({ value }) => value)
  const { text } = readTextBodies(bytes, tree)
  const recipients = readTextBounce(failed.join(','), text)
  if (recipients === undefined) return undefined
  return {
    recipients,
    originalEnvelopeId: '',
    reportingMta: '',
    originalMessageId: returnedMessageId(bytes, parts) || readMessageId(Buffer.from(returnedText(text))),
    isStructured: false,
  }
}

/** In the order of the message. A message/rfc822 part is a leaf: bounces that somebody forwards are not read. */
function everyPart(tree: MimePart): readonly MimePart[] {
  return [tree, ...tree.parts.flatMap(everyPart)]
}

/** RFC 3464 §2.1, RFC 6533 §4. */
function statusPart(report: MimePart): MimePart | undefined {
  return report.parts.find(({ contentType }) => /^message\/(global-)?delivery-status$/.test(contentType))
}

function isDeclared({ contentTypeParams }: MimePart): boolean {
  return contentTypeParams['report-type']?.toLowerCase() === 'delivery-status'
}

/** RFC 6522 §3 and §4, RFC 6533 §5. */
const RETURNED = /^(message\/(rfc822|global|global-headers|rfc822-headers)|text\/rfc822-headers)$/
/** Octets of the returned message that are read. */
const MAX_RETURNED = 1 << 18

function returnedMessageId(bytes: Uint8Array, parts: readonly MimePart[]): string {
  const part = parts.find(({ contentType }) => RETURNED.test(contentType))
  if (part === undefined) return ''
  const { start, end } = part.body
  const body = { start, end: Math.min(end, start + MAX_RETURNED) }
  return readMessageId(asBuffer(decodePart(bytes, { ...part, body })))
}

function readMessageId(returned: Buffer): string {
  const start = returned.findIndex((octet) => octet !== 0x0d && octet !== 0x0a)
  if (start < 0) return ''
  const fields = readHeaderFields(returned, findHeaderSection(returned, start).header)
  return /<[^<>\s]{1,990}>/.exec(firstValue(fields, 'message-id') ?? '')?.[0] ?? ''
}
