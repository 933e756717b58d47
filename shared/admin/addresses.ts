import { type Context, Hono } from 'hono'
import * as z from 'zod/mini'
import { CATCHALL, type DirectoryEntry } from '../account/address-directory.ts'
import type { AccountName, Options } from '../account/options.ts'
import { type Address, formatUnicodeAddress, parseAddress } from '../address/address.ts'
import { AddressSyntaxError, type DomainName, formatUnicodeDomain } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import type { AdminPorts } from './admin-ports.ts'
import { readDomain } from './fields.ts'
import { answer, NotFoundError, RequestError, readBody, readQuery } from './request.ts'

/** An address and whose it is, in answers; `@example.org` is the catchall. */
export interface AddressJson {
  readonly Address: string
  readonly Account: AccountName
}

const addressBody = z.strictObject({ Account: z.string() })
const addressQuery = z.strictObject({ domain: z.optional(z.string()) })

/** Addresses: list, show, give to an account, move to another, take away. */
export function addressRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const { domain } = readQuery(context, addressQuery)
    const entries =
      domain === undefined
        ? await listEntries(ports, await ports.options.readNewest())
        : await ports.directory.list(readDomain('domain', domain))
    return answer(context, entries.map(addressJson))
  })
  // A local part may hold a slash, and a gateway may have decoded it.
  routes.get('/:address{.+}', async (context) => {
    const address = readDirectoryAddress('Address', context.req.param('address'))
    const account = await ports.directory.find(address.domain, address.localpart)
    if (account === undefined) throw new NotFoundError(`nobody has the address ${formatEntry(address)}`)
    return answer(context, addressJson({ ...address, account }))
  })
  routes.put('/:address{.+}', async (context) => {
    const address = readDirectoryAddress('Address', context.req.param('address'))
    const options = await ports.options.readNewest()
    const entry = { ...address, account: await readAccount(context, options) }
    await checkAssignable(ports, options, 'Address', entry)
    await assignAddress(ports, 'Address', entry)
    return answer(context, addressJson(entry))
  })
  routes.patch('/:address{.+}', async (context) => {
    const address = readDirectoryAddress('Address', context.req.param('address'))
    const entry = { ...address, account: await readAccount(context, await ports.options.readNewest()) }
    if (!(await ports.directory.move(entry))) {
      throw new NotFoundError(`nobody has the address ${formatEntry(address)}`)
    }
    return answer(context, addressJson(entry))
  })
  routes.delete('/:address{.+}', async (context) => {
    const address = readDirectoryAddress('Address', context.req.param('address'))
    if (!(await ports.directory.remove(address.domain, address.localpart))) {
      throw new NotFoundError(`nobody has the address ${formatEntry(address)}`)
    }
    return answer(context, {})
  })
  return routes
}

async function readAccount(context: Context, options: Options): Promise<AccountName> {
  const { Account } = await readBody(context, addressBody)
  if (Object.hasOwn(options.accounts, Account)) return Account
  throw new RequestError('Account', `there is no account ${JSON.stringify(Account)}`)
}

/** Reads `local-part@domain` in lower case, or `@domain` for the catchall; throws {@link RequestError}. */
export function readDirectoryAddress(field: string, text: string): Address {
  if (text.startsWith('@')) return { localpart: CATCHALL, domain: readDomain(field, text.slice(1)) }
  const { localpart, domain } = readAddress(field, text)
  if (localpart === CATCHALL) throw new RequestError(field, `must not have the local part "${CATCHALL}"`)
  return { localpart: localpart.toLowerCase(), domain }
}

/** Throws {@link RequestError} unless the address is of a domain of ours, fits it, and is nobody else's. */
export async function checkAssignable(
  ports: AdminPorts,
  options: Options,
  field: string,
  entry: DirectoryEntry,
): Promise<void> {
  const hosted = lookUp(options.domains, entry.domain)
  if (!hosted)
    throw new RequestError(field, `there is no domain ${formatUnicodeDomain(entry.domain)}; add it first`)
  const separator = separatorIn(entry.localpart, hosted.separators)
  if (separator !== undefined) {
    throw new RequestError(
      field,
      `must not contain ${separator}, a separator of ${formatUnicodeDomain(entry.domain)}`,
    )
  }
  const owner = await ports.directory.find(entry.domain, entry.localpart)
  if (owner !== undefined && owner !== entry.account) throw takenBy(field, entry, owner)
}

/** Gives the address to the account; doing it again changes nothing. */
export async function assignAddress(ports: AdminPorts, field: string, entry: DirectoryEntry): Promise<void> {
  if (await ports.directory.add(entry)) return
  const owner = await ports.directory.find(entry.domain, entry.localpart)
  if (owner !== entry.account) throw takenBy(field, entry, owner ?? 'another')
}

/** All addresses of all domains, or those of one account. */
export async function listEntries(
  ports: AdminPorts,
  options: Options,
  account?: AccountName,
): Promise<readonly DirectoryEntry[]> {
  const domains = (Object.keys(options.domains) as DomainName[]).sort()
  const entries = (await Promise.all(domains.map((domain) => ports.directory.list(domain)))).flat()
  return account === undefined ? entries : entries.filter((entry) => entry.account === account)
}

/** The first separator that a local part contains; the catchall contains none. */
export function separatorIn(localpart: string, separators: readonly string[]): string | undefined {
  return separators.find((separator) => localpart.includes(separator))
}

/** The address as people write it. */
export function formatEntry({ localpart, domain }: Address): string {
  return localpart === CATCHALL
    ? `@${formatUnicodeDomain(domain)}`
    : formatUnicodeAddress({ localpart, domain })
}

/** Reads an address as it is written; throws {@link RequestError}. */
export function readAddress(field: string, text: string): Address {
  try {
    return parseAddress(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new RequestError(field, error.message)
    throw error
  }
}

function takenBy(field: string, entry: DirectoryEntry, owner: AccountName): RequestError {
  return new RequestError(field, `${formatEntry(entry)} belongs to account ${owner} already`)
}

function addressJson(entry: DirectoryEntry): AddressJson {
  return { Address: formatEntry(entry), Account: entry.account }
}
