import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A SOCKS5 proxy (RFC 1928) on 127.0.0.1, and what it was asked for. */
export interface SocksServer {
  readonly port: number
  /** Such as `1 127.0.0.1:25`: the kind of address, and the place. */
  readonly requests: readonly string[]
}

interface SocksTerms {
  /** RFC 1928 §6; left out, it connects. */
  readonly reply?: number
  /** Waits for the first octets of the server and sends them with its reply. */
  readonly isLate?: boolean
  /** Says nothing. */
  readonly isSilent?: boolean
}

/** Serves until the test is over; connects to addresses of loopback only. */
export async function socksServer(
  context: { after(end: () => unknown): void },
  terms: SocksTerms = {},
): Promise<SocksServer> {
  const requests: string[] = []
  const server = createServer((socket) => {
    context.after(() => socket.destroy())
    socket.on('error', () => {})
    if (!terms.isSilent) void serve(socket, terms, requests)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, requests }
}

async function serve(socket: Socket, { reply = 0, isLate }: SocksTerms, requests: string[]): Promise<void> {
  await once(socket, 'data')
  socket.write(Buffer.from([5, 0]))
  const [request] = (await once(socket, 'data')) as [Buffer]
  const { kind, host, port } = readRequest(request)
  requests.push(`${kind} ${host}:${port}`)
  const granted = Buffer.from([5, reply, 0, 1, 127, 0, 0, 1, 0, 0])
  if (reply !== 0) return void socket.end(granted)
  const target = connect({ host, port })
  target.on('error', () => socket.destroy())
  socket.on('close', () => target.destroy())
  await once(target, 'connect')
  if (!isLate) socket.write(granted)
  else socket.write(Buffer.concat([granted, ((await once(target, 'data')) as [Buffer])[0]]))
  socket.pipe(target).pipe(socket)
}

function readRequest(request: Buffer): {
  readonly kind: number
  readonly host: string
  readonly port: number
} {
  const kind = request[3] ?? 0
  const port = request.readUInt16BE(request.length - 2)
  const address = request.subarray(4, request.length - 2)
  if (kind === 1) return { kind, host: address.join('.'), port }
  if (kind === 3) return { kind, host: address.subarray(1).toString(), port }
  return { kind, host: address.toString('hex').replace(/(.{4})(?=.)/g, '$1:'), port }
}
