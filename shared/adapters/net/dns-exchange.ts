import { createSocket } from 'node:dgram'
import { connect, isIP } from 'node:net'
import { isReplyTo } from '../../dns/query.ts'
import { connectionReason } from './connection-reason.ts'
import type { DnsServer } from './dns-configuration.ts'

/** What came of asking a server: its reply, or why there is none. */
type DnsExchange = { readonly message: Uint8Array } | { readonly error: string }

type Exchange = (server: DnsServer, query: Uint8Array, timeoutMs: number) => Promise<DnsExchange>

/**
 * Asks over UDP, from a port that the system draws for each question (RFC 5452 §9.2) and that hears this server only.
 * What is not the reply is ignored: it may be late, or forged.
 */
export const exchangeOverUdp: Exchange = (server, query, timeoutMs) =>
  before(timeoutMs, (end) => {
    const socket = createSocket(isIP(server.address) === 6 ? 'udp6' : 'udp4')
    socket.on('error', (error) => end(failure(error)))
    socket.on('message', (message) => {
      if (isReplyTo(query, message)) end({ message })
    })
    socket.connect(server.port, server.address, (error?: Error) => {
      if (error) end(failure(error))
      else socket.send(query)
    })
    return () => socket.close()
  })

/** Asks over TCP (RFC 7766), where a message has its length before it. */
export const exchangeOverTcp: Exchange = (server, query, timeoutMs) =>
  before(timeoutMs, (end) => {
    const socket = connect({ host: server.address, port: server.port })
    let received = Buffer.alloc(0)
    socket.on('error', (error) => end(failure(error)))
    socket.on('close', () => end({ error: 'the DNS server closed the connection' }))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const length = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0)
      if (received.length < 2 + length) return
      const message = received.subarray(2, 2 + length)
      end(isReplyTo(query, message) ? { message } : { error: 'the DNS server answered something else' })
    })
    const length = Buffer.alloc(2)
    length.writeUInt16BE(query.length)
    socket.write(Buffer.concat([length, query]))
    return () => socket.destroy()
  })

/** What `begin` ends with first, or that time is up; what `begin` answers is called once after that. */
function before(
  timeoutMs: number,
  begin: (end: (exchange: DnsExchange) => void) => () => unknown,
): Promise<DnsExchange> {
  const { promise, resolve } = Promise.withResolvers<DnsExchange>()
  const timer = setTimeout(
    () => resolve({ error: `no answer within ${timeoutMs / 1000} seconds` }),
    timeoutMs,
  )
  const finish = begin(resolve)
  return promise.finally(() => {
    clearTimeout(timer)
    finish()
  })
}

function failure(error: NodeJS.ErrnoException): DnsExchange {
  const code = error.code ?? ''
  return { error: `the DNS server cannot be asked: ${connectionReason(code) ?? (code || 'unknown error')}` }
}
