import type { Address } from '../address/address.ts'
import { HOUR, SECOND } from '../base/clock.ts'
import { reserveMessages } from '../limits/daily-limits.ts'
import { ApiError } from './api-error.ts'
import type { CallContext } from './call-context.ts'

/** Accepts a message if the account may still send so much today. What is refused for another reason does not count. */
export async function withinDailyLimits<Result>(
  { ports, login }: CallContext,
  recipients: readonly Address[],
  accept: () => Promise<Result>,
): Promise<Result> {
  const reserved = await reserveMessages(ports, login.name, login.account, recipients)
  if (reserved.kind === 'refused') throw limitReached(reserved)
  try {
    const result = await accept()
    await ports.knownRecipients.remember(login.name, reserved.newcomers).catch((error) => {
      // The message is accepted: they will count as new once more.
      ports.log.error('recipients were not remembered', error, { account: login.name })
    })
    return result
  } catch (error) {
    if (error instanceof ApiError) await reserved.giveBack()
    throw error
  }
}

const RETRY_AFTER_SECONDS = HOUR / SECOND

function limitReached(refused: { readonly limit: string; readonly most: number }): ApiError {
  if (refused.limit === 'messages') {
    const text = `the account may send ${refused.most} messages within 24 hours, one for each recipient`
    return new ApiError('messageLimitReached', text, RETRY_AFTER_SECONDS)
  }
  const text = `the account may send to ${refused.most} recipients within 24 hours that it never sent to before`
  return new ApiError('recipientLimitReached', text, RETRY_AFTER_SECONDS)
}
