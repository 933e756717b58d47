import { createServer, type Server } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Log } from '../../base/log.ts'

interface HealthServerOptions {
  readonly port: number
  /** IP addresses to listen on; `::` is IPv6 only. */
  readonly addresses: readonly string[]
  /** Whether new mail may come here. */
  readonly isHealthy: () => boolean
  readonly log: Log
}

/**
 * Answers a load balancer's health checks: `GET /health` is 200 while new mail may come, and 503 from then on. A port
 * that is taken is logged: mail matters more than whoever asks about it.
 */
export function listenHealth({ port, addresses, isHealthy, log }: HealthServerOptions): void {
  for (const address of addresses) {
    const server: Server = createServer((request, response) => {
      const status = request.url !== '/health' ? 404 : isHealthy() ? 200 : 503
      response.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' }).end(`${status}\n`)
    })
    server.requestTimeout = 10_000
    server.on('error', (error) =>
      log.warn('no health checks are answered', { address, error: error.message }),
    )
    server.listen({ port, host: address, ipv6Only: isIPv6(address) })
    // It is no reason to go on.
    server.unref()
  }
}
