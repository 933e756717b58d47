import type { OperationJson } from '../../shared/admin/operations.ts'

const nouns = { messages: 'message', webhooks: 'webhook call' } as const

/** What was done to a row, by the name of the action. */
const done: Readonly<Record<string, string>> = {
  hold: 'held',
  release: 'released',
  schedule: 'scheduled',
  postpone: 'postponed',
  fail: 'failed',
  drop: 'dropped',
  cancel: 'canceled',
  replay: 'replayed',
}

/** `1 message`, `12 webhook calls`. */
export function countOf(queue: OperationJson['Queue'], count: number): string {
  return `${count} ${nouns[queue]}${count === 1 ? '' : 's'}`
}

/** How an operation stands or ended, in one line. */
export function outcomeOf(operation: OperationJson): string {
  const { ID, State, Queue, Matched, Attempting } = operation
  const progress = progressOf(operation)
  if (State === 'running') return `${progress} so far; it goes on: postern operation show ${ID}`
  if (State === 'canceled') return `operation ${ID} was canceled: ${progress}`
  if (Matched === 0) return `no ${nouns[Queue]} matches`
  return Attempting > 0 ? `${progress}: try again` : progress
}

/** What an operation has done until now. */
export function progressOf(operation: OperationJson): string {
  const { DryRun, Queue, Matched } = operation
  return DryRun ? `${countOf(Queue, Matched)} would be ${doneBy(operation)}` : changesOf(operation)
}

/** Such as `12 of 14 messages held, 2 were being attempted`. */
function changesOf(operation: OperationJson): string {
  const { Action, Queue, Matched, Changed, Attempting, TooLate } = operation
  const count = Changed === Matched ? countOf(Queue, Matched) : `${Changed} of ${countOf(Queue, Matched)}`
  const same = Matched - Changed - Attempting - TooLate
  return [
    `${count} ${doneBy(operation)}`,
    ...(same > 0 ? [`${same} ${Action === 'replay' ? 'cannot be replayed' : 'needed no change'}`] : []),
    ...(TooLate > 0 ? [`${TooLate} would wait more than 80 days`] : []),
    ...(Attempting > 0 ? [`${Attempting} ${Attempting === 1 ? 'was' : 'were'} being attempted`] : []),
  ].join(', ')
}

function doneBy({ Action }: OperationJson): string {
  return done[Action] ?? 'changed'
}
