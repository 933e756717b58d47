/** The mailbox that every account has (RFC 9051 §5.1), and where mail arrives. */
export const INBOX = 'Inbox'
/** Where copies of sent messages go (RFC 6154 `\Sent`). */
export const SENT = 'Sent'
/** RFC 6154 `\Junk`. */
export const JUNK = 'Junk'

const MAILBOXES = [INBOX, SENT, 'Archive', 'Drafts', JUNK, 'Trash'] as const

/** The mailboxes that come with an account; nothing is stored of one before its first mail. */
export type MailboxName = (typeof MAILBOXES)[number]

/** Names are compared exactly. */
export function isMailbox(name: string): name is MailboxName {
  return MAILBOXES.some((mailbox) => mailbox === name)
}
