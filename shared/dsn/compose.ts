import { isAscii, isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { formatAddress, isAsciiLocalpart } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import { formatDateTime } from '../message/date-time.ts'
import { formatField } from '../message/header-field.ts'
import { asBuffer, findHeaderSection } from '../message/header-section.ts'
import { encodeQuotedPrintable, withCrlf } from '../message/transfer-encoding.ts'
import { explain } from './explain.ts'
import type { DsnNotice, DsnOutcome } from './notice.ts'
import { breakWords, oneLine } from './one-line.ts'
import { isTransportable, returnedMessage } from './returned-message.ts'

/**
 * Writes a delivery status notification (RFC 3464; RFC 6533 where UTF-8 is needed), with CRLF. The same notice
 * gives the same bytes. Foreign text is cleaned and cut, never refused: a notice must not fail.
 */
export function composeDsn(notice: DsnNotice): Uint8Array {
  const allowsUtf8 = notice.smtputf8 || !isAsciiLocalpart(notice.to) || !isAsciiLocalpart(notice.recipient)
  const parts = [
    textPart(explain(notice), allowsUtf8),
    statusPart(notice, allowsUtf8),
    returnedPart(notice, allowsUtf8),
  ]
  const boundary = boundaryFor(parts)
  const header = [
    ...topFields(notice, allowsUtf8),
    // RFC 2045 §6.4: a multipart is 8bit if any of its parts is.
    ...(parts.every((part) => isAscii(part)) ? [] : ['Content-Transfer-Encoding: 8bit\r\n']),
    formatField(
      'Content-Type',
      `multipart/report; report-type=delivery-status; boundary="${boundary}"`,
      'Content-Type',
    ),
  ].join('')
  const delimited = parts.flatMap((part) => [Buffer.from(`\r\n--${boundary}\r\n`), part])
  return Buffer.concat([Buffer.from(header), ...delimited, Buffer.from(`\r\n--${boundary}--\r\n`)])
}

const SUBJECTS = {
  failed: 'mail delivery failed',
  delayed: 'mail delivery delayed',
  relayed: 'mail relayed',
} as const

const MAX_NAME = 255
const MAX_FIELD = 1000

function topFields(notice: DsnNotice, allowsUtf8: boolean): readonly string[] {
  const to = formatAddress(notice.to)
  const original = readableMessageId(notice.original.messageId, allowsUtf8)
  return [
    // It is stored, not sent: nobody on the way adds the null reverse-path (RFC 3464 §2).
    field('Return-Path', '<>'),
    field('Delivered-To', to),
    field('From', `<postmaster@${hostText(notice.hostname)}>`),
    field('To', `<${to}>`),
    field('Subject', SUBJECTS[notice.action]),
    field('Date', formatDateTime(notice.at)),
    field('Message-Id', readableMessageId(notice.messageId, allowsUtf8)),
    field('In-Reply-To', original),
    field('References', original),
    // RFC 3834 §5
    field('Auto-Submitted', 'auto-replied'),
    field('MIME-Version', '1.0'),
  ]
}

/** The message/delivery-status part: fields of the message, then those of the recipient (RFC 3464 §2.2, §2.3). */
function statusPart(notice: DsnNotice, allowsUtf8: boolean): Buffer {
  const { recipient, original, outcome } = notice
  const foreign = (text = '') => (allowsUtf8 ? text : text.replace(/[^\x00-\x7f]/gu, '?'))
  const date = (at: Instant | undefined) => (at === undefined ? '' : formatDateTime(at))
  const body = [
    field('Reporting-MTA', `dns; ${hostText(notice.hostname)}`),
    field('Original-Envelope-Id', foreign(original.envelopeId)),
    field('Arrival-Date', date(original.arrivedAt)),
    field('Future-Release-Request', foreign(original.futureReleaseRequest)),
    '\r\n',
    field('Original-Recipient', foreign(typedAddress(original.originalRecipient))),
    field(
      'Final-Recipient',
      `${isAsciiLocalpart(recipient) ? 'rfc822' : 'utf-8'}; ${formatAddress(recipient)}`,
    ),
    field('Action', notice.action),
    field('Status', statusOf(notice)),
    field('Remote-MTA', outcome.remoteHost === undefined ? '' : `dns; ${hostText(outcome.remoteHost)}`),
    field('Diagnostic-Code', foreign(diagnosticOf(outcome))),
    field('Last-Attempt-Date', date(notice.lastAttemptAt)),
    field('Will-Retry-Until', notice.action === 'delayed' ? date(notice.willRetryUntil) : ''),
  ].join('')
  return mimePart(`message/${allowsUtf8 ? 'global-' : ''}delivery-status`, Buffer.from(body))
}

/** Nothing at all for an empty value. */
function field(name: string, value: string): string {
  const line = oneLine(value, MAX_FIELD)
  return line === '' ? '' : formatField(name, breakWords(line), name)
}

/** A name that comes from DNS or a setting shall not write anything but a name. */
function hostText(host: string): string {
  return host.slice(0, MAX_NAME).replace(/[^A-Za-z0-9.:_[\]-]/g, '?') || '?'
}

function readableMessageId(messageId: string, allowsUtf8: boolean): string {
  const isFit = allowsUtf8 ? messageId.isWellFormed() : isAscii(Buffer.from(messageId))
  return isFit && /^<[^<>\s\x00-\x1f\x7f-\x9f]{1,300}>$/.test(messageId) ? messageId : ''
}

function typedAddress(text = ''): string {
  return text === '' || /^[A-Za-z0-9-]+;/.test(text) ? text : `rfc822;${text}`
}

/** A 4.x.x beside `failed` says that it was tried until time was up; `delayed` is never permanent (RFC 3463 §2). */
function statusOf({ action, outcome }: DsnNotice): string {
  const { code, enhancedCode } = outcome
  if (action === 'relayed') return /^2\.\d{1,3}\.\d{1,3}$/.test(enhancedCode) ? enhancedCode : '2.0.0'
  const answered = code >= 400 && code < 500 ? '4' : '5'
  const status = /^[45]\.\d{1,3}\.\d{1,3}$/.test(enhancedCode) ? enhancedCode : `${answered}.0.0`
  return action === 'delayed' ? `4${status.slice(1)}` : status
}

function diagnosticOf({ code, enhancedCode, error }: DsnOutcome): string {
  return code === 0 ? '' : `smtp; ${[code, enhancedCode, error].filter((text) => text !== '').join(' ')}`
}

function textPart(text: string, allowsUtf8: boolean): Buffer {
  const bytes = withCrlf(Buffer.from(text))
  if (isAscii(bytes)) return mimePart('text/plain; charset=us-ascii', bytes)
  if (allowsUtf8) return mimePart('text/plain; charset=utf-8', bytes)
  const encoded = Buffer.from(encodeQuotedPrintable(text))
  return mimePart('text/plain; charset=utf-8', encoded, 'quoted-printable')
}

/** The message or its header section; one with UTF-8 in it is a message/global (RFC 6532 §3.7). */
function returnedPart(notice: DsnNotice, allowsUtf8: boolean): Buffer {
  const message = returnedMessage(notice)
  if (!message) return headersPart(notice.original.headerSection, allowsUtf8)
  return mimePart(notice.smtputf8 ? 'message/global' : 'message/rfc822', message)
}

/** Octets of the original header section that are repeated. */
const MAX_HEADERS = 65_536

function headersPart(headerSection: Uint8Array, allowsUtf8: boolean): Buffer {
  const message = asBuffer(headerSection)
  const { end } = findHeaderSection(message, 0).header
  const cut = end <= MAX_HEADERS ? end : message.lastIndexOf('\n', MAX_HEADERS - 1) + 1 || MAX_HEADERS
  const headers = asBuffer(withCrlf(message.subarray(0, cut)))
  const type = allowsUtf8 ? 'message/global-headers' : 'text/rfc822-headers'
  if (isTransportable(headers) && (allowsUtf8 ? isUtf8(headers) : isAscii(headers))) {
    return mimePart(type, headers)
  }
  const charset = !allowsUtf8 && isUtf8(headers) ? '; charset=utf-8' : ''
  const lines = headers.toString('base64').replace(/.{76}/g, '$&\r\n')
  return mimePart(`${type}${charset}`, Buffer.from(`${lines}\r\n`), 'base64')
}

function mimePart(contentType: string, body: Uint8Array, encoding = isAscii(body) ? '7bit' : '8bit'): Buffer {
  const header = `Content-Type: ${contentType}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`
  return Buffer.concat([Buffer.from(header), body])
}

/** No part can hold the boundary: it would have to hold its own hash. */
function boundaryFor(parts: readonly Buffer[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return `=_${hash.digest('hex').slice(0, 32)}`
}
