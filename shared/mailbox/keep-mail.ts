import type { Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type RowId, rowIdAt } from '../base/row-id.ts'
import type { ContentName, ContentStore } from '../content/content-store.ts'
import { type DsnReport, readDsn } from '../dsn/parse.ts'
import { readMessageFields } from '../message/message-fields.ts'
import { type MimePart, readMimeTree } from '../message/mime-tree.ts'
import type { NewMail } from './mail.ts'

/** A message that is to become a mail. */
export interface MailDraft extends Pick<NewMail, 'account' | 'mailbox' | 'flags' | 'envelope'> {
  readonly receivedAt: Instant
  /** The message for the id that it gets: trace fields name it. */
  readonly bytesOf: (id: RowId) => Uint8Array
}

/** A mail whose content is kept, and what was read of it on the way. */
interface KeptMail {
  readonly mail: NewMail
  readonly bytes: Uint8Array
  /** Undefined if it is no notification. */
  readonly report: DsnReport | undefined
}

const MOST_DRAWS = 20
/** Octets of JSON; the item that holds the structure may have 400 KB. */
const LARGEST_STRUCTURE = 200_000

/** Keeps the content of a mail and reads what will lie beside it. The mail itself is still to be appended. */
export async function keepMail(
  ports: { readonly content: ContentStore; readonly random: Random },
  draft: MailDraft,
): Promise<KeptMail> {
  const { account, mailbox, flags, envelope, receivedAt } = draft
  const { id, content, bytes } = await keepContent(ports, draft)
  const tree = storable(readMimeTree(bytes))
  const fields = readMessageFields(bytes)
  const size = bytes.length
  const report = readDsn(bytes, tree)
  const dsn = report !== undefined
  return {
    mail: { account, id, mailbox, receivedAt, size, flags, content, envelope, fields, dsn, tree },
    bytes,
    report,
  }
}

/** The content claims the mail's id: a name can be created once. */
async function keepContent(
  ports: { readonly content: ContentStore; readonly random: Random },
  { account, receivedAt, bytesOf }: MailDraft,
): Promise<{ readonly id: RowId; readonly content: ContentName; readonly bytes: Uint8Array }> {
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const id = rowIdAt(receivedAt, Math.floor(ports.random.fraction() * 4096))
    const content: ContentName = `mail/${account}/${id}`
    const bytes = bytesOf(id)
    if (await ports.content.create(content, bytes)) return { id, content, bytes }
  }
  throw new Error('no free id was found for a new mail')
}

/** A hostile structure is kept as one opaque part: the message is stored all the same. */
function storable(tree: MimePart): MimePart {
  return JSON.stringify(tree).length <= LARGEST_STRUCTURE ? tree : { ...tree, parts: [] }
}
