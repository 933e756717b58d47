import type { Address } from '../address/address.ts'
import { HOUR, SECOND } from '../base/clock.ts'
import { explainLimit, withinDailyLimits } from '../limits/daily-limits.ts'
import { ApiError } from './api-error.ts'
import type { CallContext } from './call-context.ts'

const RETRY_AFTER_SECONDS = HOUR / SECOND

/** Accepts a message if the account may still send so much today. What is refused for another reason does not count. */
export async function unlessLimitReached<Result>(
  { ports, login }: CallContext,
  recipients: readonly Address[],
  accept: () => Promise<Result>,
): Promise<Result> {
  const accepted = await withinDailyLimits(
    ports,
    login,
    recipients,
    accept,
    (error) => error instanceof ApiError,
  )
  if (accepted.kind === 'accepted') return accepted.result
  const code = accepted.limit === 'messages' ? 'messageLimitReached' : 'recipientLimitReached'
  throw new ApiError(code, explainLimit(accepted), RETRY_AFTER_SECONDS)
}
