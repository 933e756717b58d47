import type { Login } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { fromIdKeys, parseFromId } from '../queue/from-id.ts'
import type { Submission } from '../queue/submit.ts'
import { chosenFromId, uniqueMailFrom } from '../queue/unique-mail-from.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { badSender } from './refusals.ts'

/** The FromID that the submitter chose is another message's. */
export const FROM_ID_USED = badSender('its unique part was used before')

/**
 * The reverse-path of what is submitted under that MAIL FROM: for FromID logins one of its own for each message,
 * unless the submitter has put a unique part into it already. A separator with nothing behind it wants none.
 */
export async function reversePath(
  ports: { readonly fromIdSecret: () => Promise<string> },
  options: Options,
  login: Login,
  mailFrom: Address | undefined,
): Promise<Pick<Submission, 'mailFrom' | 'uniqueMailFrom' | 'chosenFromId'> | Refusal> {
  if (!mailFrom) return {}
  const chosen = chosenFromId(options, login, mailFrom)
  if (chosen === '') return { mailFrom }
  if (chosen === undefined) {
    const unique = await uniqueMailFrom(ports, options, login, mailFrom)
    if (unique && 'mistake' in unique) return badSender(unique.mistake)
    return { mailFrom, ...(unique && { uniqueMailFrom: unique }) }
  }
  if (typeof chosen !== 'string') return badSender(chosen.mistake)
  // One of ours, given back: it is the message's that it was made for.
  const keys = fromIdKeys(await ports.fromIdSecret())
  const isOurs = parseFromId(keys, login.name, chosen) !== undefined
  return isOurs ? FROM_ID_USED : { mailFrom, chosenFromId: chosen }
}
