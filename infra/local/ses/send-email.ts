import { randomUUID } from 'node:crypto'
import { type JsonObject, ServiceError } from '../gateway/json-service.ts'
import type { Deployment } from '../template/resource.ts'
import { publishedTypes, requireConfigurationSet } from './configuration-sets.ts'
import type { Fate } from './event-outbox.ts'
import { eventsOf } from './events.ts'
import { mayBeSender } from './identities.ts'
import { badRequest, objectList, optionalObject, optionalText, requiredText, textList } from './input.ts'
import { addressesIn, type HeaderField, readAddresses, readHeader, repeatedField } from './raw-message.ts'
import type { SendQuota } from './send-quota.ts'
import type { SesSettings } from './settings.ts'
import type { AcceptedMail, SesStore } from './store.ts'

/** What sending works on. */
export interface Sending {
  readonly store: SesStore
  readonly deployment: Deployment
  readonly settings: SesSettings
  readonly quota: SendQuota
  readonly fate: Fate
  readonly now: () => number
}

/** Octets of a message, 40 MB (Amazon SES Developer Guide, "Service quotas"). */
const LARGEST_MESSAGE = 40 * 1024 ** 2
const MOST_RECIPIENTS = 50
const DAY_MS = 24 * 3_600_000

/** Accepts a raw message, or refuses it in SES's words. */
export function sendEmail(sending: Sending, input: JsonObject): JsonObject {
  const { store, deployment, fate, now } = sending
  requireHealthyAccount(sending)
  const configurationSet = optionalText(input, 'ConfigurationSetName')
  const set = configurationSet === undefined ? undefined : requireConfigurationSet(store, configurationSet)
  if (set?.isSendingEnabled === false) {
    throw new ServiceError('SendingPausedException', `Sending is paused for <${configurationSet}>.`)
  }
  const raw = readRaw(input)
  const header = readHeader(raw)
  const source = requireSender(store, deployment, input, header)
  const destination = readDestination(input, header)
  const repeated = repeatedField(header)
  if (repeated !== undefined) throw badRequest(`Duplicate header '${repeated}'.`)
  const tags = readTags(input)
  takeQuota(sending, destination.length)
  const mail: AcceptedMail = {
    messageId: newMessageId(now()),
    acceptedAt: now(),
    ...{ source, destination, configurationSet, tags, raw },
  }
  const events = set === undefined ? [] : eventsOf(mail, publishedTypes(set), deployment)
  store.accept(mail, fate(events, mail.acceptedAt))
  return { MessageId: mail.messageId }
}

/** What GetAccount says of sending. */
export function describeAccount({ store, settings, now }: Sending): JsonObject {
  return {
    DedicatedIpAutoWarmupEnabled: false,
    EnforcementStatus: settings.account === 'healthy' ? 'HEALTHY' : 'SHUTDOWN',
    ProductionAccessEnabled: true,
    SendQuota: {
      Max24HourSend: settings.max24HourSend,
      MaxSendRate: settings.maxSendRate,
      SentLast24Hours: store.recipientsSince(now() - DAY_MS),
    },
    SendingEnabled: settings.account === 'healthy' && store.isSendingEnabled(),
    SuppressionAttributes: { SuppressedReasons: ['BOUNCE', 'COMPLAINT'] },
  }
}

function requireHealthyAccount({ store, settings }: Sending): void {
  if (settings.account === 'suspended') {
    const text =
      "The message can't be sent because the account's ability to send email has been permanently restricted."
    throw new ServiceError('AccountSuspendedException', text)
  }
  if (settings.account === 'healthy' && store.isSendingEnabled()) return
  const advice =
    'For more information, please check the inbox of the email address associated with your AWS account.'
  throw new ServiceError('SendingPausedException', `Sending paused for this account. ${advice}`)
}

function readRaw(input: JsonObject): Buffer {
  const content = optionalObject(input, 'Content') ?? {}
  const data = optionalObject(content, 'Raw')
  if (data === undefined) throw badRequest('The local SES takes raw messages only: Content.Raw.')
  const raw = Buffer.from(requiredText(data, 'Data'), 'base64')
  if (raw.length <= LARGEST_MESSAGE) return raw
  throw badRequest(`Message length is more than ${LARGEST_MESSAGE} bytes long: '${raw.length}'.`)
}

/** All whom a recipient could take for the sender must be verified, as SES's error says: all that are not are named. */
function requireSender(
  store: SesStore,
  { region }: Deployment,
  input: JsonObject,
  header: readonly HeaderField[],
): string {
  const authors = addressesIn(header, 'From')
  const given = readAddresses(optionalText(input, 'FromEmailAddress') ?? '')
  const [source] = [...given, ...authors]
  if (source === undefined) throw badRequest("Missing required header 'From'.")
  const others = [...addressesIn(header, 'Sender'), ...addressesIn(header, 'Return-Path')]
  const unverified = [...new Set([...given, ...authors, ...others])].filter(
    (each) => !mayBeSender(store, each),
  )
  if (unverified.length === 0) return source
  const failed = `The following identities failed the check in region ${region.toUpperCase()}: ${unverified.join(', ')}`
  throw new ServiceError('MessageRejected', `Email address is not verified. ${failed}`)
}

function readDestination(input: JsonObject, header: readonly HeaderField[]): readonly string[] {
  const given = optionalObject(input, 'Destination') ?? {}
  const named = ['ToAddresses', 'CcAddresses', 'BccAddresses'].flatMap((name) => textList(given, name))
  const fields = ['To', 'Cc', 'Bcc'].flatMap((name) => addressesIn(header, name))
  const recipients = named.length > 0 ? named.flatMap(readAddresses) : fields
  if (recipients.length === 0) throw badRequest("Missing required header 'To'.")
  if (recipients.length > MOST_RECIPIENTS) throw badRequest(`Recipient count exceeds ${MOST_RECIPIENTS}.`)
  // SES knows no SMTPUTF8 (SendEmail, "Amazon SES does not support the SMTPUTF8 extension").
  const wrong = recipients.find((address) => !/^[!-?A-~]+@[!-?A-~]+$/.test(address))
  if (wrong !== undefined) throw badRequest(`Illegal address: ${wrong}`)
  return recipients
}

function readTags(input: JsonObject): Readonly<Record<string, string>> {
  const tags = objectList(input, 'EmailTags').map((tag) => {
    const [name, value] = [requiredText(tag, 'Name'), requiredText(tag, 'Value')]
    for (const text of [name, value]) {
      if (/^[A-Za-z0-9_-]{1,256}$/.test(text)) continue
      throw badRequest(`Invalid tag <${text}>: only alphanumeric ASCII characters, '_', and '-' are allowed.`)
    }
    return [name, value] as const
  })
  return Object.fromEntries(tags)
}

function takeQuota({ store, settings, quota, now }: Sending, recipients: number): void {
  if (store.recipientsSince(now() - DAY_MS) >= settings.max24HourSend) {
    throw new ServiceError('TooManyRequestsException', 'Daily message quota exceeded.', 429)
  }
  if (quota.take(recipients, settings.maxSendRate, now())) return
  throw new ServiceError('TooManyRequestsException', 'Maximum sending rate exceeded.', 429)
}

function newMessageId(now: number): string {
  return `0100${now.toString(16).padStart(12, '0')}-${randomUUID()}-000000`
}
