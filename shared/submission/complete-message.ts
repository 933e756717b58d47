import { type Address, formatAddress } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { formatDateTime } from '../message/date-time.ts'
import { formatField } from '../message/header-field.ts'
import { formatReceived } from '../message/received.ts'
import { stripComments } from '../message/structured-field.ts'
import type { SmtpClient } from '../smtp/smtp-client.ts'
import { named, type SubmittedMessage } from './read-message.ts'

/** How a message came to us. */
export interface Handover {
  readonly hostname: string
  readonly client: SmtpClient
  /** Left out: the null reverse-path. */
  readonly mailFrom?: Address
  readonly recipients: readonly Address[]
  readonly at: Instant
  readonly random: Random
}

/** A message as it goes out. */
export interface CompletedMessage {
  readonly bytes: Uint8Array
  /** With angle brackets. */
  readonly messageId: string
}

/**
 * Adds what a submission may lack (RFC 6409 §8): trace fields, a Message-ID, a Date. Takes away a Return-Path, which
 * the last server writes (RFC 5321 §4.4), and a Message-ID that is none. All other fields stay as they are, Bcc too:
 * who writes one wants it read.
 */
export function completeMessage(message: SubmittedMessage, handover: Handover): CompletedMessage {
  const given = named(message.fields, 'Message-ID').map(({ value }) => stripComments(value).trim())
  const [messageId = newMessageId(handover)] = given.filter((value) => /^<[^<>\s]{1,900}>$/.test(value))
  const isKept = given.includes(messageId)
  const removed = ['return-path', ...(isKept ? [] : ['message-id'])]
  const kept = message.fields.filter(({ name }) => !removed.includes(name.toLowerCase()))
  const added = [
    receivedField(handover),
    authenticationResults(handover),
    ...(isKept ? [] : [formatField('Message-ID', messageId, 'Message-ID')]),
    ...(named(message.fields, 'Date').length > 0
      ? []
      : [formatField('Date', formatDateTime(handover.at), 'Date')]),
  ]
  const bytes = Buffer.concat([
    Buffer.from(added.join('')),
    ...[...kept, message.rest].map(({ start, end }) => message.content.subarray(start, end)),
  ])
  return { bytes, messageId }
}

function newMessageId({ hostname, random }: Handover): string {
  return `<${Buffer.from(random.bytes(16)).toString('base64url')}@${hostname}>`
}

/** Where the submitter sits is nobody's business; with several recipients none reads of the others. */
function receivedField({ hostname, client, recipients, at }: Handover): string {
  const [first, second] = recipients
  return formatReceived({
    from: { hello: hostname },
    by: hostname,
    with: client.protocol,
    id: client.sessionId,
    at,
    ...(client.tls && { tls: `${client.tls.protocol} ${client.tls.cipher}` }),
    ...(first && !second && { for: first }),
  })
}

/** RFC 8601 §2.7.4: who submitted has proved to be who may use the reverse-path. */
function authenticationResults({ hostname, mailFrom }: Handover): string {
  const property = mailFrom ? ` smtp.mailfrom=${formatAddress(mailFrom)}` : ''
  return formatField('Authentication-Results', `${hostname}; auth=pass${property}`, 'MAIL FROM')
}
