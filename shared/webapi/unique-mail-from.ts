import { type Address, formatAddress } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import type { RowId } from '../base/row-id.ts'
import { formatFromId, fromIdKeys } from '../queue/from-id.ts'
import type { UniqueMailFrom } from '../queue/submit.ts'
import { ApiError } from './api-error.ts'
import type { CallContext } from './call-context.ts'

/** RFC 5321 §4.5.3.1.1, in octets. */
const LONGEST_LOCALPART = 64

/**
 * The reverse-paths of messages that a FromID login sends: the From address up to its separator, the separator,
 * and what is unique to the message. Undefined for other logins.
 */
export async function uniqueMailFrom(
  { ports, options, login }: CallContext,
  from: Address,
): Promise<((id: RowId) => UniqueMailFrom) | undefined> {
  if (!login.account.fromIdLoginAddresses.includes(formatAddress(login.address))) return undefined
  const [separator] = lookUp(options.domains, from.domain)?.separators ?? []
  if (separator === undefined) {
    throw new ApiError(
      'user',
      `From: ${from.domain} has no catchall separator, which the unique senders of this login need`,
    )
  }
  const keys = fromIdKeys(await ports.fromIdSecret())
  const [base = ''] = from.localpart.split(separator, 1)
  return (id) => {
    const fromId = formatFromId(keys, login.name, id)
    const localpart = `${base}${separator}${fromId}`
    if (Buffer.byteLength(localpart) > LONGEST_LOCALPART) {
      throw new ApiError(
        'user',
        `From: ${localpart} would be a local part of more than ${LONGEST_LOCALPART} octets`,
      )
    }
    return { fromId, mailFrom: { localpart, domain: from.domain } }
  }
}
