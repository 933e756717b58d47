import assert from 'node:assert/strict'
import type { RowId } from '../../shared/base/row-id.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import type { Message } from './model-message.ts'
import type { QueueModel } from './queue-model.ts'
import type { Observed, World } from './world.ts'

/** Compares all that is stored with the model. Where the product drew a time, the model learns it. */
export async function compare(world: World, model: QueueModel): Promise<void> {
  const messages = [...model.messages.values()]
  const observed = await world.observe(messages.map(({ id }) => id as RowId))
  const found = messages.map((message, place) => foundOf(message, observed, observed.rows[place]))
  assert.deepEqual(found, messages.map(expectedOf), 'messages are stored as the model has them')
  messages.forEach((message, place) => {
    learnTime(message, observed.rows[place]?.nextAt ?? 0)
  })
  const open = messages.filter(({ state, isHeld, owed }) => owed || (state !== 'done' && !isHeld))
  const uncommitted = [...model.uncommitted.values()].flatMap(({ ids }) => ids)
  assert.deepEqual(
    observed.due.toSorted(byNumber),
    [...open.map(({ id }) => id), ...uncommitted].sort(byNumber),
    'the index holds what somebody must look at',
  )
  assert.deepEqual(observed.suppressed.toSorted(), [...model.suppressed].sort(), 'suppressed addresses')
  const received = observed.mails.filter(({ noticeOf }) => noticeOf === undefined)
  assert.equal(received.length, model.received, 'mails that are no notices')
  const incoming = observed.calls.filter(({ event }) => event === 'incoming')
  assert.equal(incoming.length, model.incomingCalls, 'calls about incoming mail')
}

/** What must hold at the end, whatever happened on the way. */
export function compareEnd(model: QueueModel): void {
  for (const { id, isHeld, state, events, notices, acceptedIn, results } of model.messages.values()) {
    const ends = events.filter((event) => /^(delivered|failed|suppressed|canceled) (?!.*DSN)/.test(event))
    const end = ends[0] ?? ''
    assert.equal(ends.length, isHeld ? 0 : 1, `message ${id} ends once, or is on hold`)
    assert.equal(state === 'done', !isHeld)
    const failures = notices.filter((notice) => notice === 'failed').length
    assert.equal(
      failures,
      /^(failed|suppressed)/.test(end) ? 1 : 0,
      `message ${id}: the sender hears of failure once`,
    )
    assert.ok(notices.length - failures <= 1, `message ${id}: the sender hears of delay once`)
    const excused = acceptedIn.filter((attempt) => results.get(attempt) !== 'success')
    assert.ok(acceptedIn.length - excused.length <= 1, `message ${id} goes out once, but for crashes`)
  }
}

interface Comparable {
  readonly id: number
  readonly state: string
  readonly isHeld: boolean
  readonly attempts: number
  readonly leaseEndsAt: number | undefined
  readonly owed: string | undefined
  readonly isSuccess: boolean | undefined
  readonly results: readonly string[]
  readonly events: readonly string[]
  readonly notices: readonly string[]
}

function expectedOf(message: Message): Comparable {
  const { id, state, isHeld, attempts, lease, owed, isSuccess, results, otherResults, events, notices } =
    message
  return {
    id,
    state,
    isHeld,
    attempts,
    leaseEndsAt: lease?.endsAt,
    owed: owed?.notice,
    isSuccess,
    results: [...[...results].map(([attempt, status]) => `${attempt} ${status}`), ...otherResults].sort(),
    events: events.toSorted(),
    notices: notices.toSorted(),
  }
}

function foundOf({ id }: Message, { calls, mails }: Observed, row: QueuedMessage | undefined): Comparable {
  const events = calls.filter(({ json }) => json.QueueMsgID === id).map(({ json }) => json)
  const notices = mails.filter(({ noticeOf }) => noticeOf === id).map(({ subject }) => subject)
  return {
    id,
    state: row?.state ?? 'absent',
    isHeld: row?.hold !== undefined,
    attempts: row?.attempts ?? 0,
    leaseEndsAt: row?.lease?.endsAt,
    owed: row?.owed,
    isSuccess: row?.retired?.success,
    results: (row?.results ?? [])
      .map(({ attempt, status, late }) => `${attempt} ${status}${late ? ', late' : ''}`)
      .sort(),
    events: events
      .map(
        ({ Event, SMTPCode, Suppressing, DSN }) =>
          `${Event} ${SMTPCode}${Suppressing ? ' suppressing' : ''}${DSN ? ' by DSN' : ''}`,
      )
      .sort(),
    notices: notices.map((subject) => subject.replace('mail delivery ', '')).sort(),
  }
}

function learnTime(message: Message, nextAt: number): void {
  const { from, to } = message.nextAt
  assert.ok(from <= nextAt && nextAt <= to, `message ${message.id}: ${nextAt} is not from ${from} to ${to}`)
  message.nextAt = { from: nextAt, to: nextAt }
}

function byNumber(one: number, other: number): number {
  return one - other
}
