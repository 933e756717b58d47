import { randomBytes } from 'node:crypto'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type Clock, MINUTE } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { ConnectionLimits } from '../../limits/connection-limits.ts'
import { ContentMemory } from '../../smtp/incoming-content.ts'
import { ServerConnection } from './smtp-connection.ts'
import { dismiss, serveClient } from './smtp-dialogue.ts'
import type { ListenerTls, SmtpService } from './smtp-service.ts'
import type { SessionContext, SessionLimits } from './smtp-session.ts'

export interface SmtpListenerOptions {
  readonly service: SmtpService
  /** 0 takes a free one. */
  readonly port: number
  /** IP addresses to listen on; `::` is IPv6 only. */
  readonly addresses: readonly string[]
  /** What the greeting says, and where the postmaster of no domain is. */
  readonly hostname: string
  /** The largest message, in bytes. */
  readonly maxSize: number
  /** `submissions` needs it. */
  readonly tls?: ListenerTls
  /** What all listeners of a task may hold and serve together. */
  readonly bounds?: ListenerBounds
  /** Others than those of the port's kind. */
  readonly limits?: Partial<SessionLimits>
  readonly clock: Clock
  readonly log: Log
}

/** What the listeners of one task share. */
interface ListenerBounds {
  readonly connections: ConnectionLimits
  readonly memory: ContentMemory
}

/** A listener that accepts connections. */
export interface SmtpListener {
  readonly port: number
  /** Says 421 to idle clients at once, lets the others finish their command, and hangs up after that time. */
  close(graceMs: number): Promise<void>
}

/** Of 2 GB: sessions take some 100 KB each, a message several times its size while it is stored. */
const MOST_CONNECTIONS = 2_000
const MOST_CONTENT = 512 * 1_048_576

/** RFC 5321 §4.5.3.1.8 asks for at least 100 recipients, §4.5.3.2.7 for 5 minutes. */
const RECEPTION_LIMITS: SessionLimits = {
  greetingDelayMs: 100,
  idleMs: 5 * MINUTE,
  contentMs: 30 * MINUTE,
  sessionMs: 60 * MINUTE,
  mostRecipients: 100,
}
const SUBMISSION_LIMITS: SessionLimits = {
  greetingDelayMs: 0,
  idleMs: 10 * MINUTE,
  contentMs: 30 * MINUTE,
  sessionMs: 60 * MINUTE,
  mostRecipients: 1_000,
}

/** The codes of an address that this machine does not have, as ::1 where IPv6 is switched off. */
const NO_SUCH_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']

/** The bounds of a task with 2 GB of memory. Clients on the machine itself are ours, or our tests. */
export function listenerBounds(): ListenerBounds {
  return {
    connections: new ConnectionLimits({ most: MOST_CONNECTIONS, exemptsLoopback: true }),
    memory: new ContentMemory(MOST_CONTENT),
  }
}

/**
 * Listens for mail (RFC 5321) on one port of each address. Addresses that the machine does not have are logged
 * and left out; rejects when none remains or a port is taken.
 */
export async function listenSmtp(options: SmtpListenerOptions): Promise<SmtpListener> {
  const bounds = options.bounds ?? listenerBounds()
  const state = { isClosing: false }
  const context = contextOf(options, bounds, () => state.isClosing)
  const smtp = new SMTPServer(libraryOptions(options))
  const listeners: Server[] = []
  let { port } = options
  try {
    for (const address of options.addresses) {
      const listener = createServer((socket) => accept(smtp, socket, options, context, bounds.connections))
      if (!(await listen(listener, port, address, options.log))) continue
      listeners.push(listener)
      port = (listener.address() as AddressInfo).port
    }
    if (listeners.length === 0) throw new Error(`no address to listen on: ${options.addresses.join(', ')}`)
  } catch (error) {
    for (const listener of listeners) listener.close()
    throw error
  }
  return {
    port,
    close(graceMs) {
      state.isClosing = true
      return close(smtp, listeners, graceMs)
    },
  }
}

function contextOf(
  options: SmtpListenerOptions,
  { memory }: ListenerBounds,
  isClosing: () => boolean,
): SessionContext {
  const { service, hostname, maxSize, tls, clock, log } = options
  if (service.kind === 'submissions' && !tls) throw new Error('submissions needs a certificate')
  const limits = service.kind === 'smtp' ? RECEPTION_LIMITS : SUBMISSION_LIMITS
  return {
    service,
    hostname,
    maxSize,
    offersTls: tls !== undefined,
    limits: { ...limits, ...options.limits },
    memory,
    clock,
    log,
    isClosing,
  }
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

function accept(
  smtp: SMTPServer,
  socket: Socket,
  options: SmtpListenerOptions,
  context: SessionContext,
  connections: ConnectionLimits,
): void {
  const sessionId = randomBytes(5).toString('hex')
  const ipAddress = socket.remoteAddress
  if (ipAddress === undefined) {
    // It has gone already.
    socket.destroy()
  } else if (connections.enter(ipAddress, context.clock.now())) {
    serve(smtp, socket, sessionId, options, context, () => connections.leave(ipAddress))
  } else {
    context.log.info('smtp connection refused', { sessionId, ipAddress })
    turnAway(socket, context.service.kind === 'submissions', sessionId)
  }
}

function serve(
  smtp: SMTPServer,
  socket: Socket,
  sessionId: string,
  { tls, log }: SmtpListenerOptions,
  context: SessionContext,
  ended: () => void,
): void {
  const connection = new ServerConnection(smtp, socket, {
    sessionId,
    idleMs: context.limits.idleMs,
    ...(tls && { tls }),
    serve: (client) => serveClient(client, context),
    ended,
  })
  smtp.connections.add(connection)
  connection.on('error', (error: Error) => {
    const ipAddress = connection.remoteAddress
    log.warn('smtp connection failed', { sessionId, ipAddress, error: error.message })
  })
  connection.init()
}

/** Says why where the client can read it, and is done with it either way. */
function turnAway(socket: Socket, isEncrypted: boolean, sessionId: string): void {
  socket.on('error', () => {})
  if (!isEncrypted) socket.write(`421 4.7.0 too many connections, try again later (${sessionId})\r\n`)
  socket.destroySoon()
}

async function close(smtp: SMTPServer, listeners: readonly Server[], graceMs: number): Promise<void> {
  const closed = listeners.map((listener) => new Promise((done) => listener.close(done)))
  hangUp(smtp, (connection) => connection.isBetweenCommands)
  await Promise.race([Promise.all(closed), sleep(graceMs, undefined, { ref: false })])
  hangUp(smtp, () => true)
}

function hangUp(smtp: SMTPServer, isMeant: (connection: ServerConnection) => boolean): void {
  for (const connection of [...smtp.connections]) {
    if (connection instanceof ServerConnection && isMeant(connection)) dismiss(connection)
  }
}

/** The library listens to no port, and answers no command; what is left are sockets and TLS. */
function libraryOptions({ service, hostname }: SmtpListenerOptions): SMTPServerOptions {
  const isEncrypted = service.kind === 'submissions'
  return { name: hostname, secure: isEncrypted, needsUpgrade: isEncrypted, logger: false }
}
