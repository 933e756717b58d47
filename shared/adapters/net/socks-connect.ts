import type { Socket } from 'node:net'
import { SocksClient } from 'socks'
import type { SocksDelivery } from '../../account/options.ts'
import { type ConnectTo, connectStraight } from './connect-first.ts'
import { ProxyError } from './proxy-error.ts'

/**
 * Connects through a SOCKS5 proxy without authentication (RFC 1928 §4, CONNECT). Only addresses are asked for: names
 * are looked up here, with DNSSEC where it is there.
 */
export function throughProxy(proxy: Pick<SocksDelivery, 'host' | 'port'>): ConnectTo {
  return async (ipAddress, port, signal) => {
    const socket = await connectStraight(proxy.host, proxy.port, signal).catch((cause) => {
      throw signal.aborted ? cause : new ProxyError('the proxy does not answer', cause)
    })
    const hangUp = () => socket.destroy()
    signal.addEventListener('abort', hangUp, { once: true })
    try {
      await negotiate(socket, proxy, { host: ipAddress, port })
      return socket
    } catch (error) {
      socket.on('error', () => {}).destroy()
      throw signal.aborted ? signal.reason : new ProxyError(refusalOf(error), error)
    } finally {
      signal.removeEventListener('abort', hangUp)
    }
  }
}

/** Leaves the socket as one that was just connected: paused, and nothing of what came is read yet. */
function negotiate(
  socket: Socket,
  proxy: Pick<SocksDelivery, 'host' | 'port'>,
  destination: { readonly host: string; readonly port: number },
): Promise<void> {
  const client = new SocksClient({
    proxy: { host: proxy.host, port: proxy.port, type: 5 },
    command: 'connect',
    destination,
    existing_socket: socket,
  })
  return new Promise((resolve, reject) => {
    client.once('error', reject)
    client.once('established', () => {
      // What came with the proxy's last reply, a greeting perhaps, the library emits in its next turn, heard or not.
      const early: Buffer[] = []
      const keep = (chunk: Buffer) => early.push(chunk)
      socket.on('data', keep)
      setImmediate(() => {
        socket.off('data', keep)
        socket.pause()
        if (early.length > 0) socket.unshift(Buffer.concat(early))
        resolve()
      })
    })
    client.connect(socket)
  })
}

/** The library names the reply of the proxy (RFC 1928 §6), `… - ConnectionRefused`. */
function refusalOf(error: unknown): string {
  const [, reply = ''] = / - (\w+)$/.exec(error instanceof Error ? error.message : '') ?? []
  const reason = reply.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
  return reason === '' ? 'the proxy gives no connection' : `the proxy answers: ${reason}`
}
