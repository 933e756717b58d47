import type { Account } from '../account/options.ts'
import { formatInstant, type Instant } from '../base/clock.ts'
import { type RowId, rowIdAt } from '../base/row-id.ts'
import type { ContentName } from '../content/content-store.ts'
import type { MessageFields } from '../message/message-fields.ts'
import type { MimePart } from '../message/mime-tree.ts'
import type { TextBodies } from '../message/text-bodies.ts'
import { wireAddresses, wireStructure, wireTime } from '../message/wire-message.ts'
import { storedBodyName } from './stored-body.ts'
import { newCall, type WebhookCall } from './webhook-call.ts'
import { webhookJson } from './webhook-json.ts'

/** A message that arrived for the account. */
export interface IncomingEvent {
  readonly account: string
  readonly msgId: RowId
  readonly mailboxName: string
  readonly receivedAt: Instant
  readonly mailFrom: string
  readonly mailFromValidated: boolean
  readonly msgFromValidated: boolean
  readonly rcptTo: string
  readonly dkimVerifiedDomains: readonly string[]
  readonly remoteIp: string
  readonly fields: MessageFields
  readonly bodies: TextBodies
  readonly tree: MimePart
}

/** The largest body that lies in the row itself, where every attempt writes it anew. */
const LARGEST_INLINE = 2048

/** A call, and the body to be stored before it where it is too large for the row. */
export interface NewIncomingCall {
  readonly call: WebhookCall
  readonly stored?: { readonly name: ContentName; readonly bytes: Uint8Array }
}

/** The call that reports the arrival, unless the account has no webhook for it, or a disabled one. */
export function newIncomingCall(
  account: Account | undefined,
  event: IncomingEvent,
): NewIncomingCall | undefined {
  const webhook = account?.incomingWebhook
  if (!webhook || webhook.disabledAt !== undefined) return undefined
  const json = incomingPayload(event)
  const bytes = Buffer.from(json)
  const name = storedBodyName(event.account, event.msgId)
  const inline = bytes.length <= LARGEST_INLINE
  return {
    call: newCall({
      account: event.account,
      id: rowIdAt(event.receivedAt, event.msgId),
      queuedAt: event.receivedAt,
      url: webhook.url,
      authorization: webhook.authorization,
      event: 'incoming',
      body: inline ? { json } : { stored: name },
      queueMsgId: 0,
      fromId: '',
      messageId: event.fields.messageId,
      subject: event.fields.subject,
      extra: {},
      keepRetiredMs: account.keepRetiredWebhooksMs,
      supersedes: false,
    }),
    ...(!inline && { stored: { name, bytes } }),
  }
}

/** The body of the call, field for field as mox writes it. */
export function incomingPayload(event: IncomingEvent): string {
  const { fields, bodies } = event
  return webhookJson({
    Version: 0,
    From: wireAddresses(fields.from),
    To: wireAddresses(fields.to),
    CC: wireAddresses(fields.cc),
    BCC: wireAddresses(fields.bcc),
    ReplyTo: wireAddresses(fields.replyTo),
    Subject: fields.subject,
    MessageID: fields.messageId,
    InReplyTo: fields.inReplyTo,
    References: fields.references,
    Date: wireTime(fields.date),
    Text: bodies.text,
    HTML: bodies.html,
    Structure: wireStructure(event.tree),
    Meta: {
      MsgID: event.msgId,
      MailFrom: event.mailFrom,
      MailFromValidated: event.mailFromValidated,
      MsgFromValidated: event.msgFromValidated,
      RcptTo: event.rcptTo,
      DKIMVerifiedDomains: event.dkimVerifiedDomains,
      RemoteIP: event.remoteIp,
      Received: formatInstant(event.receivedAt),
      MailboxName: event.mailboxName,
      Automated: event.mailFrom === '' || fields.automated,
    },
  })
}
