import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { formatAddress, isAsciiLocalpart } from '../../address/address.ts'
import type { DeliveryOutcome } from '../../queue/transport.ts'
import { permanent, type RelayRequest, temporary } from './relay-outcome.ts'
import { outcomeOfReply } from './relay-reply.ts'
import { formatPlace, RelayFailure, type RelaySession } from './relay-session.ts'

/** How a transaction (RFC 5321 §3.3) went. */
export interface TransactionResult {
  /** Of the recipients that were not refused one by one. */
  readonly end: DeliveryOutcome
  /** By recipient, as it was sent. */
  readonly refused: ReadonlyMap<string, DeliveryOutcome>
  /** Refused because the transaction had enough of them; another one may take them (RFC 5321 §4.5.3.1.10). */
  readonly tooMany: readonly string[]
  /** MAIL came to nothing: that would be no other with the next recipients. */
  readonly isMailRefused: boolean
  /** The server may still wait for the content: RSET comes before the next MAIL. */
  readonly isUnfinished: boolean
}

/** The library notes in it what became of the recipients. */
interface NotedEnvelope extends SMTPConnection.Envelope {
  readonly accepted?: readonly string[]
  readonly rejectedErrors?: readonly SMTPConnection.SMTPError[]
}

/** Sends the message to recipients that one transaction may have. An abort of the signal leaves the rest undone. */
export async function transact(
  session: RelaySession,
  request: RelayRequest,
  recipients: readonly string[],
  signal: AbortSignal,
): Promise<TransactionResult> {
  const { mailFrom, content } = request
  const envelope: NotedEnvelope = {
    from: mailFrom ? formatAddress(mailFrom) : '',
    to: [...recipients],
    size: content.length,
    use8BitMime: request.has8bit,
    requireTLSExtensionEnabled: request.requireTls === true,
  }
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const sent = await unlessAborted<SMTPConnection.SentMessageInfo | SMTPConnection.SMTPError>(
    signal,
    (done) => session.connection.send(envelope, bytes, (error, info) => done(error ?? info)),
  )
  if (!(sent instanceof Error)) return { ...asked(envelope), end: outcomeOfReply(sent.response, 'DATA') }
  const end = endOf(sent, request)
  // After a refused MAIL the replies to RCPT only say that there is no transaction.
  const isMailRefused = 'command' in sent && (sent.command === 'MAIL FROM' || sent.command === 'API')
  if (isMailRefused) return { end, isMailRefused, refused: new Map(), tooMany: [], isUnfinished: false }
  return { ...asked(envelope), end, isUnfinished: 'code' in sent && sent.code === 'EENVELOPE' }
}

/** Ends a transaction that is unfinished; answers why not, if so. */
export async function reset({ connection }: RelaySession, signal: AbortSignal): Promise<unknown> {
  return await unlessAborted<unknown>(signal, (done) => {
    // The library forgets the callback when the connection ends.
    const ended = () => done(new Error('connection closed'))
    connection.once('end', ended)
    connection.reset((error) => {
      connection.off('end', ended)
      done(error)
    })
  })
}

/** Says whether the transaction needs SMTPUTF8 (RFC 6531 §3.1). */
export function needsSmtputf8({ smtputf8, mailFrom, messages }: RelayRequest): boolean {
  return (
    smtputf8 ||
    ![...messages.map(({ recipient }) => recipient), ...(mailFrom ? [mailFrom] : [])].every(isAsciiLocalpart)
  )
}

/** RFC 6531 §3.4: also for header fields; the library declares it for addresses only. */
export function declareSmtputf8({ connection }: RelaySession): void {
  const internals = connection as unknown as { _sendCommand(command: string, logged?: string): void }
  const sendCommand = internals._sendCommand.bind(connection)
  internals._sendCommand = (command, logged) => {
    const isUndeclared = command.startsWith('MAIL FROM:') && !/>.* SMTPUTF8(?: |$)/.test(command)
    sendCommand(isUndeclared ? `${command} SMTPUTF8` : command, logged)
  }
}

/** The library hands out these replies with some results only, but all are in the envelope; a test sees to this. */
function asked({ accepted = [], rejectedErrors = [] }: NotedEnvelope): Omit<TransactionResult, 'end'> {
  const refused = rejectedErrors.map(
    ({ recipient = '', response = '' }) => [recipient, outcomeOfReply(response, 'RCPT')] as const,
  )
  // RFC 5321 §4.5.3.1.10: 552 is an old way to say 452. Where nobody was accepted there were not too many.
  const tooMany = accepted.length === 0 ? [] : refused.filter(([, { code }]) => code === 452 || code === 552)
  return {
    refused: new Map(refused),
    tooMany: tooMany.map(([recipient]) => recipient),
    isMailRefused: false,
    isUnfinished: false,
  }
}

/** What an error says of all recipients that were not refused one by one. */
function endOf(
  error: SMTPConnection.SMTPError,
  { transport: relay, content }: RelayRequest,
): DeliveryOutcome {
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

/** Waits for a callback, or for the abort of the signal, whose reason is then the result. */
function unlessAborted<Result>(
  signal: AbortSignal,
  start: (done: (result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve) => {
    const abort = () => resolve(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    start((result) => {
      signal.removeEventListener('abort', abort)
      resolve(result)
    })
  })
}
