import { rowIdAt } from '../../../shared/base/row-id.ts'
import type { Mail } from '../../../shared/mailbox/mail.ts'
import { INBOX } from '../../../shared/mailbox/mailboxes.ts'
import { readMessageFields } from '../../../shared/message/message-fields.ts'
import { readMimeTree } from '../../../shared/message/mime-tree.ts'

/** A received mail, with what a test changes. */
export function storedMail(changes: Partial<Mail> = {}): Mail {
  const receivedAt = Date.UTC(2026, 5, 1)
  const id = rowIdAt(receivedAt, 1)
  const bytes = Buffer.from(
    'From: Bob <bob@remote.example>\r\nSubject: Hi\r\nMessage-ID: <h@remote.example>\r\n\r\nHello\r\n',
  )
  return {
    account: 'shop',
    id,
    mailbox: INBOX,
    uid: 7,
    modseq: 9,
    receivedAt,
    size: 1234,
    flags: ['\\Seen'],
    dsn: false,
    content: `mail/shop/${id}`,
    envelope: {
      mailFrom: 'bob@remote.example',
      mailFromValidated: false,
      rcptTo: 'ann@shop.example',
      msgFromValidated: false,
      dkimVerifiedDomains: [],
      remoteIp: '192.0.2.1',
    },
    fields: readMessageFields(bytes),
    tree: readMimeTree(bytes),
    ...changes,
  }
}
