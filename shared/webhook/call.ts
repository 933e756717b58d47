import { countedAttempts, isClaimable } from '../attempts/attempt-row.ts'
import type { Settlement } from '../attempts/attempt-store.ts'
import { beginAttempt } from '../attempts/begin-attempt.ts'
import type { Hint } from '../attempts/hint-channel.ts'
import { holdInterrupted, isInterruptedTooOften } from '../attempts/interrupted.ts'
import type { Clock, Instant } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { ContentStore } from '../content/content-store.ts'
import { type FailingStore, noteOutcome } from './failing-webhook.ts'
import { retryAfterAt } from './retry-after.ts'
import { nextCallAt } from './retry-schedule.ts'
import { signatureHeaders } from './signature.ts'
import { validSecrets } from './signing-secret.ts'
import type { SigningSecretStore } from './signing-secret-store.ts'
import { notDelivered, supersededEnd } from './superseded.ts'
import { type CallResult, callName, directionOf, type WebhookCall } from './webhook-call.ts'
import type { WebhookAnswer, WebhookSender } from './webhook-sender.ts'
import type { WebhookStore } from './webhook-store.ts'

export interface CallPorts {
  readonly calls: WebhookStore
  readonly content: ContentStore
  readonly signingSecrets: Pick<SigningSecretStore, 'read'>
  readonly failing: FailingStore
  readonly sender: WebhookSender
  readonly clock: Clock
  readonly random: Random
  /** How long a claim holds; longer than the function may run. */
  readonly leaseMs: number
  readonly log: Log
}

const USER_AGENT = 'postern/0 (webhook)'

/**
 * Follows a hint: one attempt to tell the application. Retries are found by the sweep: a queue that keeps the
 * calls to one URL in order cannot delay one of them.
 */
export async function call(ports: CallPorts, hint: Hint): Promise<void> {
  const hinted = await ports.calls.read(hint.account, hint.id)
  const now = ports.clock.now()
  if (!hinted || !isClaimable(hinted, hint.attempt, now)) return
  const { supersededBy } = hinted
  if (supersededBy !== undefined) {
    await ports.calls.cancel(hinted, supersededEnd(hinted, supersededBy, now), supersededBy)
    return
  }
  if (isInterruptedTooOften(hinted, now)) {
    await ports.calls.edit(hinted, { hold: holdInterrupted(ports.log, 'webhook call', hinted, now) })
    return
  }
  const claimed = await beginAttempt({ ...ports, store: ports.calls }, hinted, ports.leaseMs, (begun) => ({
    ...begun,
    status: 'running',
    url: hinted.url,
    response: '',
  }))
  if (!claimed) return

  const body = await bodyOf(ports.content, claimed)
  const headers = { ...headersOf(claimed), ...(await signaturesOf(ports, claimed, body)) }
  const answer = await ports.sender.post({ url: claimed.url, headers, body })
  const settlement = settlementOf(ports, claimed, answer, ports.clock.now())
  // Before the outcome, with which the hint is gone: a success that is not noted could disable the webhook.
  await noteOutcome(ports.failing, claimed, settlement.result)
  await ports.calls.settle(claimed, settlement)
}

async function bodyOf(content: ContentStore, { account, id, body }: WebhookCall): Promise<Uint8Array> {
  if ('json' in body) return Buffer.from(body.json)
  const stored = await content.read(body.stored)
  if (!stored) throw new Error(`the body of webhook call ${account}/${id} is missing`)
  return stored
}

function headersOf(claimed: WebhookCall): Record<string, string> {
  return {
    'User-Agent': USER_AGENT,
    'Content-Type': 'application/json; charset=utf-8',
    'X-Mox-Webhook-ID': String(claimed.id),
    'X-Mox-Webhook-Attempt': String(claimed.attempts),
    ...(claimed.authorization !== '' && { Authorization: claimed.authorization }),
  }
}

/** The secrets are read anew for each attempt, so that one that was ended signs nothing more. */
async function signaturesOf(
  { signingSecrets, clock }: CallPorts,
  claimed: WebhookCall,
  body: Uint8Array,
): Promise<Record<string, string>> {
  const signing = await signingSecrets.read(claimed.account, directionOf(claimed))
  const now = clock.now()
  const secrets = signing ? validSecrets(signing, now) : []
  return signatureHeaders(secrets, { id: callName(claimed), at: now, body })
}

/** RFC 9110 §15.5.11: the receiver wants no more calls. */
const GONE = 410

/**
 * Any 2xx is success; every other answer is tried again until the schedule ends, or the receiver says that it has
 * gone; not before the time that it asks for. A test is over with its first answer.
 */
function settlementOf(
  ports: CallPorts,
  claimed: WebhookCall,
  answer: WebhookAnswer,
  now: Instant,
): Settlement<CallResult> {
  const success = answer.kind === 'answered' && answer.status >= 200 && answer.status < 300
  const startedAt = claimed.results.at(-1)?.startedAt ?? now
  const isOver =
    success || claimed.test !== undefined || (answer.kind === 'answered' && answer.status === GONE)
  const scheduledAt = isOver ? undefined : nextCallAt(countedAttempts(claimed), startedAt, ports.random)
  const wantedAt = answer.kind === 'answered' ? retryAfterAt(answer.retryAfter, now) : undefined
  const nextAt = scheduledAt === undefined ? undefined : Math.max(now, scheduledAt, wantedAt ?? 0)
  const result: CallResult = {
    attempt: claimed.attempts,
    startedAt,
    durationMs: Math.max(0, now - startedAt),
    status: success ? 'success' : nextAt === undefined ? 'permanent' : 'temporary',
    code: answer.kind === 'answered' ? answer.status : 0,
    error: errorOf(answer, success),
    url: claimed.url,
    response: answer.kind === 'answered' ? answer.response : '',
  }
  if (nextAt !== undefined) return { kind: 'retry', result, nextAt }
  return { kind: 'retire', result, retired: { ...notDelivered(claimed, now), success } }
}

function errorOf(answer: WebhookAnswer, success: boolean): string {
  if (answer.kind === 'unreachable') return answer.error
  return success ? '' : `the receiver answered HTTP status ${answer.status}`
}
