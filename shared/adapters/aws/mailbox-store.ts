import type { Clock } from '../../base/clock.ts'
import { formatRowId, type RowId } from '../../base/row-id.ts'
import type { ContentName } from '../../content/content-store.ts'
import type { Mail } from '../../mailbox/mail.ts'
import type { Arrival, MailboxStore, MailEdit, MailFound } from '../../mailbox/mailbox-store.ts'
import type { WebhookCall } from '../../webhook/webhook-call.ts'
import { newCallItem, renumbered } from './call-items.ts'
import { getItem, type Item, queryItems, type Table } from './dynamo.ts'
import { inTurns } from './in-turns.ts'
import { mailChange, newMailItem, parseMail } from './mail-items.ts'
import { CHANGES_KEPT_MS, changeMailboxes, type Plan, type Step } from './mailbox-changes.ts'
import { keys } from './table.ts'

/** Arrivals that wait for the same mailbox go into one transaction (DynamoDB: 100 actions); one takes up to four. */
const MOST_TOGETHER = 24
const MOST_MAILBOXES = 100_000

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
      return item && !item.removed ? await parseMail(item) : undefined
    },

    change: (account, id, edit) =>
      changeMailboxes(table, clock, account, () => planOf(table, clock, { account, id, edit })),

    async list(account, limit, before) {
      const { pk } = keys.mail(account, 0 as RowId)
      const items = await queryItems(table, {
        condition: before === undefined ? '#pk = :pk' : '#pk = :pk AND #sk < :before',
        filter: 'attribute_not_exists(#removed)',
        values: { pk, ...(before !== undefined && { before: formatRowId(before) }) },
        limit,
        descending: true,
      })
      return await Promise.all(items.map(parseMail))
    },

    async usedOctets(account) {
      const { pk } = keys.mailbox(account, '')
      const items = await queryItems(table, { condition: '#pk = :pk', values: { pk }, limit: MOST_MAILBOXES })
      return items.reduce((sum, { octets }) => sum + (typeof octets === 'number' ? octets : 0), 0)
    },
  }
}

/** Puts arrivals of one mailbox into it, in their order. */
async function appendTogether(
  table: Table,
  clock: Clock,
  arrivals: readonly Arrival[],
): Promise<readonly (WebhookCall | undefined)[]> {
  const [first] = arrivals
  if (!first) return []
  const calls = arrivals.map((arrival) => arrival.call)
  const mailItems = await Promise.all(arrivals.map(({ mail }) => newMailItem(mail)))
  const steps = arrivals.map(
    ({ mail: { mailbox, id, size } }) => ({ change: 'added', mailbox, id, size }) as const,
  )
  return await changeMailboxes(table, clock, first.mail.account, async (refused) => {
    renumberTaken(calls, refused, mailItems.length)
    return {
      result: calls,
      steps,
      actions: (places) => [
        ...mailItems.map((item, index) => ({ put: { ...item, ...places[index] } })),
        ...calls.flatMap((call) => (call ? [{ put: newCallItem(call) }] : [])),
      ],
    }
  })
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

interface WantedChange {
  readonly account: string
  readonly id: RowId
  readonly edit: (mail: Mail) => MailEdit | undefined
}

async function planOf(table: Table, clock: Clock, wanted: WantedChange): Promise<Plan<MailFound>> {
  const item = await getItem(table, keys.mail(wanted.account, wanted.id))
  if (!item || isForgotten(item, clock)) return nothingToDo({ kind: 'unknown' })
  if (item.removed) return nothingToDo({ kind: 'removed', content: item.content as ContentName })
  const mail = await parseMail(item)
  const found = { kind: 'mail', content: mail.content } as const
  const edit = wanted.edit(mail)
  if (!edit) return nothingToDo(found)
  return {
    result: found,
    steps: stepsOf(mail, edit),
    actions: (places) => {
      const place = places.at(-1)
      const forgottenAt = clock.now() + CHANGES_KEPT_MS
      return place ? [{ change: mailChange(item, mail, edit, place, forgottenAt) }] : []
    },
  }
}

function nothingToDo(result: MailFound): Plan<MailFound> {
  return { result, steps: [], actions: () => [] }
}

/** The last step gives the mail its numbers. */
function stepsOf({ mailbox, id, uid, size }: Mail, edit: MailEdit): readonly Step[] {
  if (edit.kind === 'flags') return [{ change: 'changed', mailbox, id, uid }]
  const removed = { change: 'removed', mailbox, id, uid, size } as const
  return edit.kind === 'remove' ? [removed] : [removed, { change: 'added', mailbox: edit.mailbox, id, size }]
}

/** DynamoDB deletes what has expired days late. */
function isForgotten(item: Item, clock: Clock): boolean {
  return typeof item.expires === 'number' && item.expires * 1000 <= clock.now()
}
