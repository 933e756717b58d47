import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { HOUR, MINUTE } from '../../../shared/base/clock.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { type MessageFilter, matchesFilter } from '../../../shared/queue/message-filter.ts'
import type { QueuedMessage } from '../../../shared/queue/queued-message.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const now = Date.UTC(2026, 5, 1)
const [first, second, third] = [rowIdAt(now, 1), rowIdAt(now, 2), rowIdAt(now, 3)]

/** Three messages that differ in everything that a filter can name. */
const messages: readonly QueuedMessage[] = [
  queuedMessage({ id: first, queuedAt: now - HOUR, nextAt: now }),
  queuedMessage({
    id: second,
    queuedAt: now + MINUTE,
    nextAt: now + 2 * MINUTE,
    mailFrom: parseAddress('Ann+x@bücher.example'),
    recipient: parseAddress('"b o b"@other.example'),
    transport: 'relay',
    hold: { reason: 'by an operator', since: now },
  }),
  withoutSender(queuedMessage({ account: 'other', id: third, queuedAt: now, nextAt: now + HOUR })),
]

/** The null reverse-path of notifications. */
function withoutSender({ mailFrom: _none, ...row }: QueuedMessage): QueuedMessage {
  return row
}

const cases: readonly { rule: string; filter: MessageFilter; matching: readonly number[] }[] = [
  { rule: 'nothing is all', filter: {}, matching: [1, 2, 3] },
  { rule: 'an account', filter: { account: 'other' }, matching: [3] },
  { rule: 'IDs', filter: { names: [name('shop', first), name('other', third)] }, matching: [1, 3] },
  { rule: 'an ID of another account', filter: { names: [name('other', first)] }, matching: [] },
  { rule: 'an ID that never was', filter: { names: [name('shop', rowIdAt(now, 9))] }, matching: [] },
  { rule: 'no IDs', filter: { names: [] }, matching: [] },
  { rule: 'part of the sender, whatever its case', filter: { from: 'ANN' }, matching: [1, 2] },
  { rule: 'the domain of the sender', filter: { from: '@shop.example' }, matching: [1] },
  { rule: 'the domain of the sender in Unicode', filter: { from: '@BÜCHER.example' }, matching: [2] },
  { rule: 'part of the recipient', filter: { to: 'bob' }, matching: [1, 3] },
  { rule: 'part of a recipient that is quoted', filter: { to: '"b o b"@other' }, matching: [2] },
  {
    rule: 'sender and recipient, both of which must match (Q5)',
    filter: { from: 'ann@shop', to: 'other.example' },
    matching: [],
  },
  { rule: 'on hold', filter: { hold: true }, matching: [2] },
  { rule: 'not on hold', filter: { hold: false }, matching: [1, 3] },
  { rule: 'submitted before now', filter: { submitted: { side: 'before', at: now } }, matching: [1] },
  { rule: 'submitted after now', filter: { submitted: { side: 'after', at: now } }, matching: [2] },
  {
    rule: 'to be attempted within a minute',
    filter: { nextAttempt: { side: 'before', at: now + MINUTE } },
    matching: [1],
  },
  {
    rule: 'to be attempted later than in a minute',
    filter: { nextAttempt: { side: 'after', at: now + MINUTE } },
    matching: [2, 3],
  },
  { rule: 'a transport', filter: { transport: 'relay' }, matching: [2] },
  { rule: 'no transport, which follows the routes', filter: { transport: '' }, matching: [1, 3] },
  { rule: 'a transport that nothing has', filter: { transport: 'bogus' }, matching: [] },
  { rule: 'all at once', filter: { account: 'shop', from: 'ann', to: 'bob', hold: false }, matching: [1] },
]
for (const { rule, filter, matching } of cases) {
  test(`AT-28: the filter for ${rule} matches ${matching.join(', ') || 'nothing'} of three messages`, () => {
    const found = messages.flatMap((row, place) => (matchesFilter(filter, row) ? [place + 1] : []))
    assert.deepEqual(found, matching)
  })
}

const end = (success: boolean, lastActivityAt: number) =>
  queuedMessage({ state: 'done', retired: { success, lastActivityAt, keepUntil: now + HOUR } })
const delivered = end(true, now - MINUTE)
const failed = end(false, now)

const retiredCases: readonly { rule: string; filter: MessageFilter; matching: readonly QueuedMessage[] }[] = [
  { rule: 'success', filter: { success: true }, matching: [delivered] },
  { rule: 'failure', filter: { success: false }, matching: [failed] },
  {
    rule: 'the last activity',
    filter: { lastActivity: { side: 'before', at: now } },
    matching: [delivered],
  },
]
for (const { rule, filter, matching } of retiredCases) {
  test(`AT-28: the filter of retired messages for ${rule}`, () => {
    assert.deepEqual(
      [delivered, failed].filter((row) => matchesFilter(filter, row)),
      matching,
    )
  })
}

function name(account: string, id: QueuedMessage['id']) {
  return { account, id }
}
