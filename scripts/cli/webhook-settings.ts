import { type Command, InvalidArgumentError, Option } from 'commander'
import type { WebhookDirection } from '../../shared/webhook/signing-secret.ts'
import { CliError } from './cli-error.ts'
import { listOf } from './list-of.ts'
import { withoutUndefined } from './without-undefined.ts'

/** The options of an account's two webhooks, by their names in commander. */
export interface WebhookSettings {
  readonly outgoingWebhookUrl?: string
  readonly outgoingWebhookAuthorization?: string
  readonly outgoingWebhookEvents?: string
  readonly outgoingWebhookKeepEveryEvent?: string
  readonly outgoingWebhookDisableAfterDays?: number | 'never'
  readonly outgoingWebhookEnable?: true
  readonly incomingWebhookUrl?: string
  readonly incomingWebhookAuthorization?: string
  readonly incomingWebhookDisableAfterDays?: number | 'never'
  readonly incomingWebhookEnable?: true
}

/** Adds them to `account update`. */
export function addWebhookSettings(update: Command): Command {
  addCommon(update, 'outgoing', 'where deliveries are told')
    .option('--outgoing-webhook-events <names>', 'the events that are told, with commas; empty tells all')
    .addOption(
      new Option(
        '--outgoing-webhook-keep-every-event <flag>',
        'whether an event that was not told yet is kept when a later one of its message comes',
      ).choices(['true', 'false']),
    )
  return addCommon(update, 'incoming', 'where received mail is told')
}

/** What changes of a webhook: null removes it, undefined leaves it as it is. */
export function webhookChange(
  direction: WebhookDirection,
  options: WebhookSettings,
): object | null | undefined {
  const isOutgoing = direction === 'outgoing'
  const days = options[`${direction}WebhookDisableAfterDays`]
  const keep = options.outgoingWebhookKeepEveryEvent
  const url = options[`${direction}WebhookUrl`]
  const settings = withoutUndefined({
    Authorization: options[`${direction}WebhookAuthorization`],
    Events: isOutgoing ? listOf(options.outgoingWebhookEvents) : undefined,
    KeepEveryEvent: isOutgoing && keep ? keep === 'true' : undefined,
    DisableAfterDays: days === 'never' ? null : days,
    DisabledAt: options[`${direction}WebhookEnable`] && null,
  })
  const isAlone = Object.keys(settings).length === 0
  if (url === '') {
    if (isAlone) return null
    throw new CliError(`--${direction}-webhook-url "" removes the webhook; give nothing else for it`)
  }
  if (url === undefined && isAlone) return undefined
  return withoutUndefined({ URL: url && withScheme(url), ...settings })
}

function addCommon(update: Command, direction: WebhookDirection, what: string): Command {
  return update
    .option(`--${direction}-webhook-url <url>`, what)
    .option(`--${direction}-webhook-authorization <value>`, 'its Authorization header; empty sends none')
    .option(
      `--${direction}-webhook-disable-after-days <days>`,
      'disable it when it has only failed for so many days, 1 to 30, or never',
      parseDays,
    )
    .option(`--${direction}-webhook-enable`, 'enable it again after it was disabled for failing')
}

function parseDays(text: string): number | 'never' {
  if (text === 'never') return text
  if (/^([1-9]|[12]\d|30)$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Days are a whole number from 1 to 30, or never.')
}

function withScheme(url: string): string {
  return url.includes('://') ? url : `https://${url}`
}
