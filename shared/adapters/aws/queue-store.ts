import type { Clock, Instant } from '../../base/clock.ts'
import type { RowId } from '../../base/row-id.ts'
import type { Decision, Effects, QueueStore, Settled } from '../../queue/queue-store.ts'
import type { QueuedMessage } from '../../queue/queued-message.ts'
import { cancelChange, hasSettled, keepLateResult, settleChange, toldChange } from './attempt-changes.ts'
import { newRowItem, parseRow } from './attempt-items.ts'
import { dynamoAttemptStore } from './attempt-store.ts'
import { newCallItem } from './call-items.ts'
import {
  type Action,
  type Change,
  changeItem,
  deleteItem,
  getItem,
  type Item,
  putNew,
  type Table,
  transact,
} from './dynamo.ts'
import { laterExpiry } from './later-expiry.ts'
import { messageFormat } from './message-items.ts'
import { notingCall, supersedeActions } from './supersede.ts'
import { historyChange, suppressionItem } from './suppression-items.ts'
import { expiresAtSeconds, keys } from './table.ts'
import { withoutRefused } from './without-refused.ts'

/** A notice whose giver died is late by this, counted from the attempt. */
const LOST_NOTICE_MS = 90_000
/** Rows of one Send are written this many at a time. */
const WRITES_IN_FLIGHT = 25
const MOST_RENUMBERINGS = 100

/** Queued and retired messages in DynamoDB. */
export function dynamoQueueStore(table: Table, clock: Clock): QueueStore {
  return {
    ...dynamoAttemptStore(table, messageFormat, clock),

    async add(rows) {
      for (let start = 0; start < rows.length; start += WRITES_IN_FLIGHT) {
        const added = await Promise.all(
          rows.slice(start, start + WRITES_IN_FLIGHT).map((row) => addRow(table, row)),
        )
        if (added.includes(false)) return false
      }
      return true
    },

    async addWithChosen(row, expiresAt) {
      const written = await transact(table, [
        { put: newRowItem(messageFormat, row) },
        { change: chosenFromIdChange(row, clock.now(), expiresAt) },
      ])
      if (written.kind === 'written' || (await isThere(table, row))) return 'added'
      return written.places.includes(1) ? 'FromID used' : 'id taken'
    },

    async sentWithChosen(account, fromId) {
      const item = await getItem(table, keys.chosenFromId(account, fromId))
      return item && Number(item.expires) * 1000 > clock.now() ? (item.message as RowId) : undefined
    },

    async noteMessageId({ account, messageId, base, recipients }, expiresAt) {
      await changeItem(table, {
        key: keys.messageId(account, messageId),
        update: 'SET #base = :base, #recipients = :recipients, #expires = :expires',
        condition: 'attribute_not_exists(#pk) OR #base < :base',
        values: { base, recipients, expires: expiresAtSeconds(expiresAt) },
      })
    },

    async sentUnder(account, messageId) {
      const item = await getItem(table, keys.messageId(account, messageId))
      if (!item || Number(item.expires) * 1000 <= clock.now()) return undefined
      return { account, messageId, base: item.base as RowId, recipients: Number(item.recipients) }
    },

    async decide(base, decision, expiresAt) {
      const item = { ...keys.decision(base), ...decision, expires: expiresAtSeconds(expiresAt) }
      return asDecision((await putNew(table, item)) ?? item)
    },

    async decision(base) {
      const item = await getItem(table, keys.decision(base))
      return item && asDecision(item)
    },

    async keepDecision(base, expiresAt) {
      await changeItem(table, laterExpiry(keys.decision(base), expiresAt))
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
      const settled = await settleWith(table, row, change, effects, hasSettled(row, settlement))
      if (settled) return settled
      await keepLateResult(table, messageFormat, row, settlement.result)
      return { kind: 'late' }
    },

    async settleTold(row, settlement, effects) {
      const owed = effects.notice && { what: effects.notice, lookAt: clock.now() + LOST_NOTICE_MS }
      const change = toldChange(messageFormat, row, settlement, owed)
      return await settleWith(table, row, change, effects, hasSettled(row, settlement))
    },

    async cancel(row, settlement, effects, by) {
      const owed = effects.notice && { what: effects.notice, lookAt: settlement.result.startedAt }
      const change = cancelChange(messageFormat, row, settlement, by, owed)
      return await settleWith(table, row, change, effects, hasSettled(row, settlement, by))
    },
  }
}

/** False when the id belongs to another Send; a row of the same Send is this one, written by a repeated request. */
async function addRow(table: Table, row: QueuedMessage): Promise<boolean> {
  const inTheWay = await putNew(table, newRowItem(messageFormat, row, row.recipients === 1))
  return inTheWay === undefined || parseRow(messageFormat, inTheWay).base === row.base
}

/** A write whose answer was lost is refused when it is repeated; whoever has the base is the same Send. */
async function isThere(table: Table, { account, id, base, fromId }: QueuedMessage): Promise<boolean> {
  const item = await getItem(table, keys.message(account, id))
  return item?.base === base && item.fromId === fromId
}

/** An expired one may be there still: DynamoDB deletes late. */
function chosenFromIdChange(
  { account, id, fromId }: QueuedMessage,
  now: Instant,
  expiresAt: Instant,
): Change {
  return {
    key: keys.chosenFromId(account, fromId),
    update: 'SET #message = :message, #expires = :expires',
    condition: 'attribute_not_exists(#pk) OR #expires <= :now',
    values: { message: id, expires: expiresAtSeconds(expiresAt), now: Math.floor(now / 1000) },
  }
}

/** With the call as stored, or undefined when the row is no longer ours; `isDone` tells that this was written before. */
async function settleWith(
  table: Table,
  row: QueuedMessage,
  change: Change,
  wanted: Effects,
  isDone: (item: Item) => boolean,
): Promise<Settled | undefined> {
  if (effectActions(row, wanted).length === 0) {
    return (await changeItem(table, change, isDone)) && { kind: 'settled' }
  }
  let effects = wanted
  for (let tries = 0; tries < MOST_RENUMBERINGS; tries++) {
    const { call } = effects
    const written = await transact(table, [
      { change: notingCall(change, call) },
      ...effectActions(row, effects),
      ...(await supersedeActions(table, call, row.lastCall)),
    ])
    if (written.kind === 'written') return { kind: 'settled', ...(call && { call }) }
    if (written.places.includes(0)) return undefined
    effects = withoutRefused(effects, written.places, 1)
  }
  throw new Error('the effects of an outcome changed faster than they could be written')
}

/** The call comes first: its place tells whether its id was taken. */
function effectActions(row: QueuedMessage, { call, suppression, history }: Effects): readonly Action[] {
  return [
    ...(call ? [{ put: newCallItem(call) }] : []),
    ...(suppression ? [{ put: suppressionItem(suppression) }] : []),
    ...(history ? [{ change: historyChange(row.account, row.recipient, { id: row.id, ...history }) }] : []),
  ]
}

function asDecision(item: Item): Decision {
  return item.kind === 'committed'
    ? { kind: 'committed', domains: item.domains as Readonly<Record<string, readonly number[]>> }
    : { kind: 'aborted' }
}
