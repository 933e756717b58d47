import type { AccountDetailsJson } from '../shared/admin/accounts.ts'
import type { AddressJson } from '../shared/admin/addresses.ts'
import type { DomainJson } from '../shared/admin/domains.ts'
import type { HostnameJson } from '../shared/admin/installation.ts'
import { CliError } from './cli/cli-error.ts'
import { type AdminClient, AdminError } from './cli/client.ts'

/** What a fresh installation needs before its first account can send. */
export interface SetUpOptions {
  /** The administrator's new password; without it, the present one stays. */
  readonly adminPassword?: string
  readonly hostname: string
  readonly domain: string
  /** Of the domain, if it is new. */
  readonly separators: readonly string[]
  readonly account: string
  readonly address: string
  /** Of the account, unless it has one. */
  readonly password: string
  readonly fullName?: string
}

/**
 * Sets up whatever is missing and says of each thing what was done or that it was there; run again after a failure,
 * it goes on where it stopped. Throws CliError.
 */
export async function setUp(client: AdminClient, options: SetUpOptions): Promise<string[]> {
  const { adminPassword } = options
  const admin = await allowedClient(client, adminPassword)
  const lines = [
    await setHostname(admin, options.hostname),
    await addDomain(admin, options),
    await addAccount(admin, options),
    await addAddress(admin, options),
  ]
  if (adminPassword === undefined) return lines
  // Last, so that whoever only knows the first password can repeat a setup that broke off.
  return [...lines, await setAdminPassword(client, admin, adminPassword)]
}

/** After an earlier run the administrator has the new password already. */
async function allowedClient(client: AdminClient, adminPassword: string | undefined): Promise<AdminClient> {
  if (adminPassword === undefined) return client
  const changed = client.withPassword(adminPassword)
  try {
    await changed.get('/hostname')
    return changed
  } catch (error) {
    if (error instanceof AdminError && error.status === 401) return client
    throw error
  }
}

async function setHostname(admin: AdminClient, hostname: string): Promise<string> {
  const { Hostname } = await admin.get<HostnameJson>('/hostname')
  if (Hostname === hostname.toLowerCase()) return `host name ${Hostname}: set already`
  const set = await admin.put<HostnameJson>('/hostname', { Hostname: hostname })
  return `host name ${set.Hostname}: set`
}

async function addDomain(admin: AdminClient, { domain, separators }: SetUpOptions): Promise<string> {
  const path = `/domains/${encodeURIComponent(domain)}`
  if (await admin.find<DomainJson>(path)) return `domain ${domain}: there already`
  await admin.put(path, { LocalpartCatchallSeparators: separators })
  return `domain ${domain}: added`
}

async function addAccount(admin: AdminClient, options: SetUpOptions): Promise<string> {
  const { account, password, fullName = '' } = options
  const path = `/accounts/${encodeURIComponent(account)}`
  const found = await admin.find<AccountDetailsJson>(path)
  if (found?.PasswordSet) return `account ${account}: there already, its password was not changed`
  if (found) {
    await admin.put(`${path}/password`, { Password: password })
    return `account ${account}: there already, its password was set`
  }
  await admin.put(path, { FullName: fullName, Password: password })
  return `account ${account}: added`
}

async function addAddress(admin: AdminClient, { account, address }: SetUpOptions): Promise<string> {
  const path = `/addresses/${encodeURIComponent(address)}`
  const found = await admin.find<AddressJson>(path)
  if (found && found.Account !== account) {
    throw new CliError(`Address: ${found.Address} belongs to account ${found.Account} already`)
  }
  if (found) return `address ${found.Address}: there already`
  const added = await admin.put<AddressJson>(path, { Account: account })
  return `address ${added.Address}: added`
}

async function setAdminPassword(client: AdminClient, admin: AdminClient, password: string): Promise<string> {
  if (admin !== client) return `administrator's password: set already`
  await admin.put('/password', { Password: password })
  return `administrator's password: set`
}
