import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A call of SendEmail that was taken. */
export interface TakenEmail {
  readonly messageId: string
  readonly to: string
  readonly tags: Readonly<Record<string, string>>
  /** By the server's own clock. */
  readonly at: number
}

/** SES as far as its rate goes: by a clock of its own, which is a little slow, and with one second's messages at once. */
export async function startSesServer(options: {
  readonly rate: number
  readonly onTaken: (email: TakenEmail) => void
}) {
  const begunAt = performance.now()
  const clock = () => (performance.now() - begunAt) * 0.995
  let tokens = options.rate
  let filledAt = 0
  const counts = { taken: 0, refused: 0, quotas: 0 }

  async function sendEmail(body: string): Promise<readonly [status: number, answer: object, error?: string]> {
    const now = clock()
    tokens = Math.min(options.rate, tokens + ((now - filledAt) / 1000) * options.rate)
    filledAt = now
    if (tokens < 1) {
      counts.refused++
      return [429, { message: 'Maximum sending rate exceeded.' }, 'TooManyRequestsException']
    }
    tokens--
    const { Destination, EmailTags } = JSON.parse(body) as SendEmailBody
    const messageId = `ses-${counts.taken++}`
    const tags = Object.fromEntries(EmailTags.map(({ Name, Value }) => [Name, Value]))
    options.onTaken({ messageId, to: Destination.ToAddresses[0] ?? '', tags, at: now })
    await sleep(20 + Math.random() * 40)
    return [200, { MessageId: messageId }]
  }

  const server = createServer(async (request, response) => {
    const body = await textOf(request)
    const isQuota = request.method === 'GET'
    if (isQuota) counts.quotas++
    const [status, answer, error] = isQuota ? [200, quotaOf(options.rate)] : await sendEmail(body)
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(error && { 'x-amzn-errortype': error }),
    })
    response.end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    counts,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface SendEmailBody {
  readonly Destination: { readonly ToAddresses: readonly string[] }
  readonly EmailTags: readonly { readonly Name: string; readonly Value: string }[]
}

function quotaOf(rate: number): object {
  const SendQuota = { Max24HourSend: 50_000, MaxSendRate: rate, SentLast24Hours: 0 }
  return { SendingEnabled: true, SendQuota }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
