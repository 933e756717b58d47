import type { Account, Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import { type Clock, DAY, type Instant } from '../base/clock.ts'
import { inGroups } from '../base/in-groups.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import type { ContentStore } from '../content/content-store.ts'
import { keepMail } from '../mailbox/keep-mail.ts'
import type { NewMail } from '../mailbox/mail.ts'
import { INBOX } from '../mailbox/mailboxes.ts'
import { webhookOf } from '../webhook/account-webhook.ts'
import type { Failing, FailingStore, WebhookName } from '../webhook/failing-webhook.ts'
import { webhookDirections } from '../webhook/signing-secret.ts'
import { composeDisabledNotice } from './disabled-notice.ts'

/** Port: disables a webhook and says so. */
export interface DisablingStore {
  /**
   * Replaces the options by what `edit` makes of the newest ones, and puts the mail into its mailbox, in one
   * transaction. False, and nothing is written, where `edit` answers undefined: there is nothing to change any more.
   */
  disable(mail: NewMail, edit: (options: Options) => Options | undefined): Promise<boolean>
}

export interface DisablingPorts {
  readonly options: Pick<OptionsStore, 'read'>
  readonly failing: Pick<FailingStore, 'read'>
  readonly content: ContentStore
  readonly disabling: DisablingStore
  readonly clock: Clock
  readonly random: Random
}

/** A webhook that is to be disabled after so many days of failures. */
interface Watched extends WebhookName {
  readonly days: number
}

const READ_AT_ONCE = 25

/**
 * Disables each enabled webhook that has done nothing but fail for the days that it allows; events queue no more
 * calls to it, while those that wait go on. Every failure must be new: a webhook that is not called stays as it is.
 */
export async function disableFailing(ports: DisablingPorts): Promise<{ readonly disabled: number }> {
  const { accounts } = await ports.options.read()
  const watched = Object.entries(accounts).flatMap(([name, account]) => watchedOf(name, account))
  const found = await inGroups(watched, READ_AT_ONCE, async (webhook) => {
    const failing = await ports.failing.read(webhook)
    return failing && isTooLong(failing, webhook.days) ? [{ webhook, failing }] : []
  })
  let disabled = 0
  for (const { webhook, failing } of found.flat()) if (await disable(ports, webhook, failing)) disabled++
  return { disabled }
}

function watchedOf(name: string, account: Account): readonly Watched[] {
  return webhookDirections.flatMap((direction) => {
    const webhook = webhookOf(account, direction)
    if (webhook?.disableAfterDays === undefined || webhook.disabledAt !== undefined) return []
    return [{ account: name, direction, url: webhook.url, days: webhook.disableAfterDays }]
  })
}

function isTooLong({ since, lastAt }: Failing, days: number): boolean {
  return lastAt - since >= days * DAY
}

async function disable(ports: DisablingPorts, webhook: WebhookName, failing: Failing): Promise<boolean> {
  const { hostname } = await ports.options.read()
  const at = ports.clock.now()
  const messageId = `<${Buffer.from(ports.random.bytes(16)).toString('base64url')}@${hostname}>`
  const bytes = composeDisabledNotice({ webhook, failing, hostname, messageId, at })
  const { mail } = await keepMail(ports, {
    account: webhook.account,
    mailbox: INBOX,
    flags: [],
    envelope: {
      mailFrom: '',
      mailFromValidated: false,
      rcptTo: '',
      msgFromValidated: false,
      dkimVerifiedDomains: [],
      remoteIp: '',
    },
    receivedAt: at,
    bytesOf: () => bytes,
  })
  return await ports.disabling.disable(mail, (options) => withDisabled(options, webhook, failing, at))
}

/** Undefined where the newest options want it no more: it was set anew, disabled already, or is allowed longer. */
function withDisabled(
  options: Options,
  webhook: WebhookName,
  failing: Failing,
  at: Instant,
): Options | undefined {
  const account = lookUp(options.accounts, webhook.account)
  const watched = account && watchedOf(webhook.account, account)
  const found = watched?.find(({ direction }) => direction === webhook.direction)
  if (!account || found?.url !== webhook.url || !isTooLong(failing, found.days)) return undefined
  const field = webhook.direction === 'outgoing' ? 'outgoingWebhook' : 'incomingWebhook'
  const after = { ...account, [field]: { ...account[field], disabledAt: at } }
  return { ...options, accounts: { ...options.accounts, [webhook.account]: after } }
}
