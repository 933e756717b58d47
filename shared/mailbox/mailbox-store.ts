import type { RowId } from '../base/row-id.ts'
import type { ContentName } from '../content/content-store.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { Mail, NewMail } from './mail.ts'
import type { MailboxName } from './mailboxes.ts'

/** A mail, and the call that tells its account of it, to be stored together. */
export interface Arrival {
  readonly mail: NewMail
  readonly call?: WebhookCall
}

/** What shall become of a mail. */
export type MailEdit =
  | { readonly kind: 'flags'; readonly flags: readonly string[] }
  /** To another mailbox, under a new UID. */
  | { readonly kind: 'move'; readonly mailbox: MailboxName; readonly flags: readonly string[] }
  /** For good. */
  | { readonly kind: 'remove' }

/** What there was to change: a mail, one that had been removed before, or none. `content` names its bytes. */
export type MailFound =
  | { readonly kind: 'mail' | 'removed'; readonly content: ContentName }
  | { readonly kind: 'unknown' }

/** Port: mails and their places in mailboxes. */
export interface MailboxStore {
  /**
   * Puts arrivals into their mailboxes: each with its call in one transaction, and gives each a UID and MODSEQ.
   * Answers the calls as stored. When it throws, some may be stored and some not.
   */
  append(arrivals: readonly Arrival[]): Promise<readonly WebhookCall[]>
  read(account: string, id: RowId): Promise<Mail | undefined>
  /**
   * Changes a mail, its mailboxes and their change logs in one transaction. `edit` is asked again whenever somebody
   * else was faster; undefined leaves everything as it is. A removed mail is remembered for 30 days; its content is
   * the caller's to remove.
   */
  change(account: string, id: RowId, edit: (mail: Mail) => MailEdit | undefined): Promise<MailFound>
  /** The newest mails of an account, over all mailboxes, older than `before`. */
  list(account: string, limit: number, before?: RowId): Promise<readonly Mail[]>
  /** Octets of all mails of an account. */
  usedOctets(account: string): Promise<number>
}
