import type { Options } from '../account/options.ts'
import { countedAttempts } from '../attempts/attempt-row.ts'
import type { Settlement } from '../attempts/attempt-store.ts'
import { type DelayedHint, LONGEST_DELAY_MS } from '../attempts/hint-channel.ts'
import type { Instant } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import { newOutgoingCall } from '../webhook/outgoing-event.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import type { DeliveryResult, QueuedMessage } from './queued-message.ts'
import { MAX_ATTEMPTS, nextAttemptAt } from './retry-schedule.ts'
import type { DeliveryOutcome } from './transport.ts'

/** What an outcome means for its row, and the event it is for the account. */
export interface Conclusion {
  readonly row: QueuedMessage
  readonly settlement: Settlement<DeliveryResult>
  readonly call: WebhookCall | undefined
}

/**
 * Turns the outcomes of one transaction into what is written: accepted ends well, permanent ends badly, temporary
 * is tried again until {@link MAX_ATTEMPTS}. Rows that retry get the same time, so that they go together again.
 */
export function conclude(
  rows: readonly QueuedMessage[],
  outcomes: readonly DeliveryOutcome[],
  options: Options,
  now: Instant,
  random: Random,
): readonly Conclusion[] {
  const [first] = rows
  if (!first) return []
  const startedAt = first.results.at(-1)?.startedAt ?? now
  const retryAt = Math.max(now, nextAttemptAt(countedAttempts(first), startedAt, random))
  return rows.map((row, place) => {
    const outcome = outcomes[place]
    if (!outcome) throw new Error('the transport left a recipient without an outcome')
    const settlement = settlementOf(row, outcome, options, now, retryAt)
    return { row, settlement, call: callOf(row, settlement, outcome, options, now) }
  })
}

/** One hint brings all rows that retry together; those due later than a hint can wait are the sweep's. */
export function retryHints(conclusions: readonly Conclusion[], now: Instant): readonly DelayedHint[] {
  const retry = conclusions.find(({ settlement }) => settlement.kind === 'retry')
  if (retry?.settlement.kind !== 'retry') return []
  const delayMs = retry.settlement.nextAt - now
  const { account, id, attempts } = retry.row
  return delayMs <= LONGEST_DELAY_MS ? [{ account, id, attempt: attempts + 1, delayMs }] : []
}

function settlementOf(
  row: QueuedMessage,
  outcome: DeliveryOutcome,
  options: Options,
  now: Instant,
  retryAt: Instant,
): Settlement<DeliveryResult> {
  const result = resultOf(row, outcome, now)
  if (outcome.kind === 'temporary' && countedAttempts(row) < MAX_ATTEMPTS) {
    return { kind: 'retry', result, nextAt: retryAt }
  }
  const keepMs = lookUp(options.accounts, row.account)?.keepRetiredMessagesMs ?? 0
  const keepUntil = keepMs > 0 ? now + keepMs : 0
  return {
    kind: 'retire',
    result,
    retired: { success: outcome.kind === 'accepted', lastActivityAt: now, keepUntil },
  }
}

function resultOf(row: QueuedMessage, outcome: DeliveryOutcome, now: Instant): DeliveryResult {
  const running = row.results.at(-1)
  if (!running) throw new Error('a claimed row has a running result')
  return {
    attempt: running.attempt,
    startedAt: running.startedAt,
    durationMs: Math.max(0, now - running.startedAt),
    status: outcome.kind === 'accepted' ? 'success' : outcome.kind,
    code: outcome.code,
    enhancedCode: outcome.enhancedCode,
    error: outcome.kind === 'accepted' ? '' : outcome.error,
  }
}

/** Acceptance reports code 0, as mox does; failures report the remote's words. */
function callOf(
  row: QueuedMessage,
  settlement: Settlement<DeliveryResult>,
  outcome: DeliveryOutcome,
  options: Options,
  now: Instant,
): WebhookCall | undefined {
  const failure = outcome.kind === 'accepted' ? undefined : outcome
  return newOutgoingCall(lookUp(options.accounts, row.account), now, {
    event: settlement.kind === 'retry' ? 'delayed' : failure ? 'failed' : 'delivered',
    dsn: false,
    suppressing: false,
    account: row.account,
    queueMsgId: row.id,
    fromId: row.fromId,
    messageId: row.messageId,
    subject: row.subject,
    smtpCode: failure?.code ?? 0,
    smtpEnhancedCode: failure?.enhancedCode ?? '',
    error: failure?.error ?? '',
    extra: row.extra,
  })
}
