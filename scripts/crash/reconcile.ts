import type { Receipt, SendRecord, StoredMail } from './run-record.ts'

/** Everything that a run left behind. */
export interface Remains {
  readonly sends: readonly SendRecord[]
  readonly receipts: readonly Receipt[]
  readonly mails: readonly StoredMail[]
}

/** More than one of what must be there once. */
export type Duplicate = {
  readonly what: string
  /** The rows one of which is of this mail or call; its attempts must explain the copies. */
  readonly rowIds: readonly number[]
} & (
  | { readonly kind: 'mail'; readonly recipient: string; readonly copies: readonly StoredMail[] }
  | { readonly kind: 'hook'; readonly copies: readonly Receipt[] }
)

/** What does not add up. */
export interface Findings {
  /** Sends that were taken, with those whose answer was lost but whose mails or events are there. */
  readonly accepted: number
  readonly recipients: number
  /** Those of them that nobody was told of. */
  readonly unanswered: number
  /** What is missing, each in words. */
  readonly lost: readonly string[]
  readonly duplicates: readonly Duplicate[]
}

/**
 * Looks for exactly one mail and one `delivered` call per recipient that was taken, and one `incoming` call per mail.
 * A Send without an answer owes nothing, unless one of its recipients got something: then it was taken as a whole.
 */
export function reconcile(remains: Remains): Findings {
  const mails = Map.groupBy(remains.mails, ({ messageId }) => messageId)
  const delivered = Map.groupBy(
    remains.receipts.filter(({ event }) => event === 'delivered'),
    ({ messageId }) => messageId,
  )
  const incoming = Map.groupBy(
    remains.receipts.filter(({ event }) => event === 'incoming'),
    ({ msgId }) => msgId,
  )
  const accepted = remains.sends.filter(
    ({ messageId, queueMsgIds }) =>
      queueMsgIds !== undefined || mails.has(messageId) || delivered.has(messageId),
  )
  const findings = accepted.flatMap((send) => {
    const ownMails = mails.get(send.messageId) ?? []
    const ownEvents = delivered.get(send.messageId) ?? []
    const ids = send.queueMsgIds ?? [...new Set(ownEvents.map(({ queueMsgId }) => queueMsgId))]
    return [
      ...checkMails(send, ids, ownMails),
      ...checkDelivered(send, ids, ownEvents),
      ...ownMails.flatMap((mail) => checkIncoming(mail, incoming.get(mail.id) ?? [])),
    ]
  })
  return {
    accepted: accepted.length,
    recipients: accepted.reduce((sum, { recipients }) => sum + recipients.length, 0),
    unanswered: accepted.filter(({ queueMsgIds }) => queueMsgIds === undefined).length,
    lost: findings.filter((finding) => typeof finding === 'string'),
    duplicates: findings.filter((finding) => typeof finding !== 'string'),
  }
}

type Finding = string | Duplicate

function checkMails(
  { messageId, recipients }: SendRecord,
  rowIds: readonly number[],
  mails: readonly StoredMail[],
): Finding[] {
  return recipients.flatMap((recipient): Finding[] => {
    const copies = mails.filter(({ rcptTo }) => rcptTo === recipient)
    if (copies.length === 0) return [`no mail for ${recipient} of ${messageId}`]
    if (copies.length === 1) return []
    return [{ kind: 'mail', what: `mail for ${recipient} of ${messageId}`, rowIds, recipient, copies }]
  })
}

function checkDelivered(
  { messageId, recipients }: SendRecord,
  ids: readonly number[],
  events: readonly Receipt[],
): Finding[] {
  const missing = recipients.length - ids.length
  const nobodys = missing > 0 ? [`no delivered call for ${missing} of the recipients of ${messageId}`] : []
  const found = ids.flatMap((id): Finding[] => {
    const copies = events.filter(({ queueMsgId }) => queueMsgId === id)
    if (copies.length === 0) return [`no delivered call for message ${id} of ${messageId}`]
    return checkCopies(`delivered call for message ${id} of ${messageId}`, copies)
  })
  return [...nobodys, ...found]
}

function checkIncoming({ id, messageId, rcptTo }: StoredMail, copies: readonly Receipt[]): Finding[] {
  if (copies.length === 0) return [`no incoming call for mail ${id} for ${rcptTo} of ${messageId}`]
  return checkCopies(`incoming call for mail ${id} of ${messageId}`, copies)
}

function checkCopies(what: string, copies: readonly Receipt[]): Finding[] {
  if (copies.length === 1) return []
  return [{ kind: 'hook', what, rowIds: [...new Set(copies.map(({ webhookId }) => webhookId))], copies }]
}
