import { createServer } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Log } from '../../base/log.ts'

interface HealthServerOptions {
  readonly port: number
  /** IP addresses to listen on; `::` is IPv6 only. */
  readonly addresses: readonly string[]
  readonly log: Log
}

/**
 * Answers a load balancer's health checks: `GET /health` is 200, and 503 from when the result is called: no new mail
 * may come any more. A port that is taken is logged: mail matters more than whoever asks about it.
 */
export function listenHealth({ port, addresses, log }: HealthServerOptions): () => void {
  let isHealthy = true
  for (const address of addresses) {
    const server = createServer((request, response) => {
      const status = request.url !== '/health' ? 404 : isHealthy ? 200 : 503
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
  return () => {
    isHealthy = false
  }
}
