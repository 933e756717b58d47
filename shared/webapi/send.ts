import type { Login } from '../account/log-in.ts'
import { resolveAddress } from '../account/resolve-address.ts'
import type { Address } from '../address/address.ts'
import { DAY, type Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { composeMessage, type MessageDraft } from '../message/compose.ts'
import type { NamedAddress } from '../message/header-field.ts'
import { MessageSyntaxError } from '../message/message-syntax-error.ts'
import { formatReceived } from '../message/received.ts'
import { largestMessage } from '../queue/submission-limits.ts'
import { type KeptBase, MOST_RECIPIENTS, submit } from '../queue/submit.ts'
import { uniqueMailFrom } from '../queue/unique-mail-from.ts'
import type { FutureRelease } from '../smtp/future-release.ts'
import { ApiError, type ApiErrorCode } from './api-error.ts'
import type { CallContext, CallResult } from './call-context.ts'
import { unlessLimitReached } from './daily-limits.ts'
import { readAddress } from './read-address.ts'
import { requestHash } from './request-hash.ts'
import { saveSent } from './save-sent.ts'
import { type LoadedFiles, loadFiles, useUploads } from './send-files.ts'
import { type PreparedMessage, type SendSteps, sendOnce } from './send-once.ts'
import { type RequestAddress, readSendRequest, type SendFiles, type SendRequest } from './send-request.ts'

const USER_AGENT = 'postern/0.1.0'
/** RFC 4865 §4 leaves the limit to the server. */
const LONGEST_RELEASE_MS = 60 * DAY

/** The addresses of a message, read. */
interface Addressed {
  readonly from: NamedAddress
  readonly replyTo: readonly NamedAddress[]
  readonly to: readonly NamedAddress[]
  readonly cc: readonly NamedAddress[]
  readonly bcc: readonly NamedAddress[]
}

/** A Send as it was asked for; reading it changed nothing. */
interface Order {
  readonly request: SendRequest
  readonly files: SendFiles
  readonly addressed: Addressed
  /** Names this Send to its uploads; a repeated one has the same name. */
  readonly name: string
}

/** Send: composes a message and queues it, once for each recipient. */
export async function send(call: CallContext): Promise<CallResult> {
  const { request, files } = readSendRequest(call.body)
  if (request.Text === '' && request.HTML === '')
    throw new ApiError('missingBody', 'Text, HTML: one is needed')
  const addressed = readAddresses(request, call.login)
  const key = readIdempotencyKey(call.idempotencyKey)
  const name = key === undefined ? `once ${drawText(call.ports.random)}` : `key ${key}`
  const order = { request, files, addressed, name }
  if (key === undefined) {
    return resultOf(await accept(call, order, await prepare(call, order)))
  }
  const steps: SendSteps = {
    prepare: (messageId) => prepare(call, order, messageId),
    accept: (message, base, isRepeated) => accept(call, order, message, { base, isRepeated }),
  }
  const hash = requestHash(call.login.address, request, files)
  return resultOf(await sendOnce(call.ports, { account: call.login.name, key }, hash, steps))
}

/** The message is queued all the same, so its submissions are answered beside the code (mox leaves them out). */
const OVER_QUOTA = {
  Code: 'sentOverQuota',
  Message: 'the message is on its way; the quota of the account has no room for its copy in Sent',
} as const satisfies { readonly Code: ApiErrorCode; readonly Message: string }

function resultOf(value: object): CallResult {
  return { kind: 'json', value, status: 'Code' in value ? 400 : 200 }
}

function readIdempotencyKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[ -~]{1,255}$/.test(key)) return key
  throw new ApiError('user', 'Idempotency-Key: must be 1 to 255 characters of printable ASCII')
}

/** Checks all that can be refused, and composes. */
async function prepare(call: CallContext, order: Order, messageId?: string): Promise<PreparedMessage> {
  const { addressed, request } = order
  readFutureRelease(request.FutureRelease, call.ports.clock.now())
  await checkFrom(call, addressed.from.address)
  const recipients = readRecipients(addressed)
  const now = call.ports.clock.now()
  const files = await loadFiles(call, order.files, order.name)
  const draft = draftOf(call, order, files, messageId, now)
  const message = await composed(draft, receivedField(call, recipients, now))
  const envelope = { account: call.login.name, mailFrom: addressed.from.address, recipients }
  checkSize(message.bytes.length, largestMessage(call.options, envelope))
  return message
}

function checkSize(octets: number, most: number): void {
  if (octets <= most) return
  throw new ApiError('messageTooLarge', `the message has ${octets} octets, of at most ${most}`)
}

async function accept(
  call: CallContext,
  { request, files, addressed, name }: Order,
  message: PreparedMessage,
  kept?: { readonly base: KeptBase; readonly isRepeated: boolean },
): Promise<object> {
  const { bytes, messageId, has8bit, smtputf8 } = message
  const recipients = readRecipients(addressed)
  const unique = await uniqueMailFrom(call.ports, call.options, call.login, addressed.from.address)
  if (unique && 'mistake' in unique) throw new ApiError('user', `From: ${unique.mistake}`)
  const release = readFutureRelease(request.FutureRelease, call.ports.clock.now())
  const submission = {
    account: call.login.name,
    mailFrom: addressed.from.address,
    ...(unique && { uniqueMailFrom: unique }),
    recipients,
    content: bytes,
    messageId,
    subject: request.Subject,
    has8bit,
    smtputf8,
    extra: request.Extra,
    ...(request.RequireTLS !== undefined && { requireTls: request.RequireTLS }),
    ...(release && { futureRelease: release }),
  }
  const messages = kept?.isRepeated
    ? await submit(call.ports, submission, kept.base)
    : await unlessLimitReached(call, recipients, async () => {
        await useUploads(call, files, name)
        return await submit(call.ports, submission, kept?.base)
      })
  const sentCopy = { smtputf8, bytes: bytes.subarray(message.traceOctets), bcc: addressed.bcc }
  const isOverQuota = request.SaveSent && !(await saveSent(call, sentCopy))
  const typed = [...request.To, ...request.CC, ...request.BCC]
  return {
    ...(isOverQuota && OVER_QUOTA),
    MessageID: messageId,
    Submissions: messages.map(({ id, fromId }, place) => ({
      Address: typed[place]?.Address ?? '',
      QueueMsgID: id,
      FromID: fromId,
    })),
  }
}

/** No From means the account itself, under the address that it logged in with. */
function readAddresses(request: SendRequest, login: Login): Addressed {
  if (request.From.length > 1) throw new ApiError('multipleFrom', 'From: at most one address')
  const [from] = named('From', request.From)
  return {
    from: from ?? { name: login.account.fullName, address: login.address },
    to: named('To', request.To),
    cc: named('CC', request.CC),
    bcc: named('BCC', request.BCC),
    replyTo: named('ReplyTo', request.ReplyTo),
  }
}

function named(field: string, addresses: readonly RequestAddress[]): NamedAddress[] {
  return addresses.map(({ Name, Address }, place) => ({
    name: Name,
    address: readAddress(`${field}[${place}].Address`, Address),
  }))
}

async function checkFrom({ ports, options, login }: CallContext, from: Address): Promise<void> {
  const found = await resolveAddress({ options, directory: ports.directory }, from)
  if (found.kind === 'domain-disabled')
    throw new ApiError('domainDisabled', `From: ${from.domain} is disabled`)
  if (found.kind === 'unknown' || found.account !== login.name) {
    throw new ApiError('badFrom', 'From: not an address of this account')
  }
}

function readRecipients({ to, cc, bcc }: Addressed): readonly Address[] {
  const recipients = [...to, ...cc, ...bcc].map(({ address }) => address)
  if (recipients.length === 0) throw new ApiError('noRecipients', 'To, CC, BCC: one recipient is needed')
  if (recipients.length > MOST_RECIPIENTS) {
    throw new ApiError('user', `To, CC, BCC: at most ${MOST_RECIPIENTS} recipients, not ${recipients.length}`)
  }
  return recipients
}

function draftOf(
  call: CallContext,
  { request, addressed }: Order,
  files: LoadedFiles,
  messageIdSettled: string | undefined,
  now: Instant,
): MessageDraft {
  return {
    ...addressed,
    ...files,
    subject: request.Subject,
    date: request.Date === undefined ? now : readDate(request.Date),
    messageId: messageIdSettled ?? messageId(request.MessageID, call.options.hostname, call.ports.random),
    references: request.References,
    text: request.Text,
    html: request.HTML,
    headers: request.Headers.map(([name = '', value = '']) => [name, value] as const),
    userAgent: USER_AGENT,
  }
}

/** A time that has passed is now; the wish is kept as it was put (RFC 4865 §6). */
function readFutureRelease(text: string | undefined, now: Instant): FutureRelease | undefined {
  if (text === undefined) return undefined
  const at = readTime('FutureRelease', text)
  if (at > now + LONGEST_RELEASE_MS) throw new ApiError('user', 'FutureRelease: must be within 60 days')
  return { at, request: `until;${text}` }
}

/** A year that a Date field cannot carry (RFC 5322 §3.3) is refused. */
function readDate(date: string): Instant {
  const instant = readTime('Date', date)
  if (new Date(instant).getUTCFullYear() < 1900) throw new ApiError('user', 'Date: must not be before 1900')
  return instant
}

function readTime(field: string, text: string): Instant {
  const isRfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text)
  const instant = isRfc3339 ? Date.parse(text) : Number.NaN
  if (Number.isNaN(instant)) throw new ApiError('protocol', `${field}: must be a time as RFC 3339 writes it`)
  return instant
}

function messageId(given: string, hostname: string, random: Random): string {
  if (given === '') return `<${drawText(random)}@${hostname}>`
  // Control characters are left to the composer, which refuses them in every header field alike.
  if (!/^<[^<>\p{Z}]+>$/u.test(given)) {
    throw new ApiError('malformedMessageID', 'MessageID: must be in angle brackets, without spaces')
  }
  return given
}

/** 22 characters that nobody can guess. */
function drawText(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('base64url')
}

/** With several recipients nobody is named: the content is the same for all, and each would read of the others. */
function receivedField({ ports, options }: CallContext, recipients: readonly Address[], at: Instant): string {
  const [first, second] = recipients
  const id = Buffer.from(ports.random.bytes(9)).toString('base64url')
  return formatReceived({
    by: options.hostname,
    with: 'HTTP',
    id,
    at,
    ...(first && !second && { for: first }),
  })
}

async function composed(draft: MessageDraft, received: string): Promise<PreparedMessage> {
  try {
    const message = await composeMessage(draft)
    const trace = Buffer.from(received)
    const bytes = Buffer.concat([trace, message.bytes])
    return { ...message, bytes, traceOctets: trace.length, messageId: draft.messageId }
  } catch (error) {
    if (error instanceof MessageSyntaxError) throw new ApiError('user', error.message)
    throw error
  }
}
