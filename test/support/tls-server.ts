import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { TestCertificate } from './certificates.ts'

/** A TLS server on 127.0.0.1 that says nothing, and what clients asked for with SNI. */
export interface TlsTestServer {
  readonly port: number
  readonly serverNames: readonly string[]
}

/** What a server proves itself with: the key of the first certificate, and all of them in this order. */
export function identityOf(chain: readonly TestCertificate[]): {
  readonly cert: string
  readonly key: string
} {
  return { cert: chain.map(({ pem }) => pem).join(''), key: chain[0]?.privateKey ?? '' }
}

/** Serves until the test is over. */
export async function tlsServer(
  context: { after(end: () => unknown): void },
  chain: readonly TestCertificate[],
  options: TlsOptions = {},
): Promise<TlsTestServer> {
  const serverNames: string[] = []
  const sockets = new Set<TLSSocket>()
  const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
    serverNames.push(name)
    done(null)
  }
  const server = createServer({ ...identityOf(chain), SNICallback, ...options }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, serverNames }
}
