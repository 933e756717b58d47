import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants } from 'node:zlib'
import { type Clock, formatInstant, type Instant, parseInstant } from '../../base/clock.ts'
import { formatRowId, type RowId } from '../../base/row-id.ts'
import type { Mail, NewMail } from '../../mailbox/mail.ts'
import type { Arrival, MailboxStore } from '../../mailbox/mailbox-store.ts'
import type { WebhookCall } from '../../webhook/webhook-call.ts'
import { newCallItem, renumbered } from './call-items.ts'
import { type Action, backOff, getItem, type Item, queryItems, type Table, transact } from './dynamo.ts'
import { inTurns } from './in-turns.ts'
import { keys } from './table.ts'

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Arrivals that wait for the same mailbox go into one transaction (DynamoDB: 100 actions); one takes up to three. */
const MOST_TOGETHER = 30
const MOST_TRIES = 100

/** Mails and mailboxes in DynamoDB; the contents are in the content store. */
export function dynamoMailboxStore(table: Table, clock: Clock): MailboxStore {
  const append = inTurns<Arrival, WebhookCall | undefined>(MOST_TOGETHER, (arrivals) =>
    appendTogether(table, clock, arrivals),
  )
  return {
    async append(arrivals) {
      const calls = await Promise.all(
        arrivals.map((arrival) => append(`${arrival.mail.account}/${arrival.mail.mailbox}`, arrival)),
      )
      return calls.filter((call) => call !== undefined)
    },

    async read(account, id) {
      const item = await getItem(table, keys.mail(account, id))
      return item && (await parseMail(item))
    },

    async list(account, limit, before) {
      const { pk } = keys.mail(account, 0 as RowId)
      const items = await queryItems(table, {
        condition: before === undefined ? '#pk = :pk' : '#pk = :pk AND #sk < :before',
        values: { pk, ...(before !== undefined && { before: formatRowId(before) }) },
        limit,
        descending: true,
      })
      return await Promise.all(items.map(parseMail))
    },
  }
}

/** Puts arrivals of one mailbox in order: UID and MODSEQ come from the mailbox, which no other writer may have moved. */
async function appendTogether(
  table: Table,
  clock: Clock,
  arrivals: readonly Arrival[],
): Promise<readonly (WebhookCall | undefined)[]> {
  const [first] = arrivals
  if (!first) return []
  const calls = arrivals.map((arrival) => arrival.call)
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const mailbox = await readMailbox(table, first.mail, clock)
    const mails = arrivals.map(({ mail }, place) => ({
      ...mail,
      uid: mailbox.uidNext + place,
      modseq: mailbox.modseq + 1,
    }))
    const mailItems = await Promise.all(mails.map(mailItem))
    const actions: Action[] = [
      { change: advance(first.mail, mailbox, arrivals.length) },
      ...mailItems.map((item) => ({ put: item })),
      ...mails.map((mail) => ({ put: { ...keys.uid(mail.account, mail.mailbox, mail.uid), id: mail.id } })),
      ...calls.flatMap((call) => (call ? [{ put: newCallItem(call) }] : [])),
    ]
    const written = await transact(table, actions)
    if (written.kind === 'written') return calls
    renumberTaken(calls, written.places, 1 + 2 * mails.length)
    await backOff(table, Math.min(tries, 3))
  }
  throw new Error('the mailbox changed faster than a message could be stored')
}

/** Gives new ids to the calls among the refused actions, which begin at `offset`. */
function renumberTaken(calls: (WebhookCall | undefined)[], refused: readonly number[], offset: number): void {
  const present = [...calls.keys()].filter((place) => calls[place])
  for (const action of refused) {
    const place = present[action - offset]
    const call = place === undefined ? undefined : calls[place]
    if (place !== undefined && call) calls[place] = renumbered(call)
  }
}

interface MailboxState {
  readonly uidValidity: number
  readonly uidNext: number
  readonly modseq: number
  readonly exists: boolean
}

/** A mailbox comes to be with its first mail; its UIDVALIDITY is the second of its making (RFC 9051 §2.3.1.1). */
async function readMailbox(table: Table, mail: NewMail, clock: Clock): Promise<MailboxState> {
  const item = await getItem(table, keys.mailbox(mail.account, mail.mailbox))
  if (!item) return { uidValidity: Math.floor(clock.now() / 1000), uidNext: 1, modseq: 0, exists: false }
  return {
    uidValidity: Number(item.uidValidity),
    uidNext: Number(item.uidNext),
    modseq: Number(item.modseq),
    exists: true,
  }
}

function advance(mail: NewMail, mailbox: MailboxState, count: number) {
  return {
    key: keys.mailbox(mail.account, mail.mailbox),
    update: 'SET #uidNext = :uidNext, #modseq = :modseq, #uidValidity = :uidValidity',
    condition: mailbox.exists ? '#uidNext = :uidWas AND #modseq = :modseqWas' : 'attribute_not_exists(#pk)',
    values: {
      uidNext: mailbox.uidNext + count,
      modseq: mailbox.modseq + 1,
      uidValidity: mailbox.uidValidity,
      ...(mailbox.exists && { uidWas: mailbox.uidNext, modseqWas: mailbox.modseq }),
    },
  }
}

/** Readable attributes for operators; the parsed message beside them, compressed. */
async function mailItem(mail: Mail): Promise<Item> {
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

async function parseMail(item: Item): Promise<Mail> {
  const stored = item as unknown as Omit<Mail, 'envelope' | 'fields' | 'tree' | 'receivedAt'> &
    Mail['envelope'] & { readonly receivedAt: string; readonly parsed: Uint8Array }
  const { fields, tree } = JSON.parse((await decompress(stored.parsed)).toString()) as Pick<
    Mail,
    'fields' | 'tree'
  >
  const { mailFrom, mailFromValidated, rcptTo, msgFromValidated, dkimVerifiedDomains, remoteIp } = stored
  const receivedAt: Instant = parseInstant(stored.receivedAt)
  const { account, id, mailbox, uid, modseq, size, flags, content } = stored
  const envelope = { mailFrom, mailFromValidated, rcptTo, msgFromValidated, dkimVerifiedDomains, remoteIp }
  return { account, id, mailbox, uid, modseq, receivedAt, size, flags, content, envelope, fields, tree }
}
