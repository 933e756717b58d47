import type { AccountName, Options } from '../account/options.ts'
import { resolveAddress } from '../account/resolve-address.ts'
import { formatAddress } from '../address/address.ts'
import { formatUnicodeDomain } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import { readAddress } from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { RequestError } from './request.ts'

/**
 * Reads the addresses whose logins send with reverse-paths of their own: each is the account's, in a domain with
 * a catchall separator, because the unique part stands behind it. Throws {@link RequestError}.
 */
export async function readFromIdAddresses(
  ports: AdminPorts,
  options: Options,
  account: AccountName,
  texts: readonly string[],
): Promise<readonly string[]> {
  return await Promise.all(
    texts.map(async (text, place) => {
      const field = `FromIDLoginAddresses[${place}]`
      const address = readAddress(field, text)
      const shown = formatUnicodeDomain(address.domain)
      const hosted = lookUp(options.domains, address.domain)
      if (!hosted) throw new RequestError(field, `there is no domain ${shown}`)
      if (hosted.separators.length === 0) {
        throw new RequestError(field, `${shown} has no catchall separator, which unique senders need`)
      }
      const found = await resolveAddress({ options, directory: ports.directory }, address)
      if (found.kind !== 'account' || found.account !== account) {
        throw new RequestError(field, `${text} is no address of account ${account}`)
      }
      return formatAddress(address)
    }),
  )
}
