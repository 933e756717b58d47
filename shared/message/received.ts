import { type Address, formatAddress } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import { formatDateTime } from './date-time.ts'
import { asBuffer, findHeaderSection, readHeaderFields } from './header-section.ts'

/** What one hop says of itself (RFC 5321 §4.4). */
export interface ReceivedTrace {
  readonly from?: {
    /** The EHLO or HELO name, whatever it may be. */
    readonly hello: string
    /** A name of the address that leads back to it. */
    readonly name?: string
    readonly ipAddress?: string
  }
  /** Our host name. */
  readonly by: string
  /** `ESMTPS`, `HTTP`, … (RFC 3848). */
  readonly with: string
  readonly id: string
  /** Left out when there are several recipients. */
  readonly for?: Address
  readonly at: Instant
  /** TLS version and cipher suite. */
  readonly tls?: string
  /** A comment on the whole, before the date. */
  readonly comment?: string
}

/** Writes the Received field, folded, with its CRLF. It never fails: a trace must not keep mail out. */
export function formatReceived(trace: ReceivedTrace): string {
  const { from, tls, comment } = trace
  const clauses = [
    ...(from ? [`from ${atomText(from.hello)}${formatTcpInfo(from)}`] : []),
    `by ${atomText(trace.by)}`,
    `with ${atomText(trace.with)}${tls === undefined ? '' : ` (${commentText(tls)})`} id ${atomText(trace.id)}`,
    ...(trace.for ? [`for <${formatAddress(trace.for)}>`] : []),
    ...(comment === undefined ? [] : [`(${commentText(comment)})`]),
  ]
  return `Received: ${clauses.join('\r\n\t')};\r\n\t${formatDateTime(trace.at)}\r\n`
}

/** The number of hops a message has made, to find loops (RFC 5321 §6.3). */
export function countReceived(bytes: Uint8Array): number {
  const message = asBuffer(bytes)
  const fields = readHeaderFields(message, findHeaderSection(message, 0).header)
  return fields.filter(({ name }) => name === 'received').length
}

/** RFC 5321 §4.4: what TCP knows of the client, whatever it calls itself. */
function formatTcpInfo({ hello, name, ipAddress }: NonNullable<ReceivedTrace['from']>): string {
  if (ipAddress === undefined) return ''
  const isNews = name !== undefined && name.toLowerCase() !== hello.toLowerCase()
  return ` (${isNews ? `${atomText(name)} ` : ''}${formatIpAddress(ipAddress)})`
}

/** RFC 5321 §4.1.3. */
function formatIpAddress(ipAddress: string): string {
  return ipAddress.includes(':') ? `[IPv6:${commentText(ipAddress)}]` : `[${commentText(ipAddress)}]`
}

/** A peer chooses its name; it shall not write clauses, comments or lines with it. */
function atomText(text: string): string {
  return text.slice(0, 255).replace(/[^A-Za-z0-9.:_[\]+/-]/g, '?') || '?'
}

function commentText(text: string): string {
  return text.slice(0, 255).replace(/[^ -~]|[()\\]/g, '?')
}
