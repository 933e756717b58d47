import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One call that came in. */
export interface ReceivedCall {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Record<string, unknown>
}

/** An application's HTTP server on loopback. */
export interface WebhookReceiver {
  readonly url: string
  readonly calls: readonly ReceivedCall[]
}

/**
 * Answers every call with `status`, a number or what a function says of the call, when it says it; the body is
 * always `answer`. A redirect leads to `/elsewhere` on the same server.
 */
export async function webhookReceiver(
  context: { after(end: () => void): void },
  status: number | ((call: ReceivedCall) => number | Promise<number>) = 200,
  answer = 'thank you',
): Promise<WebhookReceiver> {
  const calls: ReceivedCall[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const call = { path: request.url ?? '', headers: request.headers, text, json: JSON.parse(text) }
    calls.push(call)
    response.statusCode = typeof status === 'number' ? status : await status(call)
    if (response.statusCode >= 300 && response.statusCode < 400) response.setHeader('Location', '/elsewhere')
    response.end(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}
