import type { Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import type { ContentName } from '../content/content-store.ts'
import type { MessageFields } from '../message/message-fields.ts'
import type { MimePart } from '../message/mime-tree.ts'
import type { MailboxName } from './mailboxes.ts'

/** A message in a mailbox, as it was received; flags and place may change, the rest never does. */
export interface Mail {
  readonly account: string
  /** What the webapi calls MsgID. */
  readonly id: RowId
  readonly mailbox: MailboxName
  /** RFC 9051 §2.3.1.1: grows within the mailbox and is never used again. */
  readonly uid: number
  /** RFC 7162 §3.1: the mailbox's change number when this mail last changed. */
  readonly modseq: number
  readonly receivedAt: Instant
  /** Octets of the content, with the trace fields that were put before it. */
  readonly size: number
  /** In lower case: system flags first, then keywords. */
  readonly flags: readonly string[]
  readonly content: ContentName
  readonly envelope: ReceivedEnvelope
  readonly fields: MessageFields
  /** A delivery status notification (RFC 3464). */
  readonly dsn: boolean
  readonly tree: MimePart
}

/** What SMTP told about the message, and what was verified of it. */
export interface ReceivedEnvelope {
  /** Empty for the null reverse-path. */
  readonly mailFrom: string
  /** SPF passed for the reverse-path. */
  readonly mailFromValidated: boolean
  readonly rcptTo: string
  /** DMARC, or strict or relaxed alignment, passed for the From field. */
  readonly msgFromValidated: boolean
  readonly dkimVerifiedDomains: readonly string[]
  readonly remoteIp: string
}

/** A mail before the mailbox gave it its place. */
export type NewMail = Omit<Mail, 'uid' | 'modseq'>
