import { formatInstant, type Instant } from '../base/clock.ts'
import { oneLine } from '../dsn/one-line.ts'
import { formatDateTime } from '../message/date-time.ts'
import { formatField } from '../message/header-field.ts'
import { encodeQuotedPrintable } from '../message/transfer-encoding.ts'
import type { Failing, WebhookName } from '../webhook/failing-webhook.ts'

/** What there is to say of a webhook that was disabled. */
export interface DisabledNotice {
  readonly webhook: WebhookName
  readonly failing: Failing
  /** The name of this server. */
  readonly hostname: string
  /** With angle brackets. */
  readonly messageId: string
  readonly at: Instant
}

const LONGEST_ERROR = 1000

/** Writes the notice (RFC 5322, with CRLF): what was disabled, since when it failed, of what, and what to do. */
export function composeDisabledNotice(notice: DisabledNotice): Uint8Array {
  const { webhook, hostname, messageId, at } = notice
  const header = [
    // It is stored, not sent: nobody on the way adds the null reverse-path.
    ['Return-Path', '<>'],
    ['From', `<postmaster@${hostname}>`],
    ['Subject', `${webhook.direction} webhook disabled`],
    ['Date', formatDateTime(at)],
    ['Message-Id', messageId],
    // RFC 3834 §5
    ['Auto-Submitted', 'auto-generated'],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Transfer-Encoding', 'quoted-printable'],
  ] as const
  const fields = header.map(([name, value]) => formatField(name, value, name)).join('')
  return Buffer.from(`${fields}\r\n${encodeQuotedPrintable(textOf(notice))}`)
}

function textOf({ webhook: { account, direction, url }, failing, hostname }: DisabledNotice): string {
  return [
    `The ${direction} webhook of account ${account} was disabled:`,
    ...['', `    ${url}`, ''],
    `Every call of it failed from ${formatInstant(failing.since)} on.`,
    `The last error, at ${formatInstant(failing.lastAt)}:`,
    ...['', `    ${oneLine(failing.error, LONGEST_ERROR)}`, ''],
    'Events queue no calls to it any more; those that wait are made, by their',
    'schedule. When the receiver works, an operator enables the webhook again:',
    ...['', `    postern account update ${account} --${direction}-webhook-enable`, ''],
    `This notice was written by the mail server ${hostname}.`,
    '',
  ].join('\n')
}
