import type { AttemptRow } from '../attempts/attempt-row.ts'
import { listRows } from '../attempts/list-rows.ts'
import type { RowLists, RowName } from '../attempts/row-lists.ts'
import type { Clock, Instant } from '../base/clock.ts'
import { inGroups } from '../base/in-groups.ts'
import { type ActionResult, type ActPorts, actOn } from '../queue/act.ts'
import { matchesHoldRule } from '../queue/hold-rules.ts'
import { matchesFilter as matchesMessageFilter } from '../queue/message-filter.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import { actOnCall, type CallActPorts } from '../webhook/act.ts'
import { matchesFilter as matchesCallFilter } from '../webhook/call-filter.ts'
import { type ReplayPorts, replayCall } from '../webhook/replay.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { Operation, OperationStore, Progress } from './operation.ts'

export interface OperationPorts extends ActPorts, Omit<CallActPorts, 'calls'>, Omit<ReplayPorts, 'calls'> {
  readonly calls: CallActPorts['calls'] & ReplayPorts['calls']
  readonly operations: OperationStore
  readonly messageLists: RowLists<QueuedMessage>
  readonly callLists: RowLists<WebhookCall>
  readonly clock: Clock
}

/**
 * Rows of one step: what is done twice at most when its runner dies, and then changes nothing the second time; nor is
 * it counted again, so that what the dead runner did not write down is missing from the counts.
 */
const ROWS_IN_STEP = 100
const ACTS_IN_FLIGHT = 10

/** Carries an operation on, for so many rows or until that time; answers it as this left it. */
export async function runOperation(
  ports: OperationPorts,
  begun: Operation,
  limits: { readonly rows: number; readonly until: Instant },
): Promise<Operation> {
  let operation = begun
  while (operation.state === 'running' && ports.clock.now() < limits.until) {
    if (operation.progress.read - begun.progress.read >= limits.rows) break
    const next = await step(ports, operation)
    // Somebody canceled it, or carries it on too.
    if (!(await ports.operations.advance(operation, next))) break
    operation = next
  }
  return operation
}

async function step(ports: OperationPorts, operation: Operation): Promise<Operation> {
  const { work, id } = operation
  const options = await ports.options.read()
  const { progress, isLast } =
    work.queue === 'messages'
      ? await stepThrough(operation, {
          lists: ports.messageLists,
          which: 'unfinished',
          names: work.filter.names,
          matches: (row) =>
            matchesMessageFilter(work.filter, row) &&
            (!work.rule || matchesHoldRule(options, work.rule, row)),
          act: (name, isMeant) => actOn(ports, name, work.action, id, isMeant),
        })
      : await stepThrough(operation, {
          lists: ports.callLists,
          which: work.action.kind === 'replay' ? 'finished' : 'unfinished',
          names: work.filter.names,
          matches: (row) => matchesCallFilter(work.filter, row),
          act: (name, isMeant) =>
            work.action.kind === 'replay'
              ? replayCall(ports, name, id, isMeant)
              : actOnCall(ports, name, work.action, id, isMeant),
        })
  return { ...operation, movedAt: ports.clock.now(), progress, state: isLast ? 'done' : 'running' }
}

/** One queue's rows: where they are listed, which are meant, and what is done to each. */
interface Rows<Row extends AttemptRow> {
  readonly lists: RowLists<Row>
  readonly which: 'unfinished' | 'finished'
  readonly names: readonly RowName[] | undefined
  readonly matches: (row: Row) => boolean
  readonly act: (name: RowName, isMeant: (row: Row) => boolean) => Promise<ActionResult>
}

async function stepThrough<Row extends AttemptRow>(
  { id, progress, accounts, isDryRun, startedAt }: Operation,
  { lists, which, names, matches, act }: Rows<Row>,
): Promise<{ readonly progress: Progress; readonly isLast: boolean }> {
  const isThere = which === 'finished' ? wasFinished : isUnfinished
  // A row that was given a later time is met again there.
  const isMeant = (row: Row) => isThere(row, startedAt) && !row.operations?.has(id) && matches(row)
  const account = accounts[progress.accountsDone]
  const page = names
    ? { rows: (await lists.readMany(names)).filter(isMeant), read: names.length }
    : await nextPage({ lists, which }, account, progress, isMeant)
  const results = isDryRun ? [] : await inGroups(page.rows, ACTS_IN_FLIGHT, (row) => act(row, isMeant))
  const count = (wanted: ActionResult) => results.filter((result) => result === wanted).length
  const accountsDone = page.next ? progress.accountsDone : progress.accountsDone + 1
  const { after: _before, ...counted } = progress
  return {
    progress: {
      ...counted,
      steps: progress.steps + 1,
      accountsDone,
      ...(page.next && { after: page.next }),
      read: progress.read + page.read,
      matched: progress.matched + page.rows.length,
      changed: progress.changed + count('changed'),
      attempting: progress.attempting + count('attempting'),
      tooLate: progress.tooLate + count('too late'),
    },
    isLast: names !== undefined || accountsDone >= accounts.length,
  }
}

function isUnfinished({ state, queuedAt }: AttemptRow, startedAt: Instant): boolean {
  return state !== 'done' && queuedAt <= startedAt
}

function wasFinished({ retired }: AttemptRow, startedAt: Instant): boolean {
  return retired !== undefined && retired.lastActivityAt <= startedAt
}

async function nextPage<Row extends AttemptRow>(
  { lists, which }: Pick<Rows<Row>, 'lists' | 'which'>,
  account: string | undefined,
  { after }: Progress,
  matches: (row: Row) => boolean,
) {
  return await listRows(lists, {
    accounts: account === undefined ? [] : [account],
    lists: which === 'finished' ? ['retired'] : ['active', 'held'],
    order: { by: 'time', ascending: true },
    ...(after && { after }),
    limit: ROWS_IN_STEP,
    mostRead: ROWS_IN_STEP,
    matches,
  })
}
