import { type Command, InvalidArgumentError } from 'commander'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import { CliError } from './cli-error.ts'
import { parseDuration } from './duration.ts'
import { listOf } from './list-of.ts'
import type { Session } from './session.ts'
import { VERIFY_HINT } from './webhook-secret.ts'
import { addWebhookSettings, type WebhookSettings, webhookChange } from './webhook-settings.ts'
import { withoutUndefined } from './without-undefined.ts'

interface UpdateOptions extends WebhookSettings {
  readonly fullName?: string
  readonly fromIdLoginAddresses?: string
  /** Nanoseconds. */
  readonly keepRetiredMessages?: number
  /** Nanoseconds. */
  readonly keepRetiredWebhooks?: number
  readonly maxMessagesPerDay?: number
  readonly maxFirstTimeRecipientsPerDay?: number
  /** Octets. */
  readonly quota?: number
  readonly loginDisabled?: string
}

const help = `
What is not named stays as it is. A URL without http:// or https:// is https. An empty URL removes the webhook; no
events means all of them; an empty text for --login-disabled allows logins again. Durations are written 72h, 1h30m or 0.
The first URL of a webhook brings the secret that signs its calls, which is shown once: see account webhook-secret.
A webhook that was disabled because it failed for days is enabled by --…-webhook-enable, or by setting its URL again.

Examples:
  postern account update shop --outgoing-webhook-url https://shop.example/hook --outgoing-webhook-events delivered,failed
  postern account update shop --incoming-webhook-url ""
  postern account update shop --outgoing-webhook-disable-after-days 3
  postern account update shop --outgoing-webhook-enable
  postern account update shop --keep-retired-messages 72h --keep-retired-webhooks 72h
  postern account update shop --login-disabled "unpaid bill, call us"`

/** Adds `postern account update`. */
export function addAccountUpdate(account: Command, session: Session): void {
  const update = account.command('update <name>').description('change the settings of an account')
  addWebhookSettings(update)
    .option('--full-name <text>', 'display name of messages that name no From')
    .option(
      '--from-id-login-addresses <addresses>',
      'logins with unique senders, with commas; empty for none',
    )
    .option('--keep-retired-messages <duration>', 'how long finished messages are kept', parseDuration)
    .option('--keep-retired-webhooks <duration>', 'how long finished webhook calls are kept', parseDuration)
    .option('--max-messages-per-day <number>', 'messages within 24 hours; 0 for no limit', parseCount)
    .option(
      '--max-first-time-recipients-per-day <number>',
      'new recipients within 24 hours; 0 for no limit',
      parseCount,
    )
    .option(
      '--quota <octets>',
      'stored mail beyond which no copies of sent messages are kept, such as 500m or 2g; 0 for no limit',
      parseOctets,
    )
    .option('--login-disabled <text>', 'refuse logins with this text')
    .addHelpText('after', help)
    .action(async (name: string, options: UpdateOptions) => {
      const body = withoutUndefined({
        FullName: options.fullName,
        OutgoingWebhook: webhookChange('outgoing', options),
        IncomingWebhook: webhookChange('incoming', options),
        FromIDLoginAddresses: listOf(options.fromIdLoginAddresses),
        KeepRetiredMessagePeriod: options.keepRetiredMessages,
        KeepRetiredWebhookPeriod: options.keepRetiredWebhooks,
        MaxOutgoingMessagesPerDay: options.maxMessagesPerDay,
        MaxFirstTimeRecipientsPerDay: options.maxFirstTimeRecipientsPerDay,
        QuotaMessageSize: options.quota,
        LoginDisabled: options.loginDisabled,
      })
      if (Object.keys(body).length === 0)
        throw new CliError('nothing to change: see postern account update --help')
      const path = `/accounts/${encodeURIComponent(name)}`
      const updated = await (await session.client()).patch<AccountDetailsJson>(path, body)
      session.show(updated, [`account ${updated.Name} changed`, ...newSecrets(updated)].join('\n'))
    })
}

/** The first URL of a webhook brings a secret, which is shown now or never. */
function newSecrets({ NewWebhookSecrets }: AccountDetailsJson): readonly string[] {
  if (!NewWebhookSecrets) return []
  const { Outgoing, Incoming } = NewWebhookSecrets
  return [
    ...(Outgoing ? [`outgoing webhook calls are signed with ${Outgoing}`] : []),
    ...(Incoming ? [`incoming webhook calls are signed with ${Incoming}`] : []),
    `Keep what is shown here: it is not shown again. ${VERIFY_HINT}`,
  ]
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

function parseOctets(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})([kmgt]?)$/i.exec(text) ?? []
  const octets = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1)
  if (digits === '' || !Number.isSafeInteger(octets)) {
    throw new InvalidArgumentError('Octets are a whole number, which k, m, g or t may follow.')
  }
  return octets
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A number of messages is a whole number.')
  return Number(text)
}
