import type { OptionsStore } from '../account/options-store.ts'
import { type Hold, isUnclaimed } from '../attempts/attempt-row.ts'
import type { HintChannel } from '../attempts/hint-channel.ts'
import type { RowName } from '../attempts/row-lists.ts'
import type { Clock, Instant } from '../base/clock.ts'
import type { RowId } from '../base/row-id.ts'
import { type ContentStore, queueContent } from '../content/content-store.ts'
import { callHint } from '../webhook/webhook-call.ts'
import { callAbout, retiredNow } from './ending.ts'
import { hintInLane, nextHintsInLane } from './lanes.ts'
import type { Effects, QueueStore } from './queue-store.ts'
import {
  contentKeptUntil,
  LONGEST_WAIT_MS,
  type MessageEdit,
  type QueuedMessage,
  wantsNotice,
} from './queued-message.ts'

/** What an operator does to an unfinished message. */
export type MessageAction =
  | { readonly kind: 'hold'; readonly reason: string }
  | { readonly kind: 'release' }
  | { readonly kind: 'fail' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'schedule'; readonly at: Instant }
  | { readonly kind: 'postpone'; readonly byMs: number }
  | { readonly kind: 'transport'; readonly transport: string }
  | { readonly kind: 'requireTls'; readonly requireTls: boolean | 'no wish' }

/**
 * What came of it: `unchanged` where it is so already or the message is done; `attempting` where a worker, or the next
 * hop, has it now and would undo the change; `too late` for a time beyond {@link LONGEST_WAIT_MS}.
 */
export type ActionResult = 'changed' | 'unchanged' | 'attempting' | 'too late'

export interface ActPorts {
  readonly queue: Pick<QueueStore, 'read' | 'edit' | 'cancel' | 'keepDecision'>
  readonly content: Pick<ContentStore, 'keep'>
  readonly options: Pick<OptionsStore, 'read'>
  readonly deliveries: HintChannel
  readonly webhooks: HintChannel
  readonly clock: Clock
}

const MOST_RACES = 5

/**
 * Acts on one message, as it is now; one that `isMeant` no longer holds for is left alone. `by` names the
 * operation: repeated, it changes nothing more.
 */
export async function actOn(
  ports: ActPorts,
  { account, id }: RowName,
  action: MessageAction,
  by: RowId,
  isMeant: (row: QueuedMessage) => boolean,
): Promise<ActionResult> {
  for (let race = 0; race < MOST_RACES; race++) {
    const row = await ports.queue.read(account, id)
    if (!row || row.state === 'done' || !isMeant(row)) return 'unchanged'
    const result =
      action.kind === 'fail' || action.kind === 'drop'
        ? await cancel(ports, row, action.kind, by)
        : await edit(ports, row, action, by)
    if (result) return result
  }
  return 'attempting'
}

/** Puts a message on hold, with all that it needs for the time of the hold; undefined when it changed meanwhile. */
export async function holdMessage(
  ports: Pick<ActPorts, 'queue' | 'content'>,
  row: QueuedMessage,
  hold: Hold,
  by?: RowId,
): Promise<QueuedMessage | undefined> {
  await keepContent(ports, { ...row, hold })
  return await ports.queue.edit(row, { hold }, by)
}

async function edit(
  ports: ActPorts,
  row: QueuedMessage,
  action: Exclude<MessageAction, { readonly kind: 'fail' } | { readonly kind: 'drop' }>,
  by: RowId,
): Promise<ActionResult | undefined> {
  const now = ports.clock.now()
  if (row.state === 'handed') return 'attempting'
  if (action.kind === 'hold') {
    if (row.hold) return 'unchanged'
    return (await holdMessage(ports, row, { reason: action.reason, since: now }, by)) && 'changed'
  }
  if (action.kind === 'release' && !row.hold) return 'unchanged'
  const changes = editOf(row, action, now)
  if (changes.nextAt !== undefined) {
    if (!isUnclaimed(row, now)) return 'attempting'
    if (changes.nextAt > row.queuedAt + LONGEST_WAIT_MS) return 'too late'
    await keepContent(ports, { ...row, nextAt: changes.nextAt })
  }
  const edited = await ports.queue.edit(row, changes, by)
  if (edited) await ports.deliveries.send(nextHintsInLane(await ports.options.read(), edited, now))
  return edited && 'changed'
}

function editOf(
  row: QueuedMessage,
  action: Extract<
    MessageAction,
    { readonly kind: 'release' | 'schedule' | 'postpone' | 'transport' | 'requireTls' }
  >,
  now: Instant,
): MessageEdit {
  switch (action.kind) {
    case 'release':
      return { releasedAt: now }
    case 'schedule':
      return { nextAt: action.at }
    case 'postpone':
      return { nextAt: row.nextAt + action.byMs }
    case 'transport':
      return { transport: action.transport }
    case 'requireTls':
      return { requireTls: action.requireTls }
  }
}

/** A message that waits long must find its content, and what was decided about its Send, when its time comes. */
async function keepContent(
  { queue, content }: Pick<ActPorts, 'queue' | 'content'>,
  row: QueuedMessage,
): Promise<void> {
  const until = contentKeptUntil(row)
  await content.keep(queueContent(row.base), until)
  if (row.recipients > 1) await queue.keepDecision(row.base, until)
}

/** `fail` tells the sender, `drop` only the application. */
async function cancel(
  ports: ActPorts,
  row: QueuedMessage,
  kind: 'fail' | 'drop',
  by: RowId,
): Promise<ActionResult | undefined> {
  const now = ports.clock.now()
  if (!isUnclaimed(row, now)) return 'attempting'
  const options = await ports.options.read()
  const error = kind === 'fail' ? 'failed by an operator' : 'dropped by an operator'
  const result = {
    attempt: row.attempts,
    startedAt: now,
    durationMs: 0,
    status: 'permanent',
    code: 0,
    enhancedCode: '',
    error,
    reply: '',
  } as const
  const event = kind === 'fail' ? 'failed' : 'canceled'
  const effects: Effects = {
    ...callAbout(options, row, now, { event, suppressing: false, smtpCode: 0, smtpEnhancedCode: '', error }),
    history: { ended: 'failed', at: now },
    ...(kind === 'fail' && wantsNotice(row, 'failed') && { notice: 'failed' }),
  }
  const retired = retiredNow(options, row, false, now)
  const settled = await ports.queue.cancel(row, { kind: 'retire', result, retired }, effects, by)
  if (!settled) return undefined
  if (settled.call) await ports.webhooks.send([callHint(settled.call)])
  // Whoever follows it finds the notice owed.
  if (effects.notice) await ports.deliveries.send([hintInLane(options, row)])
  return 'changed'
}
