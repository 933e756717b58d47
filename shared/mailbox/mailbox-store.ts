import type { RowId } from '../base/row-id.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { Mail, NewMail } from './mail.ts'

/** A mail, and the call that tells its account of it, to be stored together. */
export interface Arrival {
  readonly mail: NewMail
  readonly call?: WebhookCall
}

/** Port: mails and their places in mailboxes. */
export interface MailboxStore {
  /**
   * Puts arrivals into their mailboxes: each with its call in one transaction, and gives each a UID and MODSEQ.
   * Answers the calls as stored. When it throws, some may be stored and some not.
   */
  append(arrivals: readonly Arrival[]): Promise<readonly WebhookCall[]>
  read(account: string, id: RowId): Promise<Mail | undefined>
  /** The newest mails of an account, over all mailboxes, older than `before`. */
  list(account: string, limit: number, before?: RowId): Promise<readonly Mail[]>
}
