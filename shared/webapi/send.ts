import type { Login } from '../account/log-in.ts'
import { resolveAddress } from '../account/resolve-address.ts'
import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'
import type { Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { type ComposedMessage, composeMessage, type MessageDraft } from '../message/compose.ts'
import type { NamedAddress } from '../message/header-field.ts'
import { MessageSyntaxError } from '../message/message-syntax-error.ts'
import { formatReceived } from '../message/received.ts'
import { MOST_RECIPIENTS, submit } from '../queue/submit.ts'
import { ApiError } from './api-error.ts'
import type { CallContext, CallResult } from './call-context.ts'
import { type RequestAddress, readSendRequest, type SendFiles, type SendRequest } from './send-request.ts'

/** The largest message that is taken, in octets as it goes out (mox's default). */
const LARGEST_MESSAGE = 104_857_600
const USER_AGENT = 'postern/0.1.0'

/** The addresses of a message, read. */
interface Addressed {
  readonly from: NamedAddress
  readonly replyTo: readonly NamedAddress[]
  readonly to: readonly NamedAddress[]
  readonly cc: readonly NamedAddress[]
  readonly bcc: readonly NamedAddress[]
}

/** Send: composes a message and queues it, once for each recipient. */
export async function send(call: CallContext): Promise<CallResult> {
  const { request, files } = readSendRequest(call.body)
  if (request.Text === '' && request.HTML === '')
    throw new ApiError('missingBody', 'Text, HTML: one is needed')
  const addressed = readAddresses(request, call.login)
  await checkFrom(call, addressed.from.address)
  const recipients = readRecipients(addressed)

  const now = call.ports.clock.now()
  const draft = draftOf(call, request, files, addressed, now)
  const content = await composed(draft, receivedField(call, recipients, now))
  const messages = await submit(call.ports, {
    account: call.login.name,
    mailFrom: addressed.from.address,
    recipients,
    content: content.bytes,
    messageId: draft.messageId,
    subject: draft.subject,
    has8bit: content.has8bit,
    smtputf8: content.smtputf8,
    extra: request.Extra,
  })
  const typed = [...request.To, ...request.CC, ...request.BCC]
  return {
    kind: 'json',
    value: {
      MessageID: draft.messageId,
      Submissions: messages.map(({ id, fromId }, place) => ({
        Address: typed[place]?.Address ?? '',
        QueueMsgID: id,
        FromID: fromId,
      })),
    },
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

function readAddress(field: string, address: string): Address {
  try {
    return parseAddress(address)
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new ApiError('badAddress', `${field}: ${error.message}`)
    throw error
  }
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
  request: SendRequest,
  files: SendFiles,
  addressed: Addressed,
  now: Instant,
): MessageDraft {
  return {
    ...addressed,
    ...files,
    subject: request.Subject,
    date: request.Date === undefined ? now : readDate(request.Date),
    messageId: messageId(request.MessageID, call.options.hostname, call.ports.random),
    references: request.References,
    text: request.Text,
    html: request.HTML,
    headers: request.Headers.map(([name = '', value = '']) => [name, value] as const),
    userAgent: USER_AGENT,
  }
}

/** RFC 3339; a year that a Date field cannot carry (RFC 5322 §3.3) is refused. */
function readDate(date: string): Instant {
  const isRfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(date)
  const instant = isRfc3339 ? Date.parse(date) : Number.NaN
  if (Number.isNaN(instant)) throw new ApiError('protocol', 'Date: must be a time as RFC 3339 writes it')
  if (new Date(instant).getUTCFullYear() < 1900) throw new ApiError('user', 'Date: must not be before 1900')
  return instant
}

function messageId(given: string, hostname: string, random: Random): string {
  if (given === '') return `<${Buffer.from(random.bytes(16)).toString('base64url')}@${hostname}>`
  if (!/^<[^<>\s]+>$/.test(given)) {
    throw new ApiError('malformedMessageID', 'MessageID: must be in angle brackets, without spaces')
  }
  return given
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

async function composed(draft: MessageDraft, received: string): Promise<ComposedMessage> {
  try {
    const message = await composeMessage(draft)
    const bytes = Buffer.concat([Buffer.from(received), message.bytes])
    if (bytes.length > LARGEST_MESSAGE) {
      throw new ApiError(
        'messageTooLarge',
        `the message has ${bytes.length} octets, of at most ${LARGEST_MESSAGE}`,
      )
    }
    return { ...message, bytes }
  } catch (error) {
    if (error instanceof MessageSyntaxError) throw new ApiError('user', error.message)
    throw error
  }
}
