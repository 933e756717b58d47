import type { Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import { type Address, formatAddress } from '../address/address.ts'
import type { HintChannel } from '../attempts/hint-channel.ts'
import type { Clock, Instant } from '../base/clock.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import type { RowId } from '../base/row-id.ts'
import type { ContentStore } from '../content/content-store.ts'
import { keepMail } from '../mailbox/keep-mail.ts'
import type { ReceivedEnvelope } from '../mailbox/mail.ts'
import type { Arrival, MailboxStore } from '../mailbox/mailbox-store.ts'
import { INBOX } from '../mailbox/mailboxes.ts'
import { formatReceived } from '../message/received.ts'
import { readTextBodies } from '../message/text-bodies.ts'
import type { SmtpClient } from '../smtp/smtp-client.ts'
import type { SuppressionStore } from '../suppression/suppression-store.ts'
import { newIncomingCall } from '../webhook/incoming-event.ts'
import { STORED_BODY_KEPT_MS } from '../webhook/stored-body.ts'
import { callHint } from '../webhook/webhook-call.ts'
import type { AcceptedRecipient } from './accept-recipient.ts'
import { type Feedback, type FeedbackStore, feedbackOf } from './feedback.ts'
import { type FindFeedbackPorts, findFeedback } from './find-feedback.ts'

/** A mail transaction whose data has come in and whose recipients were accepted. */
export interface ReceivedMessage {
  readonly mailFrom?: Address
  readonly recipients: readonly AcceptedRecipient[]
  readonly content: Uint8Array
  readonly client: SmtpClient
}

export interface ReceivePorts extends FindFeedbackPorts {
  readonly options: OptionsStore
  readonly content: ContentStore
  readonly mailboxes: MailboxStore
  readonly feedback: FeedbackStore
  readonly suppressions: Pick<SuppressionStore, 'standings'>
  readonly webhooks: HintChannel
  readonly clock: Clock
  readonly random: Random
}

/**
 * Takes responsibility for a message: when this returns, every recipient has it in a mailbox and every account
 * hears of it; of a bounce as an event of the message that it is about. When it throws, the peer is told 451 and comes again (RFC 5321 §6.1 prefers two copies to none).
 */
export async function receive(ports: ReceivePorts, message: ReceivedMessage): Promise<void> {
  const options = await ports.options.read()
  const receivedAt = ports.clock.now()
  const copies = await Promise.all(
    message.recipients.map((recipient) => keepCopy(ports, options, message, recipient, receivedAt)),
  )
  const [calls, told] = await Promise.all([
    ports.mailboxes.append(copies.flatMap((copy) => ('feedback' in copy ? [] : [copy]))),
    Promise.all(
      copies.map(async (copy) => 'feedback' in copy && (await ports.feedback.take(copy, copy.feedback))),
    ),
  ])
  await ports.webhooks.send([...calls, ...told.flatMap((call) => call || [])].map(callHint))
}

/** Keeps one recipient's copy, and writes down the mail and the call that announces it. */
async function keepCopy(
  ports: ReceivePorts,
  options: Options,
  message: ReceivedMessage,
  recipient: AcceptedRecipient,
  receivedAt: Instant,
): Promise<Arrival | (Arrival & { readonly feedback: Feedback })> {
  const { account } = recipient
  const envelope = envelopeOf(message, recipient)
  const { mail, bytes, report } = await keepMail(ports, {
    account,
    mailbox: INBOX,
    flags: [],
    envelope,
    receivedAt,
    bytesOf: (id) => {
      const trace = traceFields(options.hostname, message, recipient.address, id, receivedAt)
      return Buffer.concat([Buffer.from(trace), message.content])
    },
  })
  const about = await findFeedback(ports, options, recipient, report)
  if (about) {
    const [standing = { failuresInARow: 0 }] = await ports.suppressions.standings(account, [about.recipient])
    const received = { message: about, report, standing, at: receivedAt }
    return { mail, feedback: feedbackOf({ ...received, account: lookUp(options.accounts, account) }) }
  }
  const incoming = newIncomingCall(lookUp(options.accounts, account), {
    account,
    msgId: mail.id,
    mailboxName: mail.mailbox,
    receivedAt,
    ...envelope,
    fields: mail.fields,
    bodies: readTextBodies(bytes, mail.tree),
    tree: mail.tree,
  })
  if (incoming?.stored) {
    await ports.content.create(incoming.stored.name, incoming.stored.bytes, receivedAt + STORED_BODY_KEPT_MS)
  }
  return { mail, ...(incoming && { call: incoming.call }) }
}

/** Nothing is verified yet, and it says so. */
function envelopeOf({ mailFrom, client }: ReceivedMessage, recipient: AcceptedRecipient): ReceivedEnvelope {
  return {
    mailFrom: mailFrom ? formatAddress(mailFrom) : '',
    mailFromValidated: false,
    rcptTo: formatAddress(recipient.address),
    msgFromValidated: false,
    dkimVerifiedDomains: [],
    remoteIp: client.ipAddress,
  }
}

/** Return-Path and Received (RFC 5321 §4.4), and the address that was asked for. */
function traceFields(
  hostname: string,
  { mailFrom, client }: ReceivedMessage,
  recipient: Address,
  id: RowId,
  receivedAt: Instant,
): string {
  const received = formatReceived({
    from: { hello: client.hello, ipAddress: client.ipAddress },
    by: hostname,
    with: client.protocol,
    id: String(id),
    for: recipient,
    at: receivedAt,
  })
  const returnPath = mailFrom ? formatAddress(mailFrom) : ''
  return `Return-Path: <${returnPath}>\r\nDelivered-To: ${formatAddress(recipient)}\r\n${received}`
}
