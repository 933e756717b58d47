import type { Options } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { lookUp } from '../base/look-up.ts'
import { type RowId, rowIdPlus } from '../base/row-id.ts'
import { type CorrelationKey, correlationOf } from '../dsn/correlate.ts'
import type { DsnReport } from '../dsn/parse.ts'
import { FROM_ID_LENGTH, fromIdKeys, parseFromId } from '../queue/from-id.ts'
import type { QueueStore } from '../queue/queue-store.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import type { AcceptedRecipient } from './accept-recipient.ts'

export interface FindFeedbackPorts {
  readonly queue: Pick<QueueStore, 'read' | 'decision' | 'sentUnder' | 'sentWithChosen'>
  /** What the keys of FromIDs are made of. */
  readonly fromIdSecret: () => Promise<string>
}

/**
 * The sent message that a received one is about: by the FromID in the address that it came to, ours or one that the
 * submitter chose, else, for a notification, by the envelope id that it returns (RFC 3461 §4.4), which is a FromID
 * too, else by the Message-ID of what it returns. Only messages of the account that receives it are found.
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
  const suffixes = separators
    .map((separator) => suffixOf(address.localpart, separator))
    .filter((text) => text !== '')
  const returned = correlation.map((key) => (key.by === 'envelopeId' ? key.envelopeId : ''))
  const own = await ownFromIds(ports, account, [...suffixes, ...returned])
  for (const id of own) {
    const message = await ports.queue.read(account, id)
    if (message) return message
  }
  for (const suffix of own.length > 0 ? [] : suffixes) {
    const id = await ports.queue.sentWithChosen(account, suffix)
    if (id !== undefined) return await ports.queue.read(account, id)
  }
  return undefined
}

/** The messages that those of the texts name that are FromIDs we have made. */
async function ownFromIds(
  ports: FindFeedbackPorts,
  account: string,
  texts: readonly string[],
): Promise<readonly RowId[]> {
  const candidates = texts.filter((text) => text.length === FROM_ID_LENGTH)
  if (candidates.length === 0) return []
  const keys = fromIdKeys(await ports.fromIdSecret())
  return candidates.flatMap((text) => parseFromId(keys, account, text) ?? [])
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
