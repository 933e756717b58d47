import type { TLSSocket } from 'node:tls'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { readPeerChain } from './peer-chain.ts'

/** How long a server may take, in milliseconds. */
export interface ClientLimits {
  /** To connect, all its addresses together. */
  readonly connectMs: number
  readonly greetingMs: number
  readonly handshakeMs: number
  /** Without an octet in either direction. */
  readonly inactivityMs: number
  /** The same after the content: many a server looks at it before it answers (RFC 5321 §4.5.3.2.6). */
  readonly contentMs: number
  /** To answer QUIT. */
  readonly quitMs: number
}

/** What MAIL and RCPT say after the address, which is given as it is sent. */
export interface EnvelopeParameters {
  readonly mail: readonly string[]
  readonly rcpt: (recipient: string) => readonly string[]
}

/** In octets, all its lines together, and what comes with the last of them: replies to a hundred RCPTs are in memory at a time, of many sessions. */
const LONGEST_REPLY = 65_536

/** What the library does not publish. Its version is pinned, and tests see to each of these. */
interface Internals {
  readonly _responseActions: ((reply: string) => void)[]
  readonly _responseQueue: readonly string[]
  /** Of the last answer to EHLO, without its first line; unset after HELO. */
  readonly _ehloLines?: readonly string[]
  readonly _currentDataStream: unknown
  _remainingSetupTime(): number
  _sendCommand(command: string, logged?: string): void
  _processResponse(): void
  _actionGreeting(reply: string): void
  _actionEHLO(reply: string): void
  _actionMAIL(reply: string, done: unknown): void
  _upgradeConnection(done: (error: Error | null, isSecured?: boolean) => void): void
  _createSendStream(done: (error: Error | null, reply?: string) => void): NodeJS.EventEmitter
  _onError(error: Error, code: string, reply: string, command: string): void
}

const Library = SMTPConnection as unknown as new (
  options: SMTPConnection.Options,
) => SMTPConnection & Internals

/**
 * The library's connection where it is not what we need: it has one limit for greeting and handshake, takes replies
 * that are none, tries HELO after any refusal, and says the same DSN parameters for all recipients.
 */
export class ClientConnection extends Library {
  /** The certificates (DER) that the server sent, which can be read only once; undefined without TLS. */
  chain: readonly Uint8Array[] | undefined
  parameters: EnvelopeParameters = { mail: [], rcpt: () => [] }
  /** Whether the server ever accepted MAIL, since this was last set to false. */
  hasTakenMail = false
  readonly #limits: ClientLimits

  constructor(options: SMTPConnection.Options, limits: ClientLimits) {
    super({
      ...options,
      // The library lets this one cut the greeting and the handshake short.
      connectionTimeout: 2 * (limits.greetingMs + limits.handshakeMs),
      socketTimeout: limits.inactivityMs,
      socketCloseTimeout: 0,
      maxResponseSize: LONGEST_REPLY,
    })
    this.#limits = limits
    // Errors are also emitted when a callback has told them, and an unheard one would end the process.
    this.on('error', () => {})
  }

  /** The lines of the last answer to EHLO, without the first. */
  get ehloLines(): readonly string[] {
    return this._ehloLines ?? []
  }

  /** Some of the content is not written yet: whatever is said now becomes part of it. */
  get isSendingContent(): boolean {
    return Boolean(this._currentDataStream)
  }

  /** Says a line and waits for its reply; throws when the connection ends before. */
  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const forget = () => {
        this.off('error', fail)
        this.off('end', fail)
      }
      const fail = (cause?: Error) => {
        forget()
        reject(cause ?? new Error('connection closed'))
      }
      if (this.destroyed) return fail()
      this.on('error', fail)
      this.on('end', fail)
      this._responseActions.push((reply) => {
        forget()
        resolve(reply)
      })
      this._sendCommand(line)
    })
  }

  override _remainingSetupTime(): number {
    return this.upgrading ? this.#limits.handshakeMs : this.#limits.greetingMs
  }

  override _sendCommand(command: string, logged?: string): void {
    const [path, verb, address = ''] = /^(MAIL FROM|RCPT TO):<([^<>]*)>/.exec(command) ?? []
    const parameters = verb === 'MAIL FROM' ? this.parameters.mail : this.parameters.rcpt(address)
    if (path === undefined) super._sendCommand(command, logged)
    else super._sendCommand([path, ...parameters].join(' '))
  }

  /** RFC 5321 §4.2: a reply is three digits and a text, and all its lines have the same digits. */
  override _processResponse(): void {
    const [reply = ''] = this._responseQueue
    const codes = reply.split('\n').map((line) => /^(\d{3})(?:[ -]|$)/.exec(line)?.[1])
    const isReply = codes[0] !== undefined && codes.every((code) => code === codes[0])
    if (reply.trim() === '' || isReply) super._processResponse()
    else this._onError(new Error('not a reply of SMTP'), 'EPROTOCOL', reply, 'CONN')
  }

  /** RFC 5321 §4.1.1.1: HELO is for servers that do not know EHLO. */
  override _actionEHLO(reply: string): void {
    if (/^(?:2|50[0-4])/.test(reply)) super._actionEHLO(reply)
    else this._onError(new Error('EHLO was refused'), 'EPROTOCOL', reply, 'EHLO')
  }

  override _actionMAIL(reply: string, done: unknown): void {
    this.hasTakenMail ||= reply.startsWith('2')
    super._actionMAIL(reply, done)
  }

  override _upgradeConnection(done: (error: Error | null, isSecured?: boolean) => void): void {
    super._upgradeConnection((error, isSecured) => {
      if (isSecured) this.chain = readPeerChain(this._socket as TLSSocket)
      done(error, isSecured)
    })
  }

  override _createSendStream(done: (error: Error | null, reply?: string) => void): NodeJS.EventEmitter {
    const waitAtMost = (milliseconds: number) => {
      if (this._socket) this._socket.setTimeout(milliseconds)
    }
    const stream = super._createSendStream((error, reply) => {
      waitAtMost(this.#limits.inactivityMs)
      done(error, reply)
    })
    return stream.once('end', () => waitAtMost(this.#limits.contentMs))
  }
}
