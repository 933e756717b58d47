import { type Command, Option } from 'commander'
import type { AccountDetailsJson, AccountJson } from '../../shared/admin/accounts.ts'
import { addAccountUpdate } from './account-update.ts'
import { CliError } from './cli-error.ts'
import { formatDuration } from './duration.ts'
import { fields, table } from './print.ts'
import { askSecret, canAsk } from './prompt.ts'
import type { Session } from './session.ts'
import { addWebhookSecret } from './webhook-secret.ts'

interface AddOptions {
  readonly address?: readonly string[]
  readonly password?: string
  readonly fullName?: string
}

const addHelp = `
An account without a password receives mail but cannot log in. Other users of this machine may see a password that
is an argument; set POSTERN_ACCOUNT_PASSWORD instead, or use: postern account password NAME.

Example:
  postern account add shop --address shop@example.org --full-name "The Shop"`

const passwordHelp = `
Asks for the password without showing it, unless it is given.

Example:
  postern account password shop`

/** Adds `postern account …`. */
export function addAccountCommands(program: Command, session: Session): void {
  const account = program.command('account').description('accounts: who sends and receives')
  account
    .command('list')
    .description('list the accounts')
    .action(async () => {
      const accounts = await (await session.client()).get<AccountJson[]>('/accounts')
      session.show(accounts, table(['NAME', 'FULL NAME', 'LOGIN'], accounts.map(row)))
    })
  account
    .command('show <name>')
    .description('show an account and its addresses')
    .action(async (name: string) => {
      const found = await (await session.client()).get<AccountDetailsJson>(pathOf(name))
      session.show(found, describe(found))
    })
  account
    .command('add <name>')
    .description('create an account')
    .option('--address <address...>', 'its addresses')
    .addOption(passwordOption())
    .option('--full-name <text>', 'display name of messages that name no From')
    .addHelpText('after', addHelp)
    .action(async (name: string, options: AddOptions) => await addAccount(session, name, options))
  addAccountUpdate(account, session)
  addWebhookSecret(account, session)
  account
    .command('password <name>')
    .description('set the password of an account')
    .addOption(passwordOption())
    .addHelpText('after', passwordHelp)
    .action(async (name: string, options: { readonly password?: string }) => {
      const client = await session.client()
      await client.put(`${pathOf(name)}/password`, {
        Password: options.password ?? (await newPassword(name)),
      })
      session.show({}, `password of account ${name} set; the old one may be accepted for another minute`)
    })
  account
    .command('remove <name>')
    .description('remove an account, its addresses and its password; its name is never given again')
    .action(async (name: string) => {
      await (await session.client()).remove(pathOf(name))
      session.show({}, `account ${name} removed`)
    })
}

async function addAccount(session: Session, name: string, options: AddOptions): Promise<void> {
  const { address, password, fullName } = options
  const added = await (await session.client()).put<AccountDetailsJson>(pathOf(name), {
    ...(address && { Addresses: address }),
    ...(password !== undefined && { Password: password }),
    ...(fullName !== undefined && { FullName: fullName }),
  })
  session.show(added, `account ${added.Name} added`)
}

function passwordOption(): Option {
  return new Option('--password <text>', 'its password, at least 8 characters').env(
    'POSTERN_ACCOUNT_PASSWORD',
  )
}

async function newPassword(name: string): Promise<string> {
  if (!canAsk()) throw new CliError('give --password, or set POSTERN_ACCOUNT_PASSWORD')
  const password = await askSecret(`New password of account ${name}`)
  if ((await askSecret('The same again')) === password) return password
  throw new CliError('the two passwords differ; nothing was changed')
}

function pathOf(name: string): string {
  return `/accounts/${encodeURIComponent(name)}`
}

function row({ Name, FullName, LoginDisabled }: AccountJson): string[] {
  return [Name, FullName || '-', LoginDisabled ? `disabled: ${LoginDisabled}` : 'enabled']
}

function describe(account: AccountDetailsJson): string {
  const { OutgoingWebhook: outgoing, IncomingWebhook: incoming } = account
  return fields({
    Account: account.Name,
    'Full name': account.FullName,
    Addresses: account.Addresses.join(' '),
    Password: account.PasswordSet ? 'set' : 'not set',
    Login: account.LoginDisabled ? `disabled: ${account.LoginDisabled}` : 'enabled',
    'Outgoing webhook': outgoing
      ? `${outgoing.URL} (${outgoing.Events.join(', ') || 'all events'})${stateOf(outgoing)}`
      : '',
    'Incoming webhook': incoming ? `${incoming.URL}${stateOf(incoming)}` : '',
    'Unique senders for': account.FromIDLoginAddresses.join(' '),
    'Messages a day': String(account.MaxOutgoingMessagesPerDay || 'without limit'),
    'New recipients a day': String(account.MaxFirstTimeRecipientsPerDay || 'without limit'),
    Quota: account.QuotaMessageSize ? `${account.QuotaMessageSize} octets` : 'without limit',
    'Keeps messages': formatDuration(account.KeepRetiredMessagePeriod),
    'Keeps webhooks': formatDuration(account.KeepRetiredWebhookPeriod),
  })
}

function stateOf({ DisableAfterDays, DisabledAt }: WebhookJson): string {
  if (DisabledAt) return `, disabled at ${DisabledAt} because it failed`
  return DisableAfterDays ? `, disabled after ${DisableAfterDays} days of failures` : ''
}

type WebhookJson = NonNullable<AccountJson['IncomingWebhook']>
