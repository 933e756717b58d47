import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import type { Log } from '../../base/log.ts'
import type { Refusal } from '../../smtp/refusal.ts'
import { ReceivingConnection } from './smtp-connection.ts'
import {
  addRecipient,
  beginTransaction,
  receiveData,
  type Transaction,
  type TransactionPorts,
} from './smtp-transaction.ts'

interface SmtpListenerOptions extends TransactionPorts {
  /** 0 takes a free one. */
  readonly port: number
  /** IP addresses to listen on; `::` is IPv6 only. */
  readonly addresses: readonly string[]
  /** The largest message, in bytes. */
  readonly maxSize: number
  readonly log: Log
}

/** A listener that accepts connections. */
export interface SmtpListener {
  readonly port: number
  /** Says 421 to idle peers at once, lets the others finish their command, and hangs up after that time. */
  close(graceMs: number): Promise<void>
}

/** What the listener knows of a connection besides what the library does. */
interface Session {
  readonly gone: AbortController
  /** The library sees to it that MAIL comes first. */
  transaction: Transaction
  /** A command is being carried out, or data come in. */
  isBusy: boolean
}

type Sessions = WeakMap<SMTPServerSession, Session>

const MOST_CONNECTIONS = 200
/** RFC 5321 §4.5.3.1.8 asks for at least this many. */
const MOST_RECIPIENTS = 100
/** RFC 5321 §4.5.3.2.7. */
const IDLE_MS = 300_000

const TRY_LATER: Refusal = { code: 451, enhancedCode: '4.3.0', text: 'temporary failure, try again later' }

/** AUTH and STARTTLS come with a certificate; the others are for proxies, or jokes. */
const DISABLED = ['AUTH', 'STARTTLS', 'XCLIENT', 'XFORWARD', 'WIZ', 'SHELL', 'KILL']

/** The codes of an address that this machine does not have, as ::1 where IPv6 is switched off. */
const NO_SUCH_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/**
 * Listens for mail (RFC 5321) on one port of each address. Addresses that the machine does not have are logged
 * and left out; rejects when none remains or a port is taken.
 */
export async function listenSmtp(options: SmtpListenerOptions): Promise<SmtpListener> {
  const sessions: Sessions = new WeakMap()
  const smtp = new SMTPServer({ ...libraryOptions(options), ...handlersOf(options, sessions) })
  const listeners: Server[] = []
  let { port } = options
  try {
    for (const address of options.addresses) {
      const listener = createServer((socket) => accept(smtp, socket, options.log))
      if (!(await listen(listener, port, address, options.log))) continue
      listeners.push(listener)
      port = (listener.address() as AddressInfo).port
    }
    if (listeners.length === 0) throw new Error(`no address to listen on: ${options.addresses.join(', ')}`)
  } catch (error) {
    for (const listener of listeners) listener.close()
    throw error
  }
  return { port, close: (graceMs) => close(smtp, listeners, sessions, graceMs) }
}

/** False when the machine has no such address. */
function listen(listener: Server, port: number, address: string, log: Log): Promise<boolean> {
  return new Promise((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => {
      if (!NO_SUCH_ADDRESS.includes(error.code ?? '')) return reject(error)
      log.warn('smtp listener left out an address', { address, error: error.message })
      resolve(false)
    })
    // With IPv4 in it, :: could not stand beside 0.0.0.0.
    listener.listen({ port, host: address, ipv6Only: isIPv6(address) }, () => {
      listener.on('error', (error) => log.error('smtp listener failed', error, { address }))
      resolve(true)
    })
  })
}

function accept(smtp: SMTPServer, socket: Socket, log: Log): void {
  const connection = new ReceivingConnection(smtp, socket)
  smtp.connections.add(connection)
  connection.on('error', (error: Error) => {
    log.warn('smtp connection failed', { ipAddress: connection.remoteAddress, error: error.message })
  })
  connection.init()
}

async function close(
  smtp: SMTPServer,
  listeners: readonly Server[],
  sessions: Sessions,
  graceMs: number,
): Promise<void> {
  const closed = listeners.map((listener) => new Promise((done) => listener.close(done)))
  // From now on the library answers every command with 421; hanging up is ours, as the sockets are.
  smtp.close()
  hangUp(smtp, ({ session }) => !sessions.get(session)?.isBusy)
  await Promise.race([Promise.all(closed), sleep(graceMs, undefined, { ref: false })])
  hangUp(smtp, () => true)
}

function hangUp(
  smtp: SMTPServer,
  isMeant: (connection: { readonly session: SMTPServerSession }) => boolean,
): void {
  for (const connection of [...smtp.connections].filter(isMeant)) {
    connection.send(421, `4.3.2 ${connection.name} is shutting down`)
  }
}

function libraryOptions(options: SmtpListenerOptions): SMTPServerOptions {
  return {
    name: options.hostname,
    heloResponse: '%s',
    size: options.maxSize,
    rejectOversized: true,
    maxRecipients: MOST_RECIPIENTS,
    maxClients: MOST_CONNECTIONS,
    socketTimeout: IDLE_MS,
    disabledCommands: DISABLED,
    hideSTARTTLS: true,
    hideENHANCEDSTATUSCODES: false,
    disableReverseLookup: true,
    logger: false,
  }
}

/** Carries out what the library leaves to us. */
function handlersOf(options: SmtpListenerOptions, sessions: Sessions): Partial<SMTPServerOptions> {
  const run = (
    library: SMTPServerSession,
    reply: (error?: Error | null) => void,
    step: (session: Session, peerGone: AbortSignal) => Promise<Refusal | undefined>,
  ): void => {
    const session = sessions.get(library) ?? newSession(sessions, library)
    session.isBusy = true
    step(session, session.gone.signal)
      .catch((error) => {
        options.log.error('smtp command failed', error, { ipAddress: library.remoteAddress })
        return TRY_LATER
      })
      .then((refusal) => {
        session.isBusy = false
        reply(refusal && new RefusalError(refusal))
      })
      .catch((error) => options.log.error('smtp reply failed', error))
  }
  return {
    onMailFrom: (address, library, reply) =>
      run(library, reply, async (session, peerGone) => {
        const begun = await beginTransaction(options, address, peerGone)
        if ('code' in begun) return begun
        session.transaction = begun
        return undefined
      }),
    onRcptTo: (address, library, reply) =>
      run(library, reply, ({ transaction }, peerGone) =>
        addRecipient(options, transaction, address, peerGone),
      ),
    onData: (stream, library, reply) =>
      run(library, reply, ({ transaction }, peerGone) =>
        receiveData(options, transaction, stream, library, peerGone),
      ),
    onClose: (library) => sessions.get(library)?.gone.abort(),
  }
}

function newSession(sessions: Sessions, library: SMTPServerSession): Session {
  const transaction = { smtputf8: false, recipients: [] }
  const session = { gone: new AbortController(), transaction, isBusy: false }
  sessions.set(library, session)
  return session
}

/** Carries a refusal to the library. */
class RefusalError extends Error {
  override readonly name = 'RefusalError'
  readonly responseCode: number

  constructor({ code, enhancedCode, text }: Refusal) {
    super(`${enhancedCode} ${text}`)
    this.responseCode = code
  }
}
