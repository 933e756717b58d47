import { type Address, formatAddress } from '../address/address.ts'
import type { Authentication } from '../authentication/authentication.ts'
import { formatAuthenticationResults, formatDnssecStatus } from '../authentication/authentication-results.ts'
import { formatReceivedSpf } from '../authentication/received-spf.ts'
import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import { formatReceived } from '../message/received.ts'
import type { SmtpClient } from '../smtp/smtp-client.ts'

/** A copy of a message, as its trace tells of it. */
export interface TracedCopy {
  readonly client: SmtpClient
  readonly mailFrom?: Address
  readonly recipient: Address
  /** Left out where senders are not checked. */
  readonly authentication?: Authentication
  readonly id: RowId
  readonly receivedAt: Instant
}

/** What is put before a message (RFC 5321 §4.4, RFC 8601 §4, RFC 7208 §9.1), and the address that was asked for. */
export function formatTraceFields(hostname: string, copy: TracedCopy): string {
  const { client, mailFrom, recipient, authentication } = copy
  return [
    `Delivered-To: ${formatAddress(recipient)}\r\n`,
    `Return-Path: <${mailFrom ? formatAddress(mailFrom) : ''}>\r\n`,
    formatAuthenticationResults(hostname, authentication, client.ipAddress),
    authentication ? formatReceivedSpf(hostname, copy, authentication.spf) : '',
    receivedOf(hostname, copy),
  ].join('')
}

function receivedOf(
  hostname: string,
  { client, recipient, authentication, id, receivedAt }: TracedCopy,
): string {
  const { hello, ipAddress, tls, protocol } = client
  const { result, name } = authentication?.iprev ?? {}
  return formatReceived({
    from: { hello, ipAddress, ...(result === 'pass' && name !== undefined && { name }) },
    by: hostname,
    with: protocol,
    id: String(id),
    for: recipient,
    at: receivedAt,
    ...(tls && { tls: `${tls.protocol} ${tls.cipher}` }),
    ...(authentication && { comment: formatDnssecStatus(authentication) }),
  })
}
