import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Many receivers of webhooks on one loopback port, one per path; those below `/hanging/` do not answer. */
export interface Receivers {
  readonly url: string
  /** Calls answered so far. */
  answered(): number
  /** Calls that wait for an answer. */
  hanging(): number
  /** Answers these after all. */
  release(): void
  /** The most calls to one URL that were in flight at once. */
  mostAtOnce(): number
  /** Answered calls that came after a later one to the same URL. */
  overtaken(): number
  close(): void
}

interface Receiver {
  inFlight: number
  latestId: number
}

/** Opens them; each remembers who called. */
export async function openReceivers(): Promise<Receivers> {
  const receivers = new Map<string, Receiver>()
  let answered = 0
  const hanging = new Set<ServerResponse>()
  let mostAtOnce = 0
  let overtaken = 0
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const receiver = receivers.get(path) ?? { inFlight: 0, latestId: 0 }
    receivers.set(path, receiver)
    receiver.inFlight += 1
    mostAtOnce = Math.max(mostAtOnce, receiver.inFlight)
    response.once('close', () => {
      receiver.inFlight -= 1
      hanging.delete(response)
    })
    request.resume()
    if (path.startsWith('/hanging/')) {
      hanging.add(response)
      return
    }
    const id = Number(request.headers['x-mox-webhook-id'])
    if (id < receiver.latestId) overtaken += 1
    receiver.latestId = Math.max(receiver.latestId, id)
    request.once('end', () => {
      answered += 1
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered: () => answered,
    hanging: () => hanging.size,
    release: () => {
      for (const response of hanging) response.end()
    },
    mostAtOnce: () => mostAtOnce,
    overtaken: () => overtaken,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
