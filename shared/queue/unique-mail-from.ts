import type { Login } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import { type Address, formatAddress } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import type { RowId } from '../base/row-id.ts'
import { FROM_ID_LENGTH, formatFromId, fromIdKeys } from './from-id.ts'
import type { UniqueMailFrom } from './submit.ts'

/** RFC 5321 §4.5.3.1.1, in octets. */
const LONGEST_LOCALPART = 64

/** Why a message cannot have a reverse-path of its own; the text is public. */
interface Mistake {
  readonly mistake: string
}

/**
 * The reverse-paths of messages that a FromID login sends: the address up to its separator, the separator, and what
 * is unique to the message. Undefined for other logins.
 */
export async function uniqueMailFrom(
  ports: { readonly fromIdSecret: () => Promise<string> },
  options: Options,
  login: Login,
  from: Address,
): Promise<((id: RowId) => UniqueMailFrom) | Mistake | undefined> {
  if (!isFromIdLogin(login)) return undefined
  const separator = firstSeparator(options, from.domain)
  if (separator === undefined) {
    const why = 'which the unique senders of this login need'
    return { mistake: `${from.domain} has no catchall separator, ${why}` }
  }
  const [base = ''] = from.localpart.split(separator, 1)
  const beforeId = `${base}${separator}`
  if (Buffer.byteLength(beforeId) + FROM_ID_LENGTH > LONGEST_LOCALPART) {
    const parts = `${beforeId} and the ${FROM_ID_LENGTH} characters of a unique sender`
    return { mistake: `${parts} are more than the ${LONGEST_LOCALPART} octets of a local part` }
  }
  const keys = fromIdKeys(await ports.fromIdSecret())
  return (id) => {
    const fromId = formatFromId(keys, login.name, id)
    return { fromId, mailFrom: { localpart: `${beforeId}${fromId}`, domain: from.domain } }
  }
}

/**
 * The unique part that a FromID login has put into the reverse-path itself: what follows the separator. Undefined for
 * other logins, and where there is no separator; a separator alone is an empty one.
 */
export function chosenFromId(
  options: Options,
  login: Login,
  { localpart, domain }: Address,
): string | Mistake | undefined {
  const separator = isFromIdLogin(login) ? firstSeparator(options, domain) : undefined
  const at = separator === undefined ? -1 : localpart.indexOf(separator)
  if (separator === undefined || at < 0) return undefined
  if (Buffer.byteLength(localpart) > LONGEST_LOCALPART) {
    return { mistake: `${localpart} is more than the ${LONGEST_LOCALPART} octets of a local part` }
  }
  return localpart.slice(at + separator.length)
}

function isFromIdLogin({ account, address }: Login): boolean {
  return account.fromIdLoginAddresses.includes(formatAddress(address))
}

function firstSeparator({ domains }: Options, domain: string): string | undefined {
  return lookUp(domains, domain)?.separators[0]
}
