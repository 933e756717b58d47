import type { Options } from '../account/options.ts'
import type { OptionsStore } from '../account/options-store.ts'
import { type Address, formatAddress } from '../address/address.ts'
import type { HintChannel } from '../attempts/hint-channel.ts'
import { type AuthenticationPorts, authenticate } from '../authentication/authenticate.ts'
import type { Authentication } from '../authentication/authentication.ts'
import { isAuthorValidated } from '../authentication/dmarc.ts'
import { withoutOwnResults } from '../authentication/own-results.ts'
import type { Clock, Instant } from '../base/clock.ts'
import { inGroups } from '../base/in-groups.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import type { ContentStore } from '../content/content-store.ts'
import { keepMail } from '../mailbox/keep-mail.ts'
import type { ReceivedEnvelope } from '../mailbox/mail.ts'
import type { Arrival, MailboxStore } from '../mailbox/mailbox-store.ts'
import { INBOX, type MailboxName } from '../mailbox/mailboxes.ts'
import { hasUnreadAuthors } from '../message/message-fields.ts'
import { readTextBodies } from '../message/text-bodies.ts'
import type { Feedback } from '../queue/feedback.ts'
import type { ReportStore } from '../reports/report.ts'
import type { Refusal } from '../smtp/refusal.ts'
import type { SmtpClient } from '../smtp/smtp-client.ts'
import type { SuppressionStore } from '../suppression/suppression-store.ts'
import { newIncomingCall } from '../webhook/incoming-event.ts'
import { STORED_BODY_KEPT_MS } from '../webhook/stored-body.ts'
import { callHint } from '../webhook/webhook-call.ts'
import type { AcceptedRecipient } from './accept-recipient.ts'
import { type FeedbackStore, receivedFeedback } from './feedback.ts'
import { type FindFeedbackPorts, findFeedback } from './find-feedback.ts'
import { judge } from './judge.ts'
import { type ReportOutcomes, reportKindsAt, takeReports } from './take-reports.ts'
import { formatTraceFields } from './trace-fields.ts'

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
  readonly reports: Pick<ReportStore, 'add'>
  readonly clock: Clock
  readonly random: Random
  /** Resolves after that time, or early when the signal is aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>
  /** Left out where whoever says to be a sender is believed: nothing is verified, and it says so. */
  readonly senderChecks?: AuthenticationPorts
}

/** A message that was not refused. */
interface JudgedMessage extends ReceivedMessage {
  readonly receivedAt: Instant
  readonly mailbox: MailboxName
  readonly authentication?: Authentication
}

/** Octets. Each recipient has a copy with a trace of its own, and a hundred of a large message fit into no memory. */
const MOST_COPIED_AT_ONCE = 33_554_432

/** RFC 7489 §6.6.1: nobody could be asked whether the author is who he says. */
const LONG_FROM: Refusal = { code: 550, enhancedCode: '5.6.0', text: 'the From field is too long' }

/**
 * Takes responsibility for a message, or says why not: when this resolves to undefined, every recipient has it in a
 * mailbox and every account hears of it; of a bounce as an event of the message that it is about. When it throws, the
 * peer is told 451 and comes again (RFC 5321 §6.1 prefers two copies to none).
 */
export async function receive(ports: ReceivePorts, message: ReceivedMessage): Promise<Refusal | undefined> {
  const options = await ports.options.read()
  const judged = await judgeMessage(ports, options.hostname, message)
  if ('code' in judged) return judged
  const reports = await takeReports(ports, options, judged)
  const atOnce = Math.max(1, Math.floor(MOST_COPIED_AT_ONCE / Math.max(1, message.content.length)))
  const copies = await inGroups(message.recipients, atOnce, (recipient) =>
    keepCopy(ports, options, judged, reports, recipient),
  )
  const [calls, told] = await Promise.all([
    ports.mailboxes.append(copies.flatMap((copy) => ('feedback' in copy ? [] : [copy]))),
    Promise.all(
      copies.map(async (copy) => 'feedback' in copy && (await ports.feedback.take(copy, copy.feedback))),
    ),
  ])
  await ports.webhooks.send([...calls, ...told.flatMap((call) => call || [])].map(callHint))
  return undefined
}

/** Finds out whom the message is from, and what is to become of it. */
async function judgeMessage(
  { clock, senderChecks }: ReceivePorts,
  hostname: string,
  message: ReceivedMessage,
): Promise<JudgedMessage | Refusal> {
  const receivedAt = clock.now()
  const content = withoutOwnResults(message.content, hostname)
  if (!senderChecks) return { ...message, content, receivedAt, mailbox: INBOX }
  const authentication = await authenticate(senderChecks, hostname, message)
  const judgement = hasUnreadAuthors(message.content) ? LONG_FROM : judge(authentication)
  if (!('code' in judgement)) return { ...message, content, receivedAt, authentication, ...judgement }
  const { ipAddress, sessionId } = message.client
  senderChecks.log.info('message refused', { sessionId, ipAddress, ...judgement })
  return judgement
}

/** Keeps one recipient's copy, and writes down the mail and the call that announces it. */
async function keepCopy(
  ports: ReceivePorts,
  options: Options,
  message: JudgedMessage,
  reports: ReportOutcomes,
  recipient: AcceptedRecipient,
): Promise<Arrival | (Arrival & { readonly feedback: Feedback })> {
  const { account } = recipient
  const { mailbox, receivedAt } = message
  const envelope = envelopeOf(message, recipient)
  const outcomes = reportKindsAt(options, recipient.address).flatMap((kind) => reports.get(kind) ?? [])
  const isReport = outcomes.some(({ isTaken }) => isTaken)
  const { mail, bytes, report } = await keepMail(ports, {
    account,
    mailbox,
    // Whoever wants to know of a report finds it in the list of reports.
    flags: isReport ? ['\\seen'] : [],
    envelope,
    receivedAt,
    bytesOf: (id) => {
      const trace = formatTraceFields(options.hostname, { ...message, recipient: recipient.address, id })
      // An address may be for both kinds, and a report is of one.
      const errors = isReport ? [] : outcomes.map(({ field }) => field)
      return Buffer.concat([Buffer.from(errors.join('') + trace), message.content])
    },
  })
  const about = await findFeedback(ports, options, recipient, report)
  if (about) {
    const [standing = { failuresInARow: 0 }] = await ports.suppressions.standings(account, [about.recipient])
    const received = { message: about, report, standing, at: receivedAt }
    return { mail, feedback: receivedFeedback({ ...received, account: lookUp(options.accounts, account) }) }
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

function envelopeOf(message: JudgedMessage, recipient: AcceptedRecipient): ReceivedEnvelope {
  const { mailFrom, client, authentication } = message
  const { spf, dkim = [] } = authentication ?? {}
  const signers = dkim.flatMap(({ result, domain }) => (result === 'pass' && domain ? [domain] : []))
  return {
    mailFrom: mailFrom ? formatAddress(mailFrom) : '',
    mailFromValidated: spf?.result === 'pass' && spf.identity === 'mailfrom',
    rcptTo: formatAddress(recipient.address),
    msgFromValidated: authentication !== undefined && isAuthorValidated(authentication),
    dkimVerifiedDomains: [...new Set(signers)],
    remoteIp: client.ipAddress,
  }
}
