import { Hono } from 'hono'
import * as z from 'zod/mini'
import {
  type Account,
  type AccountName,
  freshAccount,
  isAccountName,
  type Options,
} from '../account/options.ts'
import { storePassword } from '../account/password.ts'
import { listRows } from '../attempts/list-rows.ts'
import { lookUp } from '../base/look-up.ts'
import { webhookDirections } from '../webhook/signing-secret.ts'
import {
  type AccountChange,
  type AccountSettingsJson,
  accountChange,
  accountSettingsJson,
  changedAccount,
} from './account-settings.ts'
import {
  assignAddress,
  checkAssignable,
  formatEntry,
  listEntries,
  readDirectoryAddress,
} from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { passwordField } from './fields.ts'
import { createFirstSecrets, type FirstWebhookSecretsJson } from './first-webhook-secrets.ts'
import { forgetFailures } from './forget-failures.ts'
import { readFromIdAddresses } from './from-id-addresses.ts'
import { answer, NotFoundError, RequestError, readBody } from './request.ts'

/** An account in the list. */
export interface AccountJson extends AccountSettingsJson {
  readonly Name: AccountName
}

/** An account on its own: with its addresses, and whether it can log in at all. */
export interface AccountDetailsJson extends AccountJson {
  readonly Addresses: readonly string[]
  readonly PasswordSet: boolean
  /** Only in the answer to the call that saved a webhook's URL for the first time. */
  readonly NewWebhookSecrets?: FirstWebhookSecretsJson
}

/** Rows of an unfinished Send, and finished ones that owe a notice, may come before one that counts. */
const MOST_LOOKED_AT = 1000

const newAccount = z.extend(accountChange, {
  Password: z.optional(passwordField),
  Addresses: z._default(z.array(z.string()), []),
})
const passwordBody = z.strictObject({ Password: passwordField })

/** Accounts: list, show, create, change, set the password, remove. */
export function accountRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const { accounts } = await ports.options.readNewest()
    const names = Object.keys(accounts).sort()
    return answer(
      context,
      names.flatMap((name) => (accounts[name] ? [accountJson(name, accounts[name])] : [])),
    )
  })
  routes.get('/:name', async (context) =>
    answer(context, await showAccount(ports, context.req.param('name'))),
  )
  routes.put('/:name', async (context) => {
    const name = context.req.param('name')
    const wanted = await readBody(context, newAccount)
    await createAccount(ports, name, wanted)
    return answer(context, await signAndShow(ports, name, wanted))
  })
  routes.patch('/:name', async (context) => {
    const name = context.req.param('name')
    const wanted = await readBody(context, accountChange)
    await changeAccount(ports, name, wanted)
    return answer(context, await signAndShow(ports, name, wanted))
  })
  routes.put('/:name/password', async (context) => {
    const name = context.req.param('name')
    const { Password } = await readBody(context, passwordBody)
    existingAccount(await ports.options.readNewest(), name)
    await ports.credentials.setPassword(name, await storePassword(Password, ports.random))
    return answer(context, {})
  })
  routes.delete('/:name', async (context) => {
    await removeAccount(ports, context.req.param('name'))
    return answer(context, {})
  })
  return routes
}

/** The account as it is after a change, with the secrets that its first webhooks brought. */
async function signAndShow(
  ports: AdminPorts,
  name: AccountName,
  wanted: AccountChange,
): Promise<AccountDetailsJson> {
  const made = await createFirstSecrets(ports, name, wanted)
  return { ...(await showAccount(ports, name)), ...(made && { NewWebhookSecrets: made }) }
}

async function showAccount(ports: AdminPorts, name: AccountName): Promise<AccountDetailsJson> {
  const options = await ports.options.readNewest()
  const account = existingAccount(options, name)
  const [entries, password] = await Promise.all([
    listEntries(ports, options, name),
    ports.credentials.password(name),
  ])
  return {
    ...accountJson(name, account),
    Addresses: entries.map(formatEntry),
    PasswordSet: password !== undefined,
  }
}

/** Whatever can be refused is refused first; the account exists before anything is its own. */
async function createAccount(
  ports: AdminPorts,
  name: AccountName,
  { Password, Addresses, ...settings }: z.output<typeof newAccount>,
): Promise<void> {
  const options = await ports.options.readNewest()
  checkNewName(options, name)
  const entries = Addresses.map((text, place) => ({
    field: `Addresses[${place}]`,
    entry: { ...readDirectoryAddress(`Addresses[${place}]`, text), account: name },
  }))
  for (const { field, entry } of entries) await checkAssignable(ports, options, field, entry)

  if (settings.FromIDLoginAddresses) {
    throw new RequestError('FromIDLoginAddresses', 'must be set once the account has its addresses')
  }
  const account = changedAccount(freshAccount, settings)
  await ports.options.change((newest) => {
    checkNewName(newest, name)
    return { ...newest, accounts: { ...newest.accounts, [name]: account } }
  })
  if (Password !== undefined) {
    await ports.credentials.setPassword(name, await storePassword(Password, ports.random))
  }
  for (const { field, entry } of entries) await assignAddress(ports, field, entry)
}

async function changeAccount(ports: AdminPorts, name: AccountName, wanted: AccountChange): Promise<void> {
  const { FromIDLoginAddresses: texts } = wanted
  const newest = await ports.options.readNewest()
  const addresses = texts && (await readFromIdAddresses(ports, newest, name, texts))
  await forgetFailures(ports, name, existingAccount(newest, name), wanted)
  const change = { ...wanted, ...(addresses && { FromIDLoginAddresses: [...addresses] }) }
  await ports.options.change((options) => {
    const account = changedAccount(existingAccount(options, name), change)
    return { ...options, accounts: { ...options.accounts, [name]: account } }
  })
}

/** The account goes last: until then, a removal that broke off can be repeated. */
async function removeAccount(ports: AdminPorts, name: AccountName): Promise<void> {
  const options = await ports.options.readNewest()
  existingAccount(options, name)
  if (await hasQueuedMessages(ports, name)) {
    throw new RequestError(
      'Account',
      `${name} still has queued messages; they must be delivered or fail first`,
    )
  }
  for (const { domain, localpart } of await listEntries(ports, options, name)) {
    await ports.directory.remove(domain, localpart)
  }
  await ports.credentials.remove(name)
  // Calls that still wait are made without signature.
  for (const direction of webhookDirections) await ports.signingSecrets.remove(name, direction)
  await ports.options.change((newest) => {
    existingAccount(newest, name)
    const { [name]: _removed, ...accounts } = newest.accounts
    return { ...newest, accounts, removedAccounts: [...newest.removedAccounts, name] }
  })
}

async function hasQueuedMessages(ports: AdminPorts, name: AccountName): Promise<boolean> {
  const page = await listRows(ports.messageLists, {
    accounts: [name],
    lists: ['active', 'held'],
    order: { by: 'time', ascending: true },
    limit: 1,
    mostRead: MOST_LOOKED_AT,
    matches: (row) => row.state !== 'done',
  })
  return page.rows.length > 0 || page.next !== undefined
}

function checkNewName(options: Options, name: string): void {
  if (!isAccountName(name)) {
    throw new RequestError(
      'Account',
      'must be 1 to 63 lower-case letters, digits, dots, dashes or underscores, and begin with a letter or digit',
    )
  }
  if (Object.hasOwn(options.accounts, name)) throw new RequestError('Account', `${name} exists already`)
  if (options.removedAccounts.includes(name)) {
    throw new RequestError('Account', `${name} was the name of a removed account and is never given again`)
  }
}

/** The account of that name; throws {@link NotFoundError}. */
export function existingAccount(options: Options, name: string): Account {
  const account = lookUp(options.accounts, name)
  if (!account) throw new NotFoundError(`there is no account ${JSON.stringify(name)}`)
  return account
}

function accountJson(name: AccountName, account: Account): AccountJson {
  return { Name: name, ...accountSettingsJson(account) }
}
