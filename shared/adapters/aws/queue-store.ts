import { formatAddress, parseAddress } from '../../address/address.ts'
import type { AttemptRow } from '../../attempts/attempt-row.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Decision, Effects, QueueStore } from '../../queue/queue-store.ts'
import type { DeliveryResult, NoticeKind, QueuedMessage } from '../../queue/queued-message.ts'
import { firstLookAt } from '../../queue/submit.ts'
import type { WebhookCall } from '../../webhook/webhook-call.ts'
import {
  attemptReads,
  hasSettled,
  keepLateResult,
  newRowItem,
  parseRow,
  type RowFormat,
  readIndexed,
  settleChange,
} from './attempt-items.ts'
import { newCallItem, renumbered } from './call-items.ts'
import {
  type Action,
  type Change,
  changeItem,
  deleteItem,
  getItem,
  getItems,
  type Item,
  putNew,
  type Table,
  transact,
} from './dynamo.ts'
import { historyChange, suppressionItem } from './suppression-items.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** How queued and retired messages lie in the table. */
const messageFormat: RowFormat<QueuedMessage, DeliveryResult> = {
  kind: 'mail',
  key: keys.message,
  attributes: (row) => ({
    base: row.base,
    recipients: row.recipients,
    mailFrom: row.mailFrom ? formatAddress(row.mailFrom) : '',
    recipient: formatAddress(row.recipient),
    fromId: row.fromId,
    messageId: row.messageId,
    subject: row.subject,
    size: row.size,
    has8bit: row.has8bit,
    smtputf8: row.smtputf8,
    extra: row.extra,
  }),
  parse: (item, common) => {
    const stored = item as unknown as StoredMessage
    return {
      ...(common as AttemptRow<DeliveryResult> & { readonly owed?: NoticeKind }),
      base: stored.base as RowId,
      recipients: stored.recipients,
      ...(stored.mailFrom !== '' && { mailFrom: parseAddress(stored.mailFrom) }),
      recipient: parseAddress(stored.recipient),
      fromId: stored.fromId,
      messageId: stored.messageId,
      subject: stored.subject,
      size: stored.size,
      has8bit: stored.has8bit,
      smtputf8: stored.smtputf8,
      extra: stored.extra,
    }
  },
}

/** A notice whose giver died is late by this, counted from the attempt. */
const LOST_NOTICE_MS = 90_000
/** Rows of one Send are written this many at a time. */
const WRITES_IN_FLIGHT = 25
const MOST_RENUMBERINGS = 100

/** Queued and retired messages in DynamoDB. */
export function dynamoQueueStore(table: Table): QueueStore {
  return {
    ...attemptReads(table, messageFormat),

    async add(rows) {
      for (let start = 0; start < rows.length; start += WRITES_IN_FLIGHT) {
        const added = await Promise.all(
          rows.slice(start, start + WRITES_IN_FLIGHT).map((row) => addRow(table, row)),
        )
        if (added.includes(false)) return false
      }
      return true
    },

    async decide(base, decision, expiresAt) {
      const item = { ...keys.decision(base), ...decision, expires: expiresAtSeconds(expiresAt) }
      return asDecision((await putNew(table, item)) ?? item)
    },

    async decision(base) {
      const item = await getItem(table, keys.decision(base))
      return item && asDecision(item)
    },

    async removeUnattempted(row) {
      await deleteItem(table, keys.message(row.account, row.id), {
        expression: '#attempts = :none AND #base = :base',
        values: { none: 0, base: row.base },
      })
    },

    async settle(row, settlement, effects) {
      const owed = effects.notice && {
        what: effects.notice,
        lookAt: settlement.result.startedAt + LOST_NOTICE_MS,
      }
      const change = settleChange(messageFormat, row, settlement, owed)
      const isAlone = effectActions(row, effects).length === 0
      const settled = isAlone
        ? (await changeItem(table, change, hasSettled(row, settlement))) && {}
        : await settleWith(table, row, change, effects)
      if (settled) return { kind: 'settled', ...settled }
      await keepLateResult(table, messageFormat, row, settlement.result)
      return { kind: 'late' }
    },

    async list(account, limit) {
      const rows = await readIndexed(table, messageFormat, account, limit)
      return await withoutUncommitted(
        table,
        rows.filter((row) => row.state !== 'done'),
      )
    },
  }
}

/** False when the id belongs to another Send; a row of the same Send is this one, written by a repeated request. */
async function addRow(table: Table, row: QueuedMessage): Promise<boolean> {
  const inTheWay = await putNew(table, newRowItem(messageFormat, row, firstLookAt(row)))
  return inTheWay === undefined || parseRow(messageFormat, inTheWay).base === row.base
}

/** The call as stored, or undefined when the row is no longer ours. */
async function settleWith(
  table: Table,
  row: QueuedMessage,
  change: Change,
  wanted: Effects,
): Promise<{ readonly call?: WebhookCall } | undefined> {
  let effects = wanted
  for (let tries = 0; tries < MOST_RENUMBERINGS; tries++) {
    const actions = effectActions(row, effects)
    const written = await transact(table, [{ change }, ...actions])
    if (written.kind === 'written') return effects.call ? { call: effects.call } : {}
    if (written.places.includes(0)) return undefined
    const isCallTaken = effects.call !== undefined && written.places.includes(1)
    if (isCallTaken && effects.call) effects = { ...effects, call: renumbered(effects.call) }
    else effects = effects.otherwise ?? {}
  }
  throw new Error('no free id was found for a webhook call')
}

/** The call comes first: its place tells whether its id was taken. */
function effectActions(row: QueuedMessage, { call, suppression, history }: Effects): readonly Action[] {
  return [
    ...(call ? [{ put: newCallItem(call) }] : []),
    ...(suppression ? [{ put: suppressionItem(suppression) }] : []),
    ...(history ? [{ change: historyChange(row.account, row.recipient, history) }] : []),
  ]
}

/** Rows of a Send with several recipients exist for nobody until it is committed. */
async function withoutUncommitted(
  table: Table,
  rows: readonly QueuedMessage[],
): Promise<readonly QueuedMessage[]> {
  const open = rows.filter((row) => row.recipients > 1 && row.attempts === 0)
  const bases = [...new Set(open.map((row) => row.base))]
  const decisions = await getItems(table, bases.map(keys.decision))
  const committed = new Set(decisions.filter((item) => item.kind === 'committed').map((item) => item.pk))
  return rows.filter((row) => !open.includes(row) || committed.has(keys.decision(row.base).pk))
}

function asDecision(item: Item): Decision {
  return item.kind === 'committed'
    ? { kind: 'committed', domains: item.domains as Readonly<Record<string, readonly number[]>> }
    : { kind: 'aborted' }
}

interface StoredMessage {
  readonly base: number
  readonly recipients: number
  readonly mailFrom: string
  readonly recipient: string
  readonly fromId: string
  readonly messageId: string
  readonly subject: string
  readonly size: number
  readonly has8bit: boolean
  readonly smtputf8: boolean
  readonly extra: Readonly<Record<string, string>>
}
