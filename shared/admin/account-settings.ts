import * as z from 'zod/mini'
import type { Account, IncomingWebhook, OutgoingWebhook } from '../account/options.ts'
import { DAY, formatInstant } from '../base/clock.ts'
import { dailyLimits } from '../limits/daily-limits.ts'
import { outgoingEvents } from '../webhook/outgoing-event.ts'
import { isWebhookPort, WEBHOOK_PORT_RULE } from '../webhook/webhook-url.ts'
import { plainText } from './fields.ts'
import { RequestError } from './request.ts'

/** The settings of an account, in answers; what is sent as Authorization is never shown. */
export interface AccountSettingsJson {
  readonly FullName: string
  readonly OutgoingWebhook: OutgoingWebhookJson | null
  readonly IncomingWebhook: IncomingWebhookJson | null
  readonly FromIDLoginAddresses: readonly string[]
  /** Nanoseconds, as mox has it. */
  readonly KeepRetiredMessagePeriod: number
  /** Nanoseconds. */
  readonly KeepRetiredWebhookPeriod: number
  /** Within 24 hours; 0 is without limit. */
  readonly MaxOutgoingMessagesPerDay: number
  /** Within 24 hours; 0 is without limit. */
  readonly MaxFirstTimeRecipientsPerDay: number
  /** Octets of stored mail; 0 is without limit. */
  readonly QuotaMessageSize: number
  readonly LoginDisabled: string
}

/** Where the account hears of received mail. */
interface IncomingWebhookJson {
  readonly URL: string
  readonly AuthorizationSet: boolean
  /** After so many days of nothing but failures it is disabled; null is never. */
  readonly DisableAfterDays: number | null
  /** When it was disabled; null while it is enabled. */
  readonly DisabledAt: string | null
}

/** Where the account hears of deliveries; an empty list of events means all. */
interface OutgoingWebhookJson extends IncomingWebhookJson {
  readonly Events: readonly string[]
  /** Otherwise a later event of the same message takes the place of one that was not told yet. */
  readonly KeepEveryEvent: boolean
}

const NANOSECONDS = 1_000_000
const LONGEST_PERIOD_MS = 3650 * DAY
const LONGEST_URL = 2048

/** Where webhook calls may go. */
export const webhookUrl = z
  .string()
  .check(
    z.refine(
      isWebhookUrl,
      `must be an http or https URL of at most ${LONGEST_URL} characters without user name, fragment, spaces or control characters`,
    ),
    z.refine(hasWebhookPort, `the port ${WEBHOOK_PORT_RULE}`),
  )
/** What they may carry as Authorization; empty sends none. */
export const authorization = z
  .string()
  .check(
    z.refine(
      (text) => /^[\x20-\x7e]{0,2048}$/.test(text),
      'must be at most 2048 characters of printable ASCII',
    ),
  )
const period = z
  .number()
  .check(z.refine(isPeriod, 'must be nanoseconds, in whole milliseconds, from 0 to 10 years'))

const dailyLimit = z
  .int()
  .check(z.refine((limit) => limit >= 0, 'must be a whole number, 0 for no limit, or null for the default'))

const quota = z
  .int()
  .check(z.refine((octets) => octets >= 0, 'must be a whole number of octets, or 0 for no limit'))

const MOST_DISABLE_DAYS = 30
const disableAfterDays = z
  .number()
  .check(
    z.refine(
      (days) => Number.isInteger(days) && days >= 1 && days <= MOST_DISABLE_DAYS,
      `must be a whole number of days from 1 to ${MOST_DISABLE_DAYS}, or null for never`,
    ),
  )

/** Null as `DisabledAt` enables the webhook. */
const incomingWebhook = z.strictObject({
  URL: z.optional(webhookUrl),
  Authorization: z.optional(authorization),
  DisableAfterDays: z.optional(z.nullable(disableAfterDays)),
  DisabledAt: z.optional(z.null()),
})
const outgoingWebhook = z.extend(incomingWebhook, {
  Events: z.optional(z.array(z.enum(outgoingEvents))),
  KeepEveryEvent: z.optional(z.boolean()),
})

/** The settings that a request can name; what it does not name stays as it is (RFC 7396), also within a webhook. */
export const accountChange = z.strictObject({
  FullName: z.optional(plainText(200)),
  OutgoingWebhook: z.optional(z.nullable(outgoingWebhook)),
  IncomingWebhook: z.optional(z.nullable(incomingWebhook)),
  FromIDLoginAddresses: z.optional(z.array(z.string())),
  KeepRetiredMessagePeriod: z.optional(period),
  KeepRetiredWebhookPeriod: z.optional(period),
  MaxOutgoingMessagesPerDay: z.optional(z.nullable(dailyLimit)),
  MaxFirstTimeRecipientsPerDay: z.optional(z.nullable(dailyLimit)),
  QuotaMessageSize: z.optional(quota),
  LoginDisabled: z.optional(plainText(500)),
})

/** What {@link accountChange} reads. */
export type AccountChange = z.output<typeof accountChange>

/** The account with the named settings changed; throws {@link RequestError} for a new webhook without URL. */
export function changedAccount(before: Account, change: AccountChange): Account {
  const outgoing = changedOutgoing(before.outgoingWebhook, change.OutgoingWebhook)
  const incoming = changedWebhook('IncomingWebhook', before.incomingWebhook, change.IncomingWebhook)
  return {
    fullName: change.FullName ?? before.fullName,
    ...(outgoing && { outgoingWebhook: outgoing }),
    ...(incoming && { incomingWebhook: incoming }),
    fromIdLoginAddresses: change.FromIDLoginAddresses ?? before.fromIdLoginAddresses,
    keepRetiredMessagesMs: milliseconds(change.KeepRetiredMessagePeriod) ?? before.keepRetiredMessagesMs,
    keepRetiredWebhooksMs: milliseconds(change.KeepRetiredWebhookPeriod) ?? before.keepRetiredWebhooksMs,
    ...changedLimit('maxOutgoingMessagesPerDay', before, change.MaxOutgoingMessagesPerDay),
    ...changedLimit('maxFirstTimeRecipientsPerDay', before, change.MaxFirstTimeRecipientsPerDay),
    ...changedQuota(before, change.QuotaMessageSize),
    loginDisabled: change.LoginDisabled ?? before.loginDisabled,
    ...(before.routes && { routes: before.routes }),
  }
}

/** Writes the settings of an account. */
export function accountSettingsJson(account: Account): AccountSettingsJson {
  const { outgoingWebhook: outgoing, incomingWebhook: incoming } = account
  const limits = dailyLimits(account)
  return {
    FullName: account.fullName,
    OutgoingWebhook: outgoing ? outgoingJson(outgoing) : null,
    IncomingWebhook: incoming ? webhookJson(incoming) : null,
    FromIDLoginAddresses: account.fromIdLoginAddresses,
    KeepRetiredMessagePeriod: account.keepRetiredMessagesMs * NANOSECONDS,
    KeepRetiredWebhookPeriod: account.keepRetiredWebhooksMs * NANOSECONDS,
    MaxOutgoingMessagesPerDay: limits.messages,
    MaxFirstTimeRecipientsPerDay: limits.firstTimeRecipients,
    QuotaMessageSize: account.quotaOctets ?? 0,
    LoginDisabled: account.loginDisabled,
  }
}

/** Null goes back to the default. */
function changedLimit(
  name: 'maxOutgoingMessagesPerDay' | 'maxFirstTimeRecipientsPerDay',
  before: Account,
  change: number | null | undefined,
): Partial<Account> {
  const limit = change === undefined ? before[name] : change
  return limit === undefined || limit === null ? {} : { [name]: limit }
}

function changedQuota({ quotaOctets }: Account, change: number | undefined): Partial<Account> {
  const quota = change ?? quotaOctets ?? 0
  return quota === 0 ? {} : { quotaOctets: quota }
}

function changedOutgoing(
  before: OutgoingWebhook | undefined,
  change: AccountChange['OutgoingWebhook'],
): OutgoingWebhook | undefined {
  const webhook = changedWebhook('OutgoingWebhook', before, change)
  const keepsEveryEvent = change?.KeepEveryEvent ?? before?.keepsEveryEvent ?? false
  const events = change?.Events ?? before?.events ?? []
  return webhook && { ...webhook, events, ...(keepsEveryEvent && { keepsEveryEvent }) }
}

function changedWebhook(
  field: string,
  before: IncomingWebhook | undefined,
  change: AccountChange['IncomingWebhook'],
): IncomingWebhook | undefined {
  if (change === undefined) return before
  if (change === null) return undefined
  const url = change.URL ?? before?.url
  if (url === undefined) throw new RequestError(`${field}.URL`, 'is required')
  const days = change.DisableAfterDays === undefined ? before?.disableAfterDays : change.DisableAfterDays
  const disabledAt = isEnabling(change) ? undefined : before?.disabledAt
  return {
    url,
    authorization: change.Authorization ?? before?.authorization ?? '',
    ...(typeof days === 'number' && { disableAfterDays: days }),
    ...(disabledAt !== undefined && { disabledAt }),
  }
}

/** Whether a webhook begins anew: its URL is set, also to what it was, or it is enabled by name. */
export function isEnabling({ URL, DisabledAt }: NonNullable<AccountChange['IncomingWebhook']>): boolean {
  return URL !== undefined || DisabledAt === null
}

function outgoingJson(webhook: OutgoingWebhook): OutgoingWebhookJson {
  const { events, keepsEveryEvent = false } = webhook
  return { ...webhookJson(webhook), Events: events, KeepEveryEvent: keepsEveryEvent }
}

function webhookJson({ url, authorization, ...more }: IncomingWebhook): IncomingWebhookJson {
  return {
    URL: url,
    AuthorizationSet: authorization !== '',
    DisableAfterDays: more.disableAfterDays ?? null,
    DisabledAt: more.disabledAt === undefined ? null : formatInstant(more.disabledAt),
  }
}

/** The slashes are demanded because the URL parser supplies missing ones: `http:host`. */
function isWebhookUrl(text: string): boolean {
  if (text.length > LONGEST_URL || !/^https?:\/\/[^\s\x00-\x20\x7f-\x9f#\\]+$/i.test(text)) return false
  if (!text.isWellFormed() || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

/** What is no URL breaks the rule before this one. */
function hasWebhookPort(text: string): boolean {
  const url = URL.parse(text)
  return url === null || isWebhookPort(url)
}

/** Multiples of a millisecond are exact as numbers, although they may exceed 2^53. */
function isPeriod(nanoseconds: number): boolean {
  return nanoseconds >= 0 && nanoseconds <= LONGEST_PERIOD_MS * NANOSECONDS && nanoseconds % NANOSECONDS === 0
}

function milliseconds(nanoseconds: number | undefined): number | undefined {
  return nanoseconds === undefined ? undefined : nanoseconds / NANOSECONDS
}
