import type { Options } from '../account/options.ts'
import { countedAttempts } from '../attempts/attempt-row.ts'
import type { Settlement } from '../attempts/attempt-store.ts'
import type { DelayedHint } from '../attempts/hint-channel.ts'
import { HOUR, type Instant, SECOND } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { suppressionFor } from '../suppression/decide.ts'
import type { Standing } from '../suppression/suppression.ts'
import type { WebhookCall } from '../webhook/webhook-call.ts'
import { callAbout, retiredNow } from './ending.ts'
import type { Evidence } from './evidence.ts'
import { nextHintsInLane } from './lanes.ts'
import type { Effects } from './queue-store.ts'
import { type DeliveryResult, type NoticeKind, type QueuedMessage, wantsNotice } from './queued-message.ts'
import { DELAY_NOTICE_AFTER, MAX_ATTEMPTS, nextAttemptAt } from './retry-schedule.ts'
import type { DeliveryOutcome, Suppressed } from './transport.ts'

/** What an outcome means for its row, and what else is written with it. */
export interface Conclusion {
  readonly row: QueuedMessage
  readonly settlement: Settlement<DeliveryResult>
  readonly effects: Effects
}

/** One transaction's outcomes, in the order of its rows, and what is known besides. */
export interface Outcomes {
  readonly rows: readonly QueuedMessage[]
  /** A recipient that the transport left without one is a fault of ours, which ends the attempt as interrupted. */
  readonly outcomes: readonly (DeliveryOutcome | Suppressed | undefined)[]
  readonly standings: readonly Standing[]
  readonly options: Options
  readonly now: Instant
  readonly random: Random
}

/**
 * Turns the outcomes of one transaction into what is written: accepted ends well, permanent and suppressed end
 * badly, temporary is tried again until {@link MAX_ATTEMPTS}, handed waits for what is told later. Rows that retry get
 * the same time, so that they go together again. Of what is unknown there is nothing to write.
 */
export function conclude(ended: Outcomes): readonly Conclusion[] {
  const { rows, outcomes, standings, options, now, random } = ended
  const [first] = rows
  if (!first) return []
  const startedAt = first.results.at(-1)?.startedAt ?? now
  const retryAt = Math.max(now, nextAttemptAt(countedAttempts(first), startedAt, random))
  return rows.flatMap((row, place) => {
    const [outcome, standing] = [outcomes[place], standings[place]]
    if (!outcome || !standing) throw new Error('every recipient needs an outcome and a standing')
    if (outcome.kind === 'unknown') return []
    const settlement = settlementOf(row, outcome, options, now, retryAt)
    return [{ row, settlement, effects: effectsOf({ row, outcome, standing, settlement, options, now }) }]
  })
}

/** What is written down: not that nobody knows. */
type KnownOutcome = Exclude<DeliveryOutcome, { readonly kind: 'unknown' }> | Suppressed

/** How long a next hop that has a message may take to tell how it ended: SES tries for 14 hours. */
const TOLD_WITHIN = 26 * HOUR

/** The row as its outcome leaves it: an end takes back what the row still owed. */
export function asSettled({ row, settlement, effects }: Conclusion): QueuedMessage {
  const { owed: before, ...rest } = row
  const owed = effects.notice ?? (settlement.kind === 'retire' ? undefined : before)
  const current = currentResult(row)
  return {
    ...rest,
    results: row.results.map((result) => (result === current ? settlement.result : result)),
    ...(settlement.kind !== 'retire' && { nextAt: settlement.nextAt }),
    ...(owed && { owed }),
  }
}

/**
 * One hint brings all rows that retry together, the last of them first: a recipient that silences the server takes
 * the others of a session along, but not twice. Those due later than a hint can wait are the sweep's.
 */
export function retryHints(
  options: Options,
  conclusions: readonly Conclusion[],
  now: Instant,
): readonly DelayedHint[] {
  const retry = conclusions.findLast(({ settlement }) => settlement.kind === 'retry')
  return retry ? nextHintsInLane(options, asSettled(retry), now) : []
}

function settlementOf(
  row: QueuedMessage,
  outcome: KnownOutcome,
  options: Options,
  now: Instant,
  retryAt: Instant,
): Settlement<DeliveryResult> {
  const result = resultOf(currentResult(row), outcome, now)
  if (outcome.kind === 'handed') return { kind: 'hand', result, nextAt: now + TOLD_WITHIN }
  if (outcome.kind === 'postponed') {
    return { kind: 'retry', result, nextAt: Math.max(now + patienceMs(row), outcome.until) }
  }
  if (outcome.kind === 'temporary' && countedAttempts(row) < MAX_ATTEMPTS) {
    return { kind: 'retry', result, nextAt: retryAt }
  }
  return { kind: 'retire', result, retired: retiredNow(options, row, outcome.kind === 'accepted', now) }
}

/**
 * Being put off is no attempt, so that nothing ends it but the age of the message, and its results all stay in the row,
 * which has room for some hundreds: whoever is put off again and again comes back ever less often.
 */
function patienceMs({ results }: QueuedMessage): number {
  const times = results.filter(({ status }) => status === 'postponed').length
  return times < PUT_OFF_LIGHTLY ? 0 : Math.min(LONGEST_PATIENCE, 2 ** (times - PUT_OFF_LIGHTLY) * SECOND)
}

const PUT_OFF_LIGHTLY = 20
const LONGEST_PATIENCE = 2 * HOUR

/** The result of an attempt that began as `running`, and ended so. */
export function resultOf(
  running: DeliveryResult | undefined,
  outcome: KnownOutcome,
  now: Instant,
): DeliveryResult {
  if (!running) throw new Error('a claimed row has a running result')
  return {
    attempt: running.attempt,
    startedAt: running.startedAt,
    durationMs: Math.max(0, now - running.startedAt),
    status: statusOf(outcome),
    code: outcome.code,
    enhancedCode: outcome.enhancedCode,
    error: outcome.kind === 'accepted' ? '' : outcome.error,
    ...evidenceOf(outcome),
  }
}

/** That of the last attempt; notifications about it may follow. */
export function currentResult({ attempts, results }: QueuedMessage): DeliveryResult | undefined {
  return results.findLast(({ attempt, notification }) => attempt === attempts && notification === undefined)
}

function evidenceOf(outcome: KnownOutcome): Evidence {
  if (outcome.kind === 'suppressed') return { reply: '' }
  const { reply, remote, transcript } = outcome
  return { reply, ...(remote && { remote }), ...(transcript && { transcript }) }
}

function statusOf({ kind }: KnownOutcome): DeliveryResult['status'] {
  if (kind === 'accepted') return 'success'
  return kind === 'suppressed' ? 'permanent' : kind
}

/** One row's end and what is known of it. */
interface Ended {
  readonly row: QueuedMessage
  readonly outcome: KnownOutcome
  readonly standing: Standing
  readonly settlement: Settlement<DeliveryResult>
  readonly options: Options
  readonly now: Instant
}

/**
 * A retry only tells; an end also counts, and may put the recipient on the suppression list, unless the remote has no part
 * in it.
 */
function effectsOf(ended: Ended): Effects {
  const { row, outcome, standing, settlement, now } = ended
  if (outcome.kind === 'handed' || outcome.kind === 'postponed') return {}
  if (settlement.kind === 'retry') {
    const isLate = countedAttempts(row) === DELAY_NOTICE_AFTER
    return { ...callOf(ended, false), ...(isLate && noticeOf(row, 'delayed')) }
  }
  if (outcome.kind === 'accepted') {
    const hadFailures = standing.failuresInARow > 0
    const told = { ...callOf(ended, false), ...(!outcome.givesNotices && noticeOf(row, 'relayed')) }
    return { ...told, ...(hadFailures && { history: { ended: 'delivered', at: now } }) }
  }
  const told: Effects = { ...callOf(ended, false), ...noticeOf(row, 'failed') }
  if ('isOurs' in outcome) return told
  const otherwise: Effects = { ...told, history: { ended: 'failed', at: now } }
  const failure = { account: row.account, recipient: row.recipient, at: now, salt: row.id, ...outcome }
  const suppression = suppressionFor({ ...failure, source: 'queue' }, standing)
  return suppression ? { ...otherwise, ...callOf(ended, true), suppression, otherwise } : otherwise
}

function noticeOf(row: QueuedMessage, notice: NoticeKind): Pick<Effects, 'notice'> {
  return wantsNotice(row, notice) ? { notice } : {}
}

/** Acceptance reports code 0, as mox does; failures report the remote's words. */
function callOf(ended: Ended, suppressing: boolean): { readonly call?: WebhookCall } {
  const { row, outcome, options, now } = ended
  const failure = outcome.kind === 'accepted' ? undefined : outcome
  return callAbout(options, row, now, {
    event: eventOf(ended),
    suppressing,
    smtpCode: failure?.code ?? 0,
    smtpEnhancedCode: failure?.enhancedCode ?? '',
    error: failure?.error ?? '',
  })
}

function eventOf({ outcome, settlement }: Ended): 'delivered' | 'delayed' | 'suppressed' | 'failed' {
  if (settlement.kind === 'retry') return 'delayed'
  if (outcome.kind === 'accepted') return 'delivered'
  return outcome.kind === 'suppressed' ? 'suppressed' : 'failed'
}
