import type { OptionsStore } from '../account/options-store.ts'
import { formatAddress } from '../address/address.ts'
import { countedAttempts } from '../attempts/attempt-row.ts'
import type { Clock, Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type ContentStore, queueContent } from '../content/content-store.ts'
import { composeDsn } from '../dsn/compose.ts'
import { keepMail } from '../mailbox/keep-mail.ts'
import type { NewMail } from '../mailbox/mail.ts'
import { INBOX } from '../mailbox/mailboxes.ts'
import type { NoticeKind, QueuedMessage } from './queued-message.ts'
import { expectedAttempts } from './retry-schedule.ts'

/** Port: notices to senders. */
export interface NoticeStore {
  /** Puts the notice into its mailbox and marks it as given, in one transaction; nothing happens if it was given. */
  give(row: QueuedMessage, mail: NewMail): Promise<void>
}

export interface NoticePorts {
  readonly options: OptionsStore
  readonly content: ContentStore
  readonly notices: NoticeStore
  readonly clock: Clock
  readonly random: Random
}

/** Puts the notice that an outcome owes into the sender's Inbox (RFC 3464), once, however often it is called. */
export async function giveNotice(ports: NoticePorts, row: QueuedMessage): Promise<void> {
  const { mailFrom, owed } = row
  if (!mailFrom || !owed) return
  const { hostname } = await ports.options.read()
  const at = ports.clock.now()
  const bytes = await compose(ports, row, owed, hostname, at)
  const { mail } = await keepMail(ports, {
    account: row.account,
    mailbox: INBOX,
    flags: [],
    envelope: {
      mailFrom: '',
      mailFromValidated: false,
      rcptTo: formatAddress(mailFrom),
      msgFromValidated: false,
      dkimVerifiedDomains: [],
      remoteIp: '',
    },
    receivedAt: at,
    bytesOf: () => bytes,
  })
  await ports.notices.give(row, mail)
}

async function compose(
  { content, random }: NoticePorts,
  row: QueuedMessage,
  action: NoticeKind,
  hostname: string,
  at: Instant,
): Promise<Uint8Array> {
  const last = row.results.findLast(({ notification }) => notification === undefined)
  const lastAttemptAt = last?.startedAt ?? row.queuedAt
  const message = (await content.read(queueContent(row.base))) ?? new Uint8Array()
  const following = action === 'delayed' ? expectedAttempts(countedAttempts(row), row.nextAt) : []
  const givenUpAt = following.at(-1)
  return composeDsn({
    action,
    hostname,
    messageId: `<${Buffer.from(random.bytes(16)).toString('base64url')}@${hostname}>`,
    at,
    to: row.mailFrom ?? row.recipient,
    recipient: row.recipient,
    original: {
      messageId: row.messageId,
      headerSection: message,
      ...(row.dsn?.return === 'FULL' && { wholeMessage: message }),
      arrivedAt: row.queuedAt,
      envelopeId: row.dsn?.envelopeId ?? row.fromId,
      originalRecipient: row.dsn?.originalRecipient ?? '',
      ...(row.futureRelease !== '' && { futureReleaseRequest: row.futureRelease }),
    },
    outcome: {
      code: last?.code ?? 0,
      enhancedCode: last?.enhancedCode ?? '',
      error: last?.error ?? '',
      ...(last?.remote && { remoteHost: last.remote.host }),
    },
    lastAttemptAt,
    ...(givenUpAt !== undefined && { nextAttempts: following, willRetryUntil: givenUpAt }),
    smtputf8: row.smtputf8,
  })
}
