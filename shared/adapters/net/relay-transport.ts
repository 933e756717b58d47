import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { formatAddress, isAsciiLocalpart } from '../../address/address.ts'
import type { DeliveryOutcome, DeliveryRequest, Transport } from '../../queue/transport.ts'
import { outcomeOfReply } from './relay-reply.ts'
import {
  endSession,
  formatPlace,
  openSession,
  RelayFailure,
  type RelayLimits,
  type RelaySession,
} from './relay-session.ts'

/** What became of a transaction: its end, and the recipients that were refused on the way. */
interface TransactionResult {
  readonly end: DeliveryOutcome
  /** By address, as it was sent. */
  readonly refused?: ReadonlyMap<string, DeliveryOutcome>
}

const LIMITS: RelayLimits = {
  connectMs: 10_000,
  greetingMs: 10_000,
  inactivityMs: 30_000,
  totalMs: 50_000,
}

/** Delivers to a relay over SMTP: one connection and one transaction (RFC 5321 §3.3) for each call. */
export function relayTransport(limits: Partial<RelayLimits> = {}): Transport {
  return { deliver: (request) => deliver(request, { ...LIMITS, ...limits }) }
}

async function deliver(request: DeliveryRequest, limits: RelayLimits): Promise<readonly DeliveryOutcome[]> {
  const texts = request.recipients.map(formatAddress)
  // The library refuses the whole transaction for such an address, which is a legal one.
  const sendable = [...new Set(texts.filter((text) => !/[<>]/.test(text)))]
  const { end, refused } = sendable.length > 0 ? await transact(request, sendable, limits) : UNWRITABLE
  return texts.map((text) => (sendable.includes(text) ? (refused?.get(text) ?? end) : UNWRITABLE.end))
}

const UNWRITABLE: TransactionResult = {
  end: permanent('5.1.3', 'an address with < or > in it cannot be delivered to'),
}

async function transact(
  request: DeliveryRequest,
  recipients: readonly string[],
  limits: RelayLimits,
): Promise<TransactionResult> {
  const { relay, hostname } = request
  const overall = new AbortController()
  const timedOut = new Error(`timed out after ${limits.totalMs / 1000} s`)
  const timer = setTimeout(() => overall.abort(timedOut), limits.totalMs)
  try {
    const session = await openSession(relay, hostname, limits, overall.signal)
    try {
      const problem = incapability(request, session)
      return problem ?? (await send(request, recipients, session, overall.signal))
    } finally {
      await endSession(session, overall.signal)
    }
  } catch (error) {
    if (!(error instanceof RelayFailure)) throw error
    return { end: temporary(error) }
  } finally {
    clearTimeout(timer)
  }
}

/** The library does not look whether the server takes what it sends; 8-bit content mostly passes anyway. */
function incapability(request: DeliveryRequest, { extensions }: RelaySession): TransactionResult | undefined {
  if (!needsSmtputf8(request) || extensions.includes('SMTPUTF8')) return undefined
  return {
    end: permanent('5.6.7', `${formatPlace(request.relay)} does not take internationalized mail (SMTPUTF8)`),
  }
}

function needsSmtputf8({ smtputf8, mailFrom, recipients }: DeliveryRequest): boolean {
  return smtputf8 || ![...recipients, ...(mailFrom ? [mailFrom] : [])].every(isAsciiLocalpart)
}

async function send(
  request: DeliveryRequest,
  recipients: readonly string[],
  { connection }: RelaySession,
  signal: AbortSignal,
): Promise<TransactionResult> {
  const { mailFrom, content } = request
  if (needsSmtputf8(request)) declareSmtputf8(connection)
  const envelope = {
    from: mailFrom ? formatAddress(mailFrom) : '',
    to: [...recipients],
    size: content.length,
    use8BitMime: request.has8bit,
  }
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const sent = await new Promise<SMTPConnection.SentMessageInfo | Error>((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
    connection.send(envelope, bytes, (error, info) => resolve(error ?? info))
  })
  const end = sent instanceof Error ? endOf(sent, request) : outcomeOfReply(sent.response, 'DATA')
  // After a refused MAIL the replies to RCPT only say that there is no transaction.
  const isMailRefused = sent instanceof Error && 'command' in sent && sent.command === 'MAIL FROM'
  return { end, ...(!isMailRefused && { refused: refusedRecipients(connection) }) }
}

/** What an error says of all recipients that were not refused one by one. */
function endOf(error: SMTPConnection.SMTPError, { relay, content }: DeliveryRequest): DeliveryOutcome {
  const { code, command, response, responseCode } = error
  if (response !== undefined && (responseCode === 421 || code === 'EENVELOPE' || code === 'EMESSAGE')) {
    return outcomeOfReply(
      response,
      command === 'MAIL FROM' ? 'MAIL' : command === 'RCPT TO' ? 'RCPT' : 'DATA',
    )
  }
  if (code === 'EMESSAGE') {
    return permanent('5.3.4', `${formatPlace(relay)} takes no message of ${content.length} bytes`)
  }
  if (code === 'EENVELOPE') return permanent('5.1.7', 'a sender with < or > in its address cannot be used')
  return temporary(new RelayFailure('sending to', relay, error))
}

/** The library hands these replies out with some results only; its version is pinned and a test sees to this. */
function refusedRecipients(connection: SMTPConnection): ReadonlyMap<string, DeliveryOutcome> {
  const { _envelope } = connection as unknown as {
    readonly _envelope: { readonly rejectedErrors?: readonly SMTPConnection.SMTPError[] }
  }
  const replies = (_envelope.rejectedErrors ?? []).map(
    ({ recipient = '', response = '' }) => [recipient, outcomeOfReply(response, 'RCPT')] as const,
  )
  return new Map(replies)
}

/** RFC 6531 §3.4: also for header fields; the library declares it for addresses only. */
function declareSmtputf8(connection: SMTPConnection): void {
  const internals = connection as unknown as { _sendCommand(command: string, logged?: string): void }
  const sendCommand = internals._sendCommand.bind(connection)
  internals._sendCommand = (command, logged) => {
    const isUndeclared = command.startsWith('MAIL FROM:') && !/>.* SMTPUTF8(?: |$)/.test(command)
    sendCommand(isUndeclared ? `${command} SMTPUTF8` : command, logged)
  }
}

function permanent(enhancedCode: string, error: string): DeliveryOutcome {
  return { kind: 'permanent', code: 0, enhancedCode, error }
}

function temporary({ message }: RelayFailure): DeliveryOutcome {
  return { kind: 'temporary', code: 0, enhancedCode: '', error: message }
}
