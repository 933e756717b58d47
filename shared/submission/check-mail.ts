import type { AddressDirectory } from '../account/address-directory.ts'
import type { Options } from '../account/options.ts'
import { resolveAddress } from '../account/resolve-address.ts'
import type { Address } from '../address/address.ts'
import { DAY, type Instant } from '../base/clock.ts'
import { LARGEST_MESSAGE } from '../queue/submission-limits.ts'
import { tooLarge } from '../smtp/mail-parameters.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { DOMAIN_DISABLED, notYours } from './refusals.ts'
import type { OpenSubmission } from './submission-hooks.ts'

/** RFC 4865 §4 leaves the limit to the server. */
const LONGEST_RELEASE_MS = 60 * DAY

const NEEDS_TLS: Refusal = {
  code: 523,
  enhancedCode: '5.7.10',
  text: 'REQUIRETLS: needs TLS on this connection too',
}
const TOO_FAR_AHEAD: Refusal = {
  code: 554,
  enhancedCode: '5.5.4',
  text: 'HOLDFOR, HOLDUNTIL: must be within 60 days',
}

/** What the parameters of MAIL FROM ask for that cannot be done, if anything. */
export function checkParameters({ mail, client }: OpenSubmission, now: Instant): Refusal | undefined {
  if (mail.requireTls && !client.tls) return NEEDS_TLS
  if (mail.size !== undefined && mail.size > LARGEST_MESSAGE) return tooLarge(LARGEST_MESSAGE)
  if (mail.futureRelease && mail.futureRelease.at > now + LONGEST_RELEASE_MS) return TOO_FAR_AHEAD
  return undefined
}

/** Refuses an address that is not the account's; `field` says where it stood. */
export async function checkOwner(
  ports: { readonly options: Options; readonly directory: AddressDirectory },
  account: string,
  field: string,
  address: Address,
): Promise<Refusal | undefined> {
  const found = await resolveAddress(ports, address)
  if (found.kind === 'domain-disabled') return DOMAIN_DISABLED
  return found.kind === 'account' && found.account === account ? undefined : notYours(field)
}
