import { formatAddress, parseAddress } from '../../address/address.ts'
import type { AttemptRow } from '../../attempts/attempt-row.ts'
import type { RowId } from '../../base/row-id.ts'
import type {
  DeliveryResult,
  DsnRequest,
  MessageEdit,
  NoticeKind,
  QueuedMessage,
} from '../../queue/queued-message.ts'
import type { RowFormat } from './attempt-items.ts'
import { keys } from './table.ts'

/** How queued and retired messages lie in the table. */
export const messageFormat: RowFormat<QueuedMessage, DeliveryResult, MessageEdit> = {
  kind: 'mail',
  key: keys.message,
  attributes: (row) => ({
    base: row.base,
    recipients: row.recipients,
    mailFrom: row.mailFrom ? formatAddress(row.mailFrom) : '',
    recipient: formatAddress(row.recipient),
    fromId: row.fromId,
    messageId: row.messageId,
    subject: row.subject,
    size: row.size,
    has8bit: row.has8bit,
    smtputf8: row.smtputf8,
    extra: row.extra,
    ...(row.transport !== '' && { transport: row.transport }),
    ...(row.requireTls !== undefined && { requireTls: row.requireTls }),
    ...(row.futureRelease !== '' && { futureRelease: row.futureRelease }),
    ...(row.dsn && { dsn: row.dsn }),
  }),
  edited: ({ transport, requireTls }) => ({
    ...(transport !== undefined && { transport: transport === '' ? undefined : transport }),
    ...(requireTls !== undefined && { requireTls: requireTls === 'no wish' ? undefined : requireTls }),
  }),
  parse: (item, common) => {
    const stored = item as unknown as StoredMessage
    return {
      ...(common as AttemptRow<DeliveryResult> & { readonly owed?: NoticeKind }),
      base: stored.base as RowId,
      recipients: stored.recipients,
      ...(stored.mailFrom !== '' && { mailFrom: parseAddress(stored.mailFrom) }),
      recipient: parseAddress(stored.recipient),
      fromId: stored.fromId,
      messageId: stored.messageId,
      subject: stored.subject,
      size: stored.size,
      has8bit: stored.has8bit,
      smtputf8: stored.smtputf8,
      extra: stored.extra,
      transport: stored.transport ?? '',
      ...(stored.requireTls !== undefined && { requireTls: stored.requireTls }),
      futureRelease: stored.futureRelease ?? '',
      ...(stored.dsn && { dsn: stored.dsn }),
      ...(stored.lastCall !== undefined && { lastCall: stored.lastCall as RowId }),
    }
  },
}

interface StoredMessage {
  readonly base: number
  readonly recipients: number
  readonly mailFrom: string
  readonly recipient: string
  readonly fromId: string
  readonly messageId: string
  readonly subject: string
  readonly size: number
  readonly has8bit: boolean
  readonly smtputf8: boolean
  readonly extra: Readonly<Record<string, string>>
  readonly transport?: string
  readonly requireTls?: boolean
  readonly futureRelease?: string
  readonly dsn?: DsnRequest
  readonly lastCall?: number
}
