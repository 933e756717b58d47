import type { Options } from '../account/options.ts'
import { lookUp } from '../base/look-up.ts'
import { correlationOf } from '../dsn/correlate.ts'
import type { DsnReport } from '../dsn/parse.ts'
import { FROM_ID_LENGTH, type FromIdKeys, fromIdKeys, parseFromId } from '../queue/from-id.ts'
import type { QueueStore } from '../queue/queue-store.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import type { AcceptedRecipient } from './accept-recipient.ts'

export interface FindFeedbackPorts {
  readonly queue: Pick<QueueStore, 'read'>
  /** What the keys of FromIDs are made of. */
  readonly fromIdSecret: () => Promise<string>
}

/**
 * The sent message that a received one is about: by the FromID in the address that it came to, else, for a
 * notification, by the envelope id that it returns (RFC 3461 §4.4), which is a FromID too. Only messages of the
 * account that receives it are found.
 */
export async function findFeedback(
  ports: FindFeedbackPorts,
  options: Options,
  { account, address }: AcceptedRecipient,
  report: DsnReport | undefined,
): Promise<QueuedMessage | undefined> {
  const separators = lookUp(options.domains, address.domain)?.separators ?? []
  const texts = separators
    .map((separator) => suffixOf(address.localpart, separator))
    .concat(
      (report ? correlationOf(report) : []).map((key) => (key.by === 'envelopeId' ? key.envelopeId : '')),
    )
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
