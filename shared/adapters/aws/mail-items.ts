import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { formatInstant, type Instant, parseInstant } from '../../base/clock.ts'
import type { Mail, NewMail } from '../../mailbox/mail.ts'
import type { MailEdit } from '../../mailbox/mailbox-store.ts'
import type { Change, Item } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Readable attributes for operators; the parsed message beside them, compressed. The place is still to be added. */
export async function newMailItem(mail: NewMail): Promise<Item> {
  const { fields, tree, envelope, receivedAt, ...plain } = mail
  const parsed = await compress(JSON.stringify({ fields, tree }), {
    params: { [constants.BROTLI_PARAM_QUALITY]: 4 },
  })
  return {
    ...keys.mail(mail.account, mail.id),
    ...plain,
    ...envelope,
    receivedAt: formatInstant(receivedAt),
    parsed,
  }
}

/** Reads the item of a mail that was not removed. */
export async function parseMail(item: Item): Promise<Mail> {
  const stored = item as unknown as Omit<Mail, 'envelope' | 'fields' | 'tree' | 'receivedAt'> &
    Mail['envelope'] & { readonly receivedAt: string; readonly parsed: Uint8Array }
  const { fields, tree } = JSON.parse((await decompress(stored.parsed)).toString()) as Pick<
    Mail,
    'fields' | 'tree'
  >
  const { mailFrom, mailFromValidated, rcptTo, msgFromValidated, dkimVerifiedDomains, remoteIp } = stored
  const receivedAt: Instant = parseInstant(stored.receivedAt)
  const { account, id, mailbox, uid, modseq, size, flags, content, dsn } = stored
  const envelope = { mailFrom, mailFromValidated, rcptTo, msgFromValidated, dkimVerifiedDomains, remoteIp }
  return { account, id, mailbox, uid, modseq, receivedAt, size, flags, content, envelope, fields, dsn, tree }
}

/** What a removed mail leaves, so that it is known to have been: its id, its last place and its content's name. */
const OF_REMOVED = ['pk', 'sk', 'account', 'id', 'mailbox', 'uid', 'modseq', 'content']

/** Writes an edit into the item that was read, unless somebody else has changed it since. */
export function mailChange(
  item: Item,
  mail: Mail,
  edit: MailEdit,
  place: { readonly uid: number; readonly modseq: number },
  forgottenAt: Instant,
): Change {
  const { update, values } =
    edit.kind === 'remove'
      ? removal(item, forgottenAt)
      : {
          update: 'SET #modseq = :modseq, #uid = :uid, #mailbox = :mailbox, #flags = :flags',
          values: {
            uid: place.uid,
            mailbox: edit.kind === 'move' ? edit.mailbox : mail.mailbox,
            flags: edit.flags,
          },
        }
  return {
    key: keys.mail(mail.account, mail.id),
    update,
    condition: '#mailbox = :mailboxWas AND #modseq = :modseqWas',
    values: { ...values, modseq: place.modseq, mailboxWas: mail.mailbox, modseqWas: mail.modseq },
  }
}

function removal(item: Item, forgottenAt: Instant) {
  const dropped = Object.keys(item).filter((name) => !OF_REMOVED.includes(name))
  return {
    update: `SET #modseq = :modseq, #removed = :removed, #expires = :expires REMOVE ${dropped.map((name) => `#${name}`).join(', ')}`,
    values: { removed: true, expires: expiresAtSeconds(forgottenAt) },
  }
}
