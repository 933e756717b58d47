import type { AccountName } from '../account/options.ts'
import { type Instant, MINUTE } from '../base/clock.ts'
import type { WebhookDirection } from './signing-secret.ts'
import { type CallResult, directionOf, type WebhookCall } from './webhook-call.ts'

/** Where calls of one kind go: one URL that failed says nothing of the one that replaced it. */
export interface WebhookName {
  readonly account: AccountName
  readonly direction: WebhookDirection
  readonly url: string
}

/** Attempts that failed one after the other, without a success between them. */
export interface Failing {
  /** When the first of them began. */
  readonly since: Instant
  /** When the last of them began that was noted: failures within ten minutes are noted once. */
  readonly lastAt: Instant
  /** What that one failed of. */
  readonly error: string
}

/** Port: webhooks of which the last attempt failed. */
export interface FailingStore {
  /** As last written; undefined where the last attempt succeeded. */
  read(webhook: WebhookName): Promise<Failing | undefined>
  /** Writes `after` where `before` is still what {@link read} answers; otherwise whoever was faster has noted enough. */
  note(webhook: WebhookName, before: Failing | undefined, after: Failing): Promise<void>
  forget(webhook: WebhookName): Promise<void>
}

const NOTED_EVERY = 10 * MINUTE

/** Notes whether its webhook works, by an attempt of a call: a success ends the failures before it. Tests are not counted. */
export async function noteOutcome(
  failing: FailingStore,
  call: WebhookCall,
  { startedAt, status, error }: CallResult,
): Promise<void> {
  if (call.test !== undefined) return
  const webhook = { account: call.account, direction: directionOf(call), url: call.url }
  const before = await failing.read(webhook)
  if (status === 'success') {
    if (before) await failing.forget(webhook)
  } else if (!before || startedAt - before.lastAt >= NOTED_EVERY) {
    await failing.note(webhook, before, { since: before?.since ?? startedAt, lastAt: startedAt, error })
  }
}
