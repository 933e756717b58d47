import type { Command } from 'commander'
import type { AccountDetailsJson } from '../../shared/admin/accounts.ts'
import { CliError } from './cli-error.ts'
import { parseDuration } from './duration.ts'
import type { Session } from './session.ts'

interface UpdateOptions {
  readonly fullName?: string
  readonly outgoingWebhookUrl?: string
  readonly outgoingWebhookAuthorization?: string
  readonly outgoingWebhookEvents?: string
  readonly incomingWebhookUrl?: string
  readonly incomingWebhookAuthorization?: string
  /** Nanoseconds. */
  readonly keepRetiredMessages?: number
  /** Nanoseconds. */
  readonly keepRetiredWebhooks?: number
  readonly loginDisabled?: string
}

const help = `
What is not named stays as it is. An empty URL disables the webhook; no events means all of them; an empty text
for --login-disabled allows logins again. Durations are written 72h, 1h30m or 0.

Examples:
  postern account update shop --outgoing-webhook-url https://shop.example/hook --outgoing-webhook-events delivered,failed
  postern account update shop --incoming-webhook-url ""
  postern account update shop --keep-retired-messages 72h --keep-retired-webhooks 72h
  postern account update shop --login-disabled "unpaid bill, call us"`

/** Adds `postern account update`. */
export function addAccountUpdate(account: Command, session: Session): void {
  account
    .command('update <name>')
    .description('change the settings of an account')
    .option('--full-name <text>', 'display name of messages that name no From')
    .option('--outgoing-webhook-url <url>', 'where deliveries are told')
    .option('--outgoing-webhook-authorization <value>', 'its Authorization header; empty sends none')
    .option('--outgoing-webhook-events <names>', 'the events that are told, with commas; empty tells all')
    .option('--incoming-webhook-url <url>', 'where received mail is told')
    .option('--incoming-webhook-authorization <value>', 'its Authorization header; empty sends none')
    .option('--keep-retired-messages <duration>', 'how long finished messages are kept', parseDuration)
    .option('--keep-retired-webhooks <duration>', 'how long finished webhook calls are kept', parseDuration)
    .option('--login-disabled <text>', 'refuse logins with this text')
    .addHelpText('after', help)
    .action(async (name: string, options: UpdateOptions) => {
      const body = withoutUndefined({
        FullName: options.fullName,
        OutgoingWebhook: outgoingWebhook(options),
        IncomingWebhook: incomingWebhook(options),
        KeepRetiredMessagePeriod: options.keepRetiredMessages,
        KeepRetiredWebhookPeriod: options.keepRetiredWebhooks,
        LoginDisabled: options.loginDisabled,
      })
      if (Object.keys(body).length === 0)
        throw new CliError('nothing to change: see postern account update --help')
      const path = `/accounts/${encodeURIComponent(name)}`
      const updated = await (await session.client()).patch<AccountDetailsJson>(path, body)
      session.show(updated, `account ${updated.Name} changed`)
    })
}

function outgoingWebhook(options: UpdateOptions): object | null | undefined {
  const { outgoingWebhookUrl, outgoingWebhookAuthorization, outgoingWebhookEvents } = options
  return webhook('outgoing', outgoingWebhookUrl, {
    Authorization: outgoingWebhookAuthorization,
    Events: outgoingWebhookEvents
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  })
}

function incomingWebhook(options: UpdateOptions): object | null | undefined {
  return webhook('incoming', options.incomingWebhookUrl, {
    Authorization: options.incomingWebhookAuthorization,
  })
}

/** Null disables the webhook, undefined leaves it as it is. */
function webhook(
  kind: string,
  url: string | undefined,
  more: Readonly<Record<string, unknown>>,
): object | null | undefined {
  const settings = withoutUndefined(more)
  const isAlone = Object.keys(settings).length === 0
  if (url === '') {
    if (isAlone) return null
    throw new CliError(`--${kind}-webhook-url "" disables the webhook; give nothing else for it`)
  }
  if (url === undefined && isAlone) return undefined
  return withoutUndefined({ URL: url, ...settings })
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
