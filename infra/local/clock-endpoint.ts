import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { LocalClock } from './clock.ts'

/** Where the local cloud's clock is asked and moved, beside the template's routes. AWS has nothing like it. */
export const CLOCK_PATH = '/_local/clock'

/** What the endpoint answers. */
interface ClockAnswer {
  /** RFC 3339 in UTC. */
  readonly now: string
  /** How far ahead of the machine's time. */
  readonly offsetMs: number
}

/**
 * GET answers the time; POST `{"advanceMs": 28800000}` moves it first. For programs of this machine only: no page that
 * a browser has loaded from elsewhere, by its own name or one that was pointed here, may move time or read it.
 */
export async function answerClock(
  clock: LocalClock,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, body: ClockAnswer | { readonly message: string }) => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(body))
  }
  const refusal = findRefusal(request)
  if (refusal !== undefined) return send(403, { message: refusal })
  if (request.method !== 'GET' && request.method !== 'POST') return send(405, { message: 'use GET or POST' })
  if (request.method === 'POST') {
    const mistake = await move(clock, request)
    if (mistake !== undefined) return send(400, { message: mistake })
  }
  send(200, { now: new Date(clock.now()).toISOString(), offsetMs: clock.offsetMs() })
}

function findRefusal({ socket, headers }: IncomingMessage): string | undefined {
  if (!/^(?:::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '')) return 'only this machine may move time'
  if (headers.origin !== undefined) return 'no web page may move time: the request has an Origin'
  if (/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(headers.host ?? '')) return undefined
  return 'the Host must be localhost, 127.0.0.1 or [::1]'
}

const moveSchema = z.strictObject({ advanceMs: z.number() })
const LONGEST_BODY = 1_000

/** Undefined when time was moved, else what is wrong with the request. */
async function move(clock: LocalClock, request: IncomingMessage): Promise<string | undefined> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    if (text.length > LONGEST_BODY) return `the body must be at most ${LONGEST_BODY} characters`
  }
  try {
    await clock.advance(moveSchema.parse(JSON.parse(text)).advanceMs)
    return undefined
  } catch (error) {
    if (error instanceof RangeError) return `advanceMs: ${error.message}`
    if (error instanceof SyntaxError || error instanceof z.ZodError) {
      return 'the body must be JSON such as {"advanceMs": 28800000}'
    }
    throw error
  }
}
