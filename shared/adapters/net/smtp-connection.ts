import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection'
import { type CommandLine, takeLine } from '../../smtp/command-line.ts'
import { type Reply, replyLines } from '../../smtp/reply.ts'
import type { TlsFacts } from '../../smtp/smtp-client.ts'
import { SmtpInput, type Take } from './smtp-input.ts'
import type { ListenerTls } from './smtp-service.ts'

export interface ConnectionOptions {
  /** A short word that names the session to both sides. */
  readonly sessionId: string
  /** A client that has not sent or taken an octet, or not finished a line, for so long is told 421. */
  readonly idleMs: number
  readonly tls?: ListenerTls
  /** What to do with the client once it may speak; the connection ends when it settles. */
  serve(connection: ServerConnection): Promise<void>
  /** The client's socket is closed; called once. */
  ended(): void
}

const HANDSHAKE_MS = 60_000

/**
 * A client's connection: lines and content to ask for, replies to give. Sockets, their ends and STARTTLS are the
 * library's; the dialogue is not. Members with an underscore are its own: the version is pinned, and the listener's
 * tests are the contract.
 */
export class ServerConnection extends SMTPConnection {
  readonly #options: ConnectionOptions
  readonly #gone = new AbortController()
  #handshakeSocket: Socket | undefined
  /** What the client owes us; it waits for us otherwise, however long that takes (RFC 5321 §4.5.3.2). */
  #awaits: 'line' | 'content' | undefined

  constructor(server: SMTPServer, socket: Socket, options: ConnectionOptions) {
    super(server, socket, { id: options.sessionId })
    this.#options = options
    socket.once('close', options.ended)
  }

  /** Aborted when the client has gone. */
  get clientGone(): AbortSignal {
    return this.#gone.signal
  }

  /** Undefined while the session is not encrypted. */
  get tlsSocket(): TLSSocket | undefined {
    return this._socket instanceof TLSSocket ? this._socket : undefined
  }

  get tlsFacts(): TlsFacts | undefined {
    const protocol = this.tlsSocket?.getProtocol()
    return protocol ? { protocol, cipher: this.tlsSocket?.getCipher().standardName ?? '' } : undefined
  }

  /** The client has sent something that nobody asked for yet. */
  get hasUnread(): boolean {
    return this.#input?.hasUnread ?? false
  }

  /** Serves the client, after TLS where the port begins with it. */
  override init(): void {
    this._setListeners(() => {
      this.#options
        .serve(this)
        .catch((error: Error) => this.emit('error', error))
        .finally(() => this.close())
    })
  }

  /** The next line; undefined when the client has gone, or took too long. Replies it has not read come first. */
  async line(longest: number): Promise<CommandLine | undefined> {
    return await this.#await('line', this.#options.idleMs, (unread) => takeLine(unread, longest))
  }

  /** What `take` makes of the content; undefined when the client has gone, or all of it took too long. */
  async content<Result>(withinMs: number, take: Take<Result>): Promise<Result | undefined> {
    return await this.#await('content', withinMs, take)
  }

  /** It is the client's turn to say something, and nothing is lost when the connection ends now. */
  get isBetweenCommands(): boolean {
    return this.#awaits === 'line'
  }

  /** Each line gets code and enhanced code; 421 ends the connection. */
  reply(reply: Reply): void {
    this.send(reply.code, [...replyLines(reply)], false)
  }

  /** After the 220: resolves once all goes through TLS, and to false when that failed. */
  async startTls(): Promise<boolean> {
    await new Promise<void>((resolve) => {
      this.clientGone.addEventListener('abort', () => resolve(), { once: true })
      this.upgrade(() => {}, resolve)
    })
    return !this.clientGone.aborted
  }

  override upgrade(callback: () => void, secured: () => void): void {
    const context = this.#options.tls?.secureContext()
    if (context) this._server.secureContext.set('*', context)
    const socket = this._socket
    const deadline = setTimeout(() => this.#handshakeSocket?.destroy(), HANDSHAKE_MS).unref()
    this.clientGone.addEventListener('abort', () => clearTimeout(deadline), { once: true })
    super.upgrade(callback, () => {
      clearTimeout(deadline)
      this.#handshakeSocket = undefined
      secured()
    })
    // The library has taken all listeners off the socket that TLS goes through.
    socket.once('close', this.#options.ended)
  }

  /** Waits; to hear whether the client speaks before it is its turn. */
  async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.clientGone }).catch(() => {})
  }

  override close(): void {
    super.close()
    this.#input?.abandon()
  }

  override _createParser(): SmtpInput {
    return new SmtpInput()
  }

  override _armTimeout(socket: Socket = this._socket): void {
    // In a handshake this is the TLS socket, which the library keeps to itself until it is done.
    if (socket !== this._socket) this.#handshakeSocket = socket
    socket.removeAllListeners('timeout')
    socket.setTimeout(this.#options.idleMs, () => this._onTimeout())
  }

  override _onTimeout(): void {
    if (this._closing) this._socket.destroy()
    else if (this.#awaits) this.#endIdle()
    else this._armTimeout()
  }

  override _onClose(): void {
    this.#input?.abandon()
    super._onClose()
    this.#gone.abort()
  }

  get #input(): SmtpInput | undefined {
    return this._parser instanceof SmtpInput ? this._parser : undefined
  }

  async #await<Result>(
    what: 'line' | 'content',
    withinMs: number,
    take: Take<Result>,
  ): Promise<Result | undefined> {
    const deadline = setTimeout(() => this.#endIdle(), withinMs).unref()
    this.#awaits = what
    try {
      await this.#written()
      return await this.#input?.read(take)
    } finally {
      this.#awaits = undefined
      clearTimeout(deadline)
    }
  }

  #endIdle(): void {
    this.reply({ code: 421, enhancedCode: '4.4.2', text: `idle for too long, good bye (${this.id})` })
  }

  /** A client that never reads would make us keep its replies. */
  async #written(): Promise<void> {
    const socket = this._socket
    if (!socket.writableNeedDrain || socket.destroyed) return
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done)
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
  }
}
