import type { Options } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { chooseTransport, type RoutedMessage } from './choose-transport.ts'

/** The largest message that is taken, in octets as it goes out (mox's default). */
export const LARGEST_MESSAGE = 104_857_600
/** The same of SES (Amazon SES Developer Guide, "Service quotas": 40 MB, after base64). */
export const LARGEST_ON_SES = 41_943_040

/**
 * Octets of what lies in every row of a message. Every event has both twice in one item, once as JSON that makes up
 * to six octets of one; an item has at most 400 KB (DynamoDB, "Service, account, and table quotas"), and an event
 * that cannot be written down would be a message that is delivered again and again.
 */
export const LARGEST_SUBJECT = 8_192
/** The same of all extra data, as JSON. */
export const LARGEST_EXTRA = 32_768

/** A message that is to be queued, as far as routes are about it. */
type RoutedSubmission = Pick<RoutedMessage, 'account' | 'mailFrom'> & {
  readonly recipients: readonly Address[]
}

/** The largest message, in octets, that the transports of all recipients carry, by the routes as they are now. */
export function largestMessage(options: Options, { recipients, ...message }: RoutedSubmission): number {
  const isOnSes = (recipient: Address) =>
    chooseTransport(options, { ...message, recipient, transport: '' }, 0).kind === 'ses'
  return recipients.some(isOnSes) ? LARGEST_ON_SES : LARGEST_MESSAGE
}
