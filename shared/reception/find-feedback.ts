import type { Options } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import { rowIdPlus } from '../base/row-id.ts'
import { type CorrelationKey, correlationOf } from '../dsn/correlate.ts'
import type { DsnReport } from '../dsn/parse.ts'
import { FROM_ID_LENGTH, type FromIdKeys, fromIdKeys, parseFromId } from '../queue/from-id.ts'
import type { QueueStore } from '../queue/queue-store.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import type { AcceptedRecipient } from './accept-recipient.ts'

export interface FindFeedbackPorts {
  readonly queue: Pick<QueueStore, 'read' | 'decision' | 'sentUnder'>
  /** What the keys of FromIDs are made of. */
  readonly fromIdSecret: () => Promise<string>
}

/**
 * The sent message that a received one is about: by the FromID in the address that it came to, else, for a
 * notification, by the envelope id that it returns (RFC 3461 §4.4), which is a FromID too, else by the Message-ID
 * of what it returns. Only messages of the account that receives it are found.
 */
export async function findFeedback(
  ports: FindFeedbackPorts,
  options: Options,
  recipient: AcceptedRecipient,
  report: DsnReport | undefined,
): Promise<QueuedMessage | undefined> {
  const keys = report ? correlationOf(report) : []
  const byFromId = await findByFromId(ports, options, recipient, keys)
  if (byFromId) return byFromId
  const byMessageId = keys.find((key) => key.by === 'messageId')
  return byMessageId && (await findByMessageId(ports, recipient.account, byMessageId))
}

async function findByFromId(
  ports: FindFeedbackPorts,
  options: Options,
  { account, address }: AcceptedRecipient,
  correlation: readonly CorrelationKey[],
): Promise<QueuedMessage | undefined> {
  const separators = lookUp(options.domains, address.domain)?.separators ?? []
  const texts = separators
    .map((separator) => suffixOf(address.localpart, separator))
    .concat(correlation.map((key) => (key.by === 'envelopeId' ? key.envelopeId : '')))
    .filter((text) => text.length === FROM_ID_LENGTH)
  if (texts.length === 0) return undefined
  const keys = fromIdKeys(await ports.fromIdSecret())
  for (const text of texts) {
    const message = await read(ports, keys, account, text)
    if (message) return message
  }
  return undefined
}

async function read(ports: FindFeedbackPorts, keys: FromIdKeys, account: string, fromId: string) {
  const id = parseFromId(keys, account, fromId)
  return id === undefined ? undefined : await ports.queue.read(account, id)
}

function suffixOf(localpart: string, separator: string): string {
  const at = localpart.indexOf(separator)
  return at < 0 ? '' : localpart.slice(at + separator.length)
}

/** A notification that names a hundred recipients tells of none. */
const MOST_CANDIDATES = 100

/** A Send to one recipient is meant whatever address its mail was forwarded to; of several, the one that is named. */
async function findByMessageId(
  { queue }: FindFeedbackPorts,
  account: string,
  { messageId, recipients }: Extract<CorrelationKey, { readonly by: 'messageId' }>,
): Promise<QueuedMessage | undefined> {
  const sent = await queue.sentUnder(account, messageId)
  if (!sent) return undefined
  if (sent.recipients === 1) return await queue.read(account, sent.base)
  const decision = await queue.decision(sent.base)
  if (decision?.kind !== 'committed') return undefined
  for (const recipient of recipients) {
    const places = lookUp(decision.domains, recipient.domain) ?? []
    for (const place of places.slice(0, MOST_CANDIDATES)) {
      const row = await queue.read(account, rowIdPlus(sent.base, place))
      if (row && isSame(row.recipient, recipient)) return row
    }
  }
  return undefined
}

/** Servers on the way may have folded the case of local parts. */
function isSame(one: Address, other: Address): boolean {
  return one.domain === other.domain && one.localpart.toLowerCase() === other.localpart.toLowerCase()
}
