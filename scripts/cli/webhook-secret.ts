import { Argument, type Command, Option } from 'commander'
import type { NewWebhookSecretJson, WebhookSecretJson } from '../../shared/admin/webhook-secrets.ts'
import { type WebhookDirection, webhookDirections } from '../../shared/webhook/signing-secret.ts'
import type { Session } from './session.ts'

interface SecretOptions {
  readonly rotate?: boolean
  readonly endPrevious?: boolean
}

const help = `
A secret is shown when it is made, and never again. After --rotate the one before it signs too for 24 hours, so that
receivers can change theirs; --end-previous ends it now. One that somebody else has seen needs both, one after the
other.

Examples:
  postern account webhook-secret shop outgoing
  postern account webhook-secret shop outgoing --rotate`

/** How a receiver uses a secret. */
export const VERIFY_HINT =
  'Receivers verify with a library of Standard Webhooks: new Webhook(secret).verify(body, headers); see README, "Webhooks".'

/** Adds `postern account webhook-secret`. */
export function addWebhookSecret(account: Command, session: Session): void {
  account
    .command('webhook-secret <name>')
    .description('what the webhook calls of an account are signed with')
    .addArgument(new Argument('<direction>', 'about sent or received mail').choices(webhookDirections))
    .addOption(new Option('--rotate', 'make a new secret').conflicts('endPrevious'))
    .option('--end-previous', 'no longer sign with the secret before the newest')
    .addHelpText('after', help)
    .action(async (name: string, direction: WebhookDirection, options: SecretOptions) => {
      const client = await session.client()
      const path = `/accounts/${encodeURIComponent(name)}/webhook-secrets/${direction}`
      if (options.endPrevious) {
        const ended = await client.remove<WebhookSecretJson>(`${path}/previous`)
        session.show(ended, describe(name, direction, ended))
        return
      }
      const shown = await client.get<WebhookSecretJson>(path)
      if (shown.Set && !options.rotate) {
        const hint = '\nThe secret was shown when it was made; --rotate makes a new one.'
        session.show(shown, `${describe(name, direction, shown)}${hint}`)
        return
      }
      const made = await client.post<NewWebhookSecretJson>(path, {})
      session.show(made, `${made.Secret}\n${describe(name, direction, made)}\n${VERIFY_HINT}`)
    })
}

function describe(name: string, direction: WebhookDirection, secret: WebhookSecretJson): string {
  const { Set: isSet, Created, PreviousUntil } = secret
  const calls = `${direction} webhook calls of account ${name}`
  if (!isSet) return `${calls} are not signed`
  const previous = PreviousUntil ? `, and with the one before it until ${PreviousUntil}` : ''
  return `${calls} are signed with the secret of ${Created}${previous}`
}
