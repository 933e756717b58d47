import type { Login } from '../../account/log-in.ts'
import type { Clock, Instant } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ContentMemory, IncomingContent } from '../../smtp/incoming-content.ts'
import type { LineEnds } from '../../smtp/line-ends.ts'
import type { Reply } from '../../smtp/reply.ts'
import type { SmtpClient } from '../../smtp/smtp-client.ts'
import type { ServerConnection } from './smtp-connection.ts'
import type { AuthenticatingClient, SmtpService } from './smtp-service.ts'
import type { Transaction } from './smtp-transaction.ts'

/** How long and how much a session may be. */
export interface SessionLimits {
  /** The greeting waits so long, to hear who does not wait for it. */
  readonly greetingDelayMs: number
  readonly idleMs: number
  /** For all of a message's content. */
  readonly contentMs: number
  /** After that no transaction begins. */
  readonly sessionMs: number
  readonly mostRecipients: number
}

/** What all sessions of a listener have in common. */
export interface SessionContext {
  readonly service: SmtpService
  readonly hostname: string
  /** The largest message, in octets. */
  readonly maxSize: number
  readonly offersTls: boolean
  readonly limits: SessionLimits
  readonly memory: ContentMemory
  readonly clock: Clock
  readonly log: Log
  /** The listener is about to end. */
  isClosing(): boolean
}

/** Content that comes in chunks (RFC 3030). */
export interface Chunks {
  readonly content: IncomingContent
  readonly lineEnds: LineEnds
  readonly endsAt: Instant
}

/** More refusals of one session are not logged: what a log costs is not for clients to decide. */
const MOST_LOGGED = 20

/** RFC 5321 §4.3.2 and the extensions' errors of the client's program, not of what it has to say. */
const PROTOCOL_ERRORS = [500, 501, 502, 503, 504, 555]
const MOST_ERRORS = 20
const MOST_UNKNOWN = 10
const MOST_FRUITLESS = 10

const TOO_MANY_ERRORS: Reply = { code: 421, enhancedCode: '4.7.0', text: 'too many errors, good bye' }

/** What a session has come to (RFC 5321 §3). */
export class SmtpSession {
  readonly connection: ServerConnection
  readonly context: SessionContext
  readonly startedAt: Instant
  hello: { readonly name: string; readonly isExtended: boolean } | undefined
  login: Login | undefined
  loginFailures = 0
  transaction: Transaction | undefined
  /** RCPT was tried in this transaction. */
  hasTriedRecipient = false
  chunks: Chunks | undefined
  hasAcceptedMessage = false
  #errors = 0
  #unknown = 0
  #fruitless = 0
  #logged = 0

  constructor(connection: ServerConnection, context: SessionContext) {
    this.connection = connection
    this.context = context
    this.startedAt = context.clock.now()
  }

  get isSubmission(): boolean {
    return this.context.service.kind !== 'smtp'
  }

  get tls(): 'none' | 'possible' | 'active' {
    if (this.connection.tlsSocket) return 'active'
    return this.context.offersTls ? 'possible' : 'none'
  }

  /** The SASL mechanisms that the client may use now. */
  get mechanisms(): readonly string[] {
    const { service } = this.context
    return service.kind === 'smtp' || this.login ? [] : service.authentication.mechanisms(this.loginClient())
  }

  /** Too many transactions came to nothing. */
  get isFruitless(): boolean {
    return !this.hasAcceptedMessage && this.#fruitless > MOST_FRUITLESS
  }

  /** The client, as hooks see it. */
  client(smtputf8: boolean): SmtpClient {
    const { remoteAddress, id, tlsFacts } = this.connection
    const { name = '', isExtended = false } = this.hello ?? {}
    // RFC 3848 and RFC 6531 §4.3; there is no HELO with TLS among them.
    const word = smtputf8 ? 'UTF8SMTP' : 'ESMTP'
    const protocol = `${word}${tlsFacts ? 'S' : ''}${this.login ? 'A' : ''}`
    return {
      ipAddress: remoteAddress,
      hello: name.replace(/[\x00-\x1f\x7f-\x9f]/g, ''),
      protocol: isExtended ? protocol : 'SMTP',
      sessionId: id,
      ...(tlsFacts && { tls: tlsFacts }),
    }
  }

  loginClient(): AuthenticatingClient {
    const { tlsSocket } = this.connection
    return { client: this.client(false), failures: this.loginFailures, ...(tlsSocket && { tlsSocket }) }
  }

  /** Forgets the transaction, as RSET does. */
  endTransaction(): void {
    if (this.transaction && this.hasTriedRecipient && this.transaction.recipientCount === 0)
      this.noteFruitless()
    this.chunks?.content.release()
    this.chunks = undefined
    this.transaction = undefined
    this.hasTriedRecipient = false
  }

  /** RFC 3207 §4.2: what the client said before TLS was for anybody to change. */
  forget(): void {
    this.endTransaction()
    this.hello = undefined
    this.login = undefined
  }

  noteFruitless(): void {
    this.#fruitless += 1
  }

  /** Gives the reply, or a worse one to whoever makes too many errors; false when the connection ends with it. */
  reply(reply: Reply, isUnknownCommand = false): boolean {
    if (isUnknownCommand) this.#unknown += 1
    if (PROTOCOL_ERRORS.includes(reply.code)) this.#errors += 1
    const isTooMuch = this.#errors > MOST_ERRORS || this.#unknown > MOST_UNKNOWN
    this.#send(isTooMuch ? TOO_MANY_ERRORS : reply)
    return !isTooMuch && reply.code !== 421 && !reply.isLast
  }

  /** Whoever is refused can tell us which session it was. */
  #send(reply: Reply): void {
    const { id, remoteAddress } = this.connection
    const isRefusal = reply.code >= 400
    if (isRefusal && this.#logged < MOST_LOGGED) {
      this.#logged += 1
      const { code, enhancedCode, text } = reply
      this.context.log.info('smtp refused', {
        sessionId: id,
        ipAddress: remoteAddress,
        code,
        enhancedCode,
        text: String(text),
      })
    }
    this.connection.reply(isRefusal ? { ...reply, text: `${reply.text} (${id})` } : reply)
  }
}
