import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Which addresses to try. */
export interface ConnectTarget {
  /** In this order. */
  readonly ipAddresses: readonly string[]
  readonly port: number
  /** For all of them together. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Another way there than the straight one. Rejects when it comes to nothing, and leaves nothing open then. */
  readonly connectTo?: ConnectTo
}

/** Opens a connection. */
export type ConnectTo = (ipAddress: string, port: number, signal: AbortSignal) => Promise<Socket>

/** A connection and the address at its end; or why there is none, address by address. */
export type Connected =
  | { readonly kind: 'connected'; readonly socket: Socket; readonly ipAddress: string }
  | { readonly kind: 'unreachable'; readonly causes: readonly ConnectFailure[] }

/** An address that did not answer. */
interface ConnectFailure {
  readonly ipAddress: string
  readonly cause: unknown
}

/** Tries one address after the other; one that is silent leaves time for the others. */
export async function connectFirst(target: ConnectTarget): Promise<Connected> {
  const { ipAddresses, port, timeoutMs, signal, connectTo = connectStraight } = target
  const causes: ConnectFailure[] = []
  for (const ipAddress of ipAddresses) {
    const time = AbortSignal.timeout(Math.ceil(timeoutMs / ipAddresses.length))
    try {
      const socket = await connectTo(ipAddress, port, signal ? AbortSignal.any([signal, time]) : time)
      // Errors after this one are told by what reads the socket, or nobody cares any more.
      socket.on('error', () => {})
      return { kind: 'connected', socket, ipAddress }
    } catch (error) {
      causes.push({ ipAddress, cause: signal?.aborted ? signal.reason : error })
    }
    if (signal?.aborted) break
  }
  return { kind: 'unreachable', causes }
}

/** The straight way. */
export async function connectStraight(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal })
    return socket
  } catch (error) {
    // `once` tells of the abort, its signal why.
    socket.on('error', () => {}).destroy()
    throw signal.aborted ? signal.reason : error
  }
}
