import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../gateway/json-service.ts'
import type { Deployment } from '../template/resource.ts'
import { type HeaderField, readHeader, valuesOf } from './raw-message.ts'
import { type Outcome, outcomeFor } from './simulator.ts'
import type { AcceptedMail } from './store.ts'

/** An event of SES before it is in EventBridge's envelope. */
interface SesEvent {
  /** As an event destination names it: `DELIVERY`. */
  readonly type: string
  readonly detail: JsonObject
}

/** What EventBridge calls each event (Amazon EventBridge Events Reference, "Amazon Simple Email Service events"). */
const detailTypes: Readonly<Record<string, string>> = {
  SEND: 'Email Sent',
  DELIVERY: 'Email Delivered',
  BOUNCE: 'Email Bounced',
  COMPLAINT: 'Email Complaint Received',
  DELIVERY_DELAY: 'Email Delivery Delayed',
}

/**
 * The events of a mail in the order in which SES comes to know of them, of those types that `wanted` names
 * (Amazon SES Developer Guide, "Contents of event data that Amazon SES publishes").
 */
export function eventsOf(
  mail: AcceptedMail,
  wanted: ReadonlySet<string>,
  deployment: Deployment,
): readonly JsonObject[] {
  const about = describeMail(mail, deployment)
  const at = new Date(mail.acceptedAt).toISOString()
  const events = [
    { type: 'SEND', detail: { eventType: 'Send', mail: about, send: {} } },
    ...mail.destination.flatMap((address) => outcomeEvents(address, outcomeFor(address), about, at)),
  ]
  return events.filter(({ type }) => wanted.has(type)).map((event) => enveloped(event, mail, deployment))
}

function outcomeEvents(
  address: string,
  outcome: Outcome,
  mail: JsonObject,
  timestamp: string,
): readonly SesEvent[] {
  if (outcome.kind === 'bounced') return bounceEvents(address, outcome, mail, timestamp)
  const delivery = {
    timestamp,
    processingTimeMillis: 1,
    recipients: [address],
    smtpResponse: '250 2.0.0 OK',
    remoteMtaIp: '127.0.0.1',
    reportingMTA: REPORTING_MTA,
  }
  const delivered = { type: 'DELIVERY', detail: { eventType: 'Delivery', mail, delivery } }
  if (outcome.followedBy === undefined) return [delivered]
  const complaint = {
    feedbackId: randomUUID(),
    complaintSubType: null,
    complainedRecipients: [{ emailAddress: address }],
    timestamp,
    userAgent: 'Amazon SES Mailbox Simulator',
    complaintFeedbackType: 'abuse',
    arrivalDate: timestamp,
  }
  return [delivered, { type: 'COMPLAINT', detail: { eventType: 'Complaint', mail, complaint } }]
}

function bounceEvents(
  emailAddress: string,
  { type, subType, code, isDelayed }: Outcome & { readonly kind: 'bounced' },
  mail: JsonObject,
  timestamp: string,
): readonly SesEvent[] {
  const status = `${Math.floor(code / 100)}.${code === 550 ? '1.1' : '0.0'}`
  const diagnosticCode =
    subType === 'Suppressed'
      ? 'Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.'
      : `smtp; ${code} ${status} simulated failure`
  const bounce = {
    feedbackId: randomUUID(),
    bounceType: type,
    bounceSubType: subType,
    bouncedRecipients: [{ emailAddress, action: 'failed', status, diagnosticCode }],
    timestamp,
    remoteMtaIp: '127.0.0.1',
    reportingMTA: `dns; ${REPORTING_MTA}`,
  }
  const bounced = { type: 'BOUNCE', detail: { eventType: 'Bounce', mail, bounce } }
  if (!isDelayed) return [bounced]
  const deliveryDelay = {
    timestamp,
    delayType: 'TransientCommunicationFailure',
    expirationTime: new Date(Date.parse(timestamp) + 14 * 3_600_000).toISOString(),
    delayedRecipients: [{ emailAddress, status, diagnosticCode }],
    reportingMTA: REPORTING_MTA,
  }
  return [{ type: 'DELIVERY_DELAY', detail: { eventType: 'DeliveryDelay', mail, deliveryDelay } }, bounced]
}

const REPORTING_MTA = 'a1-1.smtp-out.amazonses.com'

function describeMail(mail: AcceptedMail, { accountId, region }: Deployment): JsonObject {
  const { messageId, acceptedAt, source, destination, configurationSet, tags } = mail
  const header = readHeader(mail.raw)
  const shown = firstFields(header)
  const [subject] = valuesOf(shown, 'Subject')
  const own = Object.entries(tags).map(([name, value]) => [name, [value]])
  return {
    timestamp: new Date(acceptedAt).toISOString(),
    source,
    sourceArn: `arn:aws:ses:${region}:${accountId}:identity/${source.slice(source.lastIndexOf('@') + 1)}`,
    sendingAccountId: accountId,
    messageId,
    destination,
    headersTruncated: shown.length < header.length,
    headers: shown,
    commonHeaders: {
      from: valuesOf(shown, 'From'),
      to: valuesOf(shown, 'To'),
      messageId,
      ...(subject !== undefined && { subject }),
    },
    tags: {
      ...(configurationSet !== undefined && { 'ses:configuration-set': [configurationSet] }),
      'ses:from-domain': [source.slice(source.lastIndexOf('@') + 1)],
      ...Object.fromEntries(own),
    },
  }
}

/** Header fields up to 10 KB; what is beyond is "truncated" (Developer Guide, "Mail object"). */
function firstFields(header: readonly HeaderField[]): readonly HeaderField[] {
  let octets = 0
  return header.filter(({ name, value }) => {
    octets += Buffer.byteLength(name) + Buffer.byteLength(value)
    return octets <= 10_240
  })
}

function enveloped(
  { type, detail }: SesEvent,
  { acceptedAt, configurationSet }: AcceptedMail,
  { accountId, region }: Deployment,
): JsonObject {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailTypes[type],
    source: 'aws.ses',
    account: accountId,
    time: new Date(acceptedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [`arn:aws:ses:${region}:${accountId}:configuration-set/${configurationSet}`],
    detail,
  }
}
