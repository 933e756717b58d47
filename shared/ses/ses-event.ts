import * as z from 'zod/mini'
import type { Instant } from '../base/clock.ts'
import { oneLine } from '../dsn/one-line.ts'
import { describeRecipient } from '../dsn/recipient.ts'
import { parseSesTags, type SesAttempt } from './ses-tags.ts'

/** What SES tells of a message that it was given. */
export interface SesEvent extends SesAttempt {
  /** The same whenever the event comes. */
  readonly eventId: string
  readonly at: Instant
  /** SES's own name of the message. */
  readonly messageId: string
  readonly news: SesNews
}

/** What became of the message. */
export interface SesNews {
  /**
   * `taken`: SES has it. `delivered`: the recipient's server has it. `delayed`: SES goes on trying. `bounced`: SES has
   * given up, whatever class the code is of. `rejected`: SES has not even tried. `complained`: the recipient calls it
   * unwanted.
   */
  readonly kind: 'taken' | 'delivered' | 'delayed' | 'bounced' | 'rejected' | 'complained'
  /** The reply code of the recipient's server, or 400 or 500 where only its class is known; 0 where nothing is. */
  readonly code: number
  /** RFC 3463; empty where nothing is known. */
  readonly enhancedCode: string
  /** Of one line. */
  readonly text: string
}

const recipient = z.looseObject({
  status: z.optional(z.string()),
  diagnosticCode: z.optional(z.string()),
})
const detail = z.looseObject({
  eventType: z.optional(z.string()),
  mail: z.looseObject({
    messageId: z.string(),
    tags: z.record(z.string(), z.array(z.string())),
  }),
  bounce: z.optional(
    z.looseObject({
      bounceType: z.optional(z.string()),
      bounceSubType: z.optional(z.string()),
      bouncedRecipients: z._default(z.array(recipient), []),
      feedbackId: z.optional(z.string()),
    }),
  ),
  delivery: z.optional(z.looseObject({ smtpResponse: z._default(z.string(), '') })),
  deliveryDelay: z.optional(
    z.looseObject({
      delayType: z._default(z.string(), ''),
      delayedRecipients: z._default(z.array(recipient), []),
    }),
  ),
  complaint: z.optional(
    z.looseObject({
      complaintFeedbackType: z.nullish(z.string()),
      feedbackId: z.optional(z.string()),
    }),
  ),
  reject: z.optional(z.looseObject({ reason: z._default(z.string(), '') })),
  failure: z.optional(z.looseObject({ errorMessage: z._default(z.string(), '') })),
})
const envelope = z.looseObject({ id: z.string(), time: z.iso.datetime(), 'detail-type': z.string(), detail })

type Detail = z.infer<typeof detail>

/**
 * Reads an event of SES as EventBridge hands it on ("Event data examples" in the SES Developer Guide), or says what
 * keeps it from being ours.
 */
export function readSesEvent(text: string): SesEvent | { readonly problem: string } {
  const read = envelope.safeParse(parseJson(text))
  if (!read.success) {
    const [issue] = read.error.issues
    return {
      problem: `not an event of SES: ${issue?.path.join('.') || 'it'} is ${issue?.message ?? 'wrong'}`,
    }
  }
  const { id, time, detail: told, 'detail-type': type } = read.data
  const attempt = parseSesTags(told.mail.tags)
  if (!attempt) return { problem: 'its message has not the tags of an attempt of ours' }
  const news = newsOf(told.eventType ?? type, told)
  if (!news) return { problem: `events of the type ${oneLine(told.eventType ?? type, 100)} tell nothing` }
  const eventId = told.bounce?.feedbackId ?? told.complaint?.feedbackId ?? id
  return { ...attempt, eventId, at: Date.parse(time), messageId: told.mail.messageId, news }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** By what SES calls the event, or else by what EventBridge does. */
function newsOf(type: string, told: Detail): SesNews | undefined {
  switch (type) {
    case 'Send':
    case 'Email Sent':
      return { kind: 'taken', ...withoutCodes('') }
    case 'Delivery':
    case 'Email Delivered':
      return { kind: 'delivered', ...replyOf(told.delivery?.smtpResponse ?? '') }
    case 'Bounce':
    case 'Email Bounced':
      return { kind: 'bounced', ...bounceOf(told.bounce) }
    case 'DeliveryDelay':
    case 'Email Delivery Delayed':
      return { kind: 'delayed', ...delayOf(told.deliveryDelay) }
    case 'Complaint':
    case 'Email Complaint Received':
      return { kind: 'complained', ...complaintOf(told.complaint) }
    case 'Reject':
    case 'Email Rejected':
      return { kind: 'rejected', ...withoutCodes(`SES rejected it: ${told.reject?.reason ?? ''}`) }
    case 'Rendering Failure':
    case 'Email Rendering Failed':
      return {
        kind: 'rejected',
        ...withoutCodes(`SES could not render it: ${told.failure?.errorMessage ?? ''}`),
      }
    default:
      return undefined
  }
}

const LONGEST_TEXT = 1000

type Told = Omit<SesNews, 'kind'>

function withoutCodes(text: string): Told {
  return { code: 0, enhancedCode: '', text: oneLine(text, LONGEST_TEXT) }
}

/** What the recipient's server said when it took the message. */
function replyOf(response: string): Told {
  const [, code = '0', enhancedCode = '', text = response] =
    /^(\d{3})[ -](?:(\d\.\d{1,3}\.\d{1,3}) )?(.*)$/s.exec(response) ?? []
  return { code: Number(code), enhancedCode, text: oneLine(text, LONGEST_TEXT) }
}

/** SES's own suppression list keeps only addresses that do not exist, or whose owners complained. */
const SUPPRESSED = new Set(['Suppressed', 'OnAccountSuppressionList'])

function bounceOf(bounce: Detail['bounce']): Told {
  const { bounceType = '', bounceSubType = '', bouncedRecipients: [bounced] = [] } = bounce ?? {}
  const status =
    bounced?.status ??
    (SUPPRESSED.has(bounceSubType) ? '5.1.1' : bounceType === 'Permanent' ? '5.0.0' : '4.0.0')
  return codesOf('failed', { ...bounced, status }, `${bounceType} ${bounceSubType}`)
}

/** `diagnosticCode` is a Diagnostic-Code (RFC 3464 §2.3.6), and `status` a Status (§2.3.4). */
function codesOf(
  action: 'failed' | 'delayed',
  claim: z.infer<typeof recipient> | undefined,
  otherwise: string,
): Told {
  const diagnostic = (claim?.diagnosticCode ?? '').replace(/^\s*[\w-]+\s*;\s*/, '')
  const {
    code,
    enhancedCode,
    diagnostic: text,
  } = describeRecipient({
    finalRecipient: '',
    action,
    diagnostic: diagnostic || `SES says: ${otherwise.trim() || action}`,
    reply: diagnostic,
    ...(claim?.status !== undefined && { status: claim.status }),
  })
  return { code, enhancedCode, text }
}

function delayOf(delay: Detail['deliveryDelay']): Told {
  return codesOf('delayed', delay?.delayedRecipients[0], delay?.delayType ?? '')
}

function complaintOf(complaint: Detail['complaint']): Told {
  const type = complaint?.complaintFeedbackType ?? ''
  return withoutCodes(`complaint of the recipient${type === '' ? '' : `: ${type}`}`)
}
