import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type DecodedPacket, decode, encode, type Packet, type Question } from 'dns-packet'

/** What a server got to read. */
export interface AskedQuestion extends Question {
  readonly over: 'udp' | 'tcp'
  readonly packet: DecodedPacket
}

/** What it says: a packet, which gets the id, the question and the mark of a response; octets; or nothing. */
export type ServerReply = Packet | Uint8Array | 'hang up' | undefined

/** A DNS server on loopback, which answers whatever the test says. */
export interface DnsTestServer {
  readonly port: number
  /** `127.0.0.1:port` or `[::1]:port`. */
  readonly address: string
  /** In the order in which they came. */
  readonly asked: readonly AskedQuestion[]
}

interface Context {
  after(end: () => unknown): void
}

/** Serves over UDP and TCP on the same port, until the test is over. Several replies go out in a row. */
export async function dnsServer(
  context: Context,
  answer: (question: AskedQuestion) => ServerReply | readonly ServerReply[],
  host: '127.0.0.1' | '::1' = '127.0.0.1',
): Promise<DnsTestServer> {
  const asked: AskedQuestion[] = []
  const repliesTo = (message: Buffer, over: 'udp' | 'tcp') => {
    const packet = decode(message)
    const [question] = packet.questions ?? []
    if (question === undefined) throw new Error('a query without a question')
    asked.push({ ...question, over, packet })
    const replies = [answer({ ...question, over, packet })].flat()
    return replies
      .filter((reply) => reply !== undefined)
      .map((reply) => (reply === 'hang up' ? reply : onWire(packet, reply)))
  }
  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    // A query of a test fits in one segment.
    socket.on('data', (chunk) => {
      for (const reply of repliesTo(chunk.subarray(2), 'tcp')) {
        if (reply === 'hang up') return void socket.end(Buffer.from([0, 100, 0]))
        const length = Buffer.alloc(2)
        length.writeUInt16BE(reply.length)
        // In two parts, which a reader must put together.
        socket.write(Buffer.concat([length, reply.subarray(0, 5)]))
        setImmediate(() => socket.end(reply.subarray(5)))
      }
    })
  })
  tcp.listen(0, host)
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket(host === '::1' ? 'udp6' : 'udp4')
  udp.on('message', (message, { port: client, address }) => {
    for (const reply of repliesTo(message, 'udp')) {
      if (reply !== 'hang up') udp.send(reply, client, address)
    }
  })
  udp.bind(port, host)
  await once(udp, 'listening')
  context.after(() => {
    udp.close()
    tcp.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port, address: host === '::1' ? `[::1]:${port}` : `${host}:${port}`, asked }
}

/** The reply as a resolver would send it: recursion was available. */
function onWire(query: DecodedPacket, reply: Packet | Uint8Array): Uint8Array {
  if (reply instanceof Uint8Array) return reply
  const { id = 0, questions = [] } = query
  const flags = 0x0180 | (reply.flags ?? 0)
  return encode({ id, questions, ...reply, type: 'response', flags })
}
