import type { LookupAddress } from 'node:dns'
import { lookup as systemLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, request as httpRequest } from 'undici'
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../../webhook/webhook-sender.ts'
import { isWebhookPort, WEBHOOK_PORT_RULE } from '../../webhook/webhook-url.ts'
import { isLoopbackAddress, whyNotPublic } from './public-address.ts'
import { unreachableReason, WebhookRefused } from './webhook-error.ts'

interface WebhookSenderOptions {
  /** Also sends to 127.0.0.0/8 and ::1, as local mode needs. */
  readonly allowLoopback: boolean
  /** For the whole call. */
  readonly timeoutMs?: number
  /** All addresses of a host name. */
  readonly lookup?: (hostname: string, options: { readonly all: true }) => Promise<readonly LookupAddress[]>
}

const TIMEOUT_MS = 60_000
const CONNECT_TIMEOUT_MS = 10_000
/** How much of the body of an answer is kept. */
const RESPONSE_BYTES = 512

/**
 * Sends webhooks to public addresses: those of IP literals and of names are judged before anything connects, and
 * the connection goes to an address that was judged, so that a name that changes its mind gains nothing. Ports
 * are 80, 443 and those from 1024. No redirect is followed, no proxy is used, no connection is kept.
 */
export function webhookSender(options: WebhookSenderOptions): WebhookSender {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  const connect = guardedConnector(options, timeoutMs)
  return {
    async post(request) {
      const agent = new Agent({ connect })
      try {
        return await post(agent, request, AbortSignal.timeout(timeoutMs))
      } catch (error) {
        return { kind: 'unreachable', error: unreachableReason(error, timeoutMs) }
      } finally {
        await agent.destroy()
      }
    },
  }
}

async function post(agent: Agent, request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer> {
  const { statusCode, headers, body } = await httpRequest(vettedUrl(request.url), {
    dispatcher: agent,
    method: 'POST',
    reset: true,
    headers: request.headers,
    body: request.body,
    signal,
  })
  const [retryAfter] = [headers['retry-after']].flat()
  return {
    kind: 'answered',
    status: statusCode,
    response: await readStart(body),
    ...(retryAfter !== undefined && { retryAfter }),
  }
}

function vettedUrl(text: string): URL {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) throw new WebhookRefused('the URL of the webhook is not valid')
  if (!isWebhookPort(url)) throw new WebhookRefused(`the port of the webhook ${WEBHOOK_PORT_RULE}`)
  return url
}

/** The status has been given: a body that breaks off or never ends does not take it back. */
async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= RESPONSE_BYTES) break
    }
  } catch {}
  const start = Buffer.concat(chunks).subarray(0, RESPONSE_BYTES)
  // As in a stream, so that a character cut in two at the end is left out.
  return new TextDecoder().decode(start, { stream: true })
}

function guardedConnector(options: WebhookSenderOptions, timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({
    lookup: vettedLookup(options),
    timeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    allowH2: false,
    maxCachedSessions: 0,
  })
  return (target, callback) => {
    // Sockets look up names only; every spelling of an IP address has become the usual one in the URL.
    const refused = isIP(target.hostname) === 0 ? undefined : refusalOf(options, [target.hostname])
    if (refused) callback(refused, null)
    else connect(target, callback)
  }
}

function vettedLookup(options: WebhookSenderOptions): LookupFunction {
  const lookup = options.lookup ?? systemLookup
  return (hostname, { all }, callback) => {
    lookup(hostname, { all: true }).then(
      (addresses) => {
        const [first] = addresses
        // One bad address spoils the name: which one a socket takes is not ours to say.
        const refused = refusalOf(
          options,
          addresses.map(({ address }) => address),
        )
        if (refused || !first) callback(refused ?? new WebhookRefused('the host name has no address'), [])
        else if (all) callback(null, [...addresses])
        else callback(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    )
  }
}

/** Says which address is the first that must not be reached, and why. */
function refusalOf(
  { allowLoopback }: WebhookSenderOptions,
  ipAddresses: readonly string[],
): WebhookRefused | undefined {
  for (const ipAddress of ipAddresses) {
    const reason = allowLoopback && isLoopbackAddress(ipAddress) ? undefined : whyNotPublic(ipAddress)
    if (reason) return new WebhookRefused(`the address ${ipAddress} of the webhook ${reason}`)
  }
  return undefined
}
