import { type Instant, MINUTE, SECOND } from '../base/clock.ts'
import { oneLine } from '../dsn/one-line.ts'
import type { DeliveryOutcome } from '../queue/transport.ts'
import type { SesAnswer } from './ses-client.ts'

/** What an answer of SES is to the message, and until when nothing more should be asked of SES by anybody. */
export interface SesOutcome {
  readonly outcome: DeliveryOutcome
  readonly pauseUntil?: Instant
}

/** A rate that was exceeded passes quickly. */
const THROTTLED_FOR = 5 * SECOND
/** Others must act first, or a day must pass. */
const STOPPED_FOR = 5 * MINUTE
/** SES, or the way to it, is out of order. */
const FAULT_LASTS = MINUTE

const LONGEST_TEXT = 1000

/** What an answer of SES means ("Errors" of SendEmail in the SES API v2 reference). */
export function sesOutcome(answer: SesAnswer, now: Instant): SesOutcome {
  switch (answer.kind) {
    case 'taken':
      return { outcome: handed(answer.messageId) }
    case 'unreached':
      return { outcome: postponed(`SES could not be reached: ${answer.error}`, now + FAULT_LASTS) }
    case 'unknown': {
      const error = oneLine(`it is unknown whether SES has a message: ${answer.error}`, LONGEST_TEXT)
      return { outcome: { kind: 'unknown', code: 0, enhancedCode: '', error, reply: '' } }
    }
    case 'refused':
      return refusal(answer, now)
  }
}

/** SES has it, and tells later how it ended. */
export function handed(messageId: string): Extract<DeliveryOutcome, { readonly kind: 'handed' }> {
  const reply = oneLine(`Ok ${messageId}`, LONGEST_TEXT)
  return { kind: 'handed', code: 250, enhancedCode: '', error: '', reply }
}

function refusal(answer: Extract<SesAnswer, { readonly kind: 'refused' }>, now: Instant): SesOutcome {
  const { status, name, message } = answer
  const text = oneLine(`${name}: ${message}`, LONGEST_TEXT)
  const stop = stopOf(answer)
  if (stop > 0) return { outcome: postponed(text, now + stop), pauseUntil: now + stop }
  if (status >= 500) return { outcome: postponed(text, now + FAULT_LASTS) }
  if (status === 413) return { outcome: failed('permanent', '5.3.4', text) }
  const isOfMessage = name === 'MessageRejected' || name === 'BadRequestException'
  if (isOfMessage && !isOperators(message)) return { outcome: failed('permanent', '5.6.0', text) }
  return { outcome: failed('temporary', '', text) }
}

/** For how long SES takes nothing more of the account; 0 where the refusal is about this message. */
function stopOf({
  status,
  name,
  message,
}: {
  readonly status: number
  readonly name: string
  readonly message: string
}): number {
  if (['AccountSuspendedException', 'SendingPausedException', 'LimitExceededException'].includes(name)) {
    return STOPPED_FOR
  }
  const isThrottled =
    status === 429 || /throttl|TooManyRequests/i.test(name) || /sending rate exceeded/i.test(message)
  if (/daily (message|sending) quota/i.test(message)) return STOPPED_FOR
  return isThrottled ? THROTTLED_FOR : 0
}

/** What an operator can mend at SES: the message waits for that. */
function isOperators(message: string): boolean {
  return /not verified|configuration set|not authorized/i.test(message)
}

function postponed(error: string, until: Instant): DeliveryOutcome {
  return {
    kind: 'postponed',
    code: 0,
    enhancedCode: '',
    error: oneLine(error, LONGEST_TEXT),
    reply: '',
    until,
  }
}

function failed(kind: 'permanent' | 'temporary', enhancedCode: string, error: string): DeliveryOutcome {
  return { kind, code: 0, enhancedCode, error, reply: '' }
}
