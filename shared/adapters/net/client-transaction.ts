import { Readable } from 'node:stream'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { formatAddress } from '../../address/address.ts'
import type { DeliveryRequest, SmtpOutcome } from '../../queue/transport.ts'
import { permanent, reasonOf, temporary } from './client-outcome.ts'
import { mailParameters, rcptParameters } from './client-parameters.ts'
import { outcomeOfReply, replyLine } from './client-reply.ts'
import type { ClientSession } from './client-session.ts'

/** How a transaction (RFC 5321 §3.3) went. */
export interface TransactionResult {
  /** Of the recipients that were not refused one by one. */
  readonly end: SmtpOutcome
  /** By recipient, as it was sent. */
  readonly refused: ReadonlyMap<string, SmtpOutcome>
  /** Refused because the transaction had enough of them; another one may take them (RFC 5321 §4.5.3.1.10). */
  readonly tooMany: readonly string[]
  /** MAIL came to nothing: that would be no other with the next recipients. */
  readonly isMailRefused: boolean
}

/** The library notes in it what became of the recipients. */
interface NotedEnvelope extends SMTPConnection.Envelope {
  readonly accepted?: readonly string[]
  readonly rejectedErrors?: readonly SMTPConnection.SMTPError[]
  readonly mailError?: SMTPConnection.SMTPError
}

/**
 * Sends the message to recipients that one transaction may have. An abort of the signal leaves the rest undone. What
 * this leaves of the session is noted in it.
 */
export async function transact(
  session: ClientSession,
  request: DeliveryRequest,
  recipients: readonly string[],
): Promise<TransactionResult> {
  const { mailFrom, content, messages } = request
  const { connection, extensions } = session
  const byRecipient = new Map(messages.map((message) => [formatAddress(message.recipient), message]))
  connection.parameters = {
    mail: mailParameters(request, extensions),
    rcpt: (recipient) => {
      const message = byRecipient.get(recipient)
      return message ? rcptParameters(message, extensions) : []
    },
  }
  const envelope: NotedEnvelope = { from: mailFrom ? formatAddress(mailFrom) : '', to: [...recipients] }
  session.transactions += 1
  const sent = await unlessAborted<SMTPConnection.SentMessageInfo | SMTPConnection.SMTPError>(
    session.signal,
    (done) => connection.send(envelope, streamed(content), (error, info) => done(error ?? info)),
  )
  session.isSpent ||= connection.isSendingContent
  if (!(sent instanceof Error)) return { ...asked(envelope), end: outcomeOfReply(sent.response, 'DATA') }
  // With PIPELINING a server that refuses MAIL may hang up before it has answered the rest.
  const cause = envelope.mailError ?? sent
  const end = endOf(cause, session)
  session.isSpent ||= end.code === 421 || (end.kind === 'temporary' && end.code === 0)
  // After a refused MAIL the replies to RCPT only say that there is no transaction.
  const isMailRefused = 'command' in cause && (cause.command === 'MAIL FROM' || cause.command === 'API')
  if (isMailRefused) return { end, isMailRefused, refused: new Map(), tooMany: [] }
  session.isUnfinished = 'code' in sent && sent.code === 'EENVELOPE'
  return { ...asked(envelope), end }
}

const PIECE = 65_536

/** Large content goes in pieces as the server takes it, or the copies with dots and of TLS would be as large again. */
function streamed(content: Uint8Array): Buffer | Readable {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  return bytes.length <= PIECE ? bytes : Readable.from(piecesOf(bytes), { objectMode: false })
}

function* piecesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE)
}

/** Ends a transaction that is unfinished; answers why not, if so. */
export async function reset(session: ClientSession): Promise<SmtpOutcome | undefined> {
  const { connection, signal } = session
  const answer = await unlessAborted<string | Error>(
    signal,
    (done) => void connection.ask('RSET').then(done, done),
  )
  session.isUnfinished = false
  if (typeof answer === 'string' && answer.startsWith('2')) return undefined
  session.isSpent = true
  return typeof answer === 'string'
    ? broken(session, Object.assign(new Error('RSET was refused'), { response: answer }))
    : broken(session, answer)
}

/** The session ended, or can be used no more. */
export function broken({ place }: ClientSession, cause: unknown): SmtpOutcome {
  const { response } = cause as Partial<SMTPConnection.SMTPError>
  return temporary(
    `sending to ${place}: ${reasonOf(cause)}`,
    response === undefined ? '' : replyLine(response),
  )
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
  }
}

/** What an error says of all recipients that were not refused one by one. */
function endOf(error: SMTPConnection.SMTPError, session: ClientSession): SmtpOutcome {
  const { code, command, response, responseCode } = error
  if (response !== undefined && (responseCode === 421 || code === 'EENVELOPE' || code === 'EMESSAGE')) {
    return outcomeOfReply(
      response,
      command === 'MAIL FROM' ? 'MAIL' : command === 'RCPT TO' ? 'RCPT' : 'DATA',
    )
  }
  if (code === 'EENVELOPE') return permanent('5.1.7', 'a sender with < or > in its address cannot be used')
  return broken(session, error)
}

/** Waits for a callback, or for the abort of the signal, whose reason is then the result. */
function unlessAborted<Result>(
  signal: AbortSignal,
  start: (done: (result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve) => {
    const abort = () => resolve(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    start((result) => {
      signal.removeEventListener('abort', abort)
      resolve(result)
    })
  })
}
