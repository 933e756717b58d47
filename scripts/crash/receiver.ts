import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Journal } from './journal.ts'
import type { Receipt } from './run-record.ts'

/** The application's HTTP server, which outlives every crash. */
export interface Receiver {
  readonly url: string
  readonly receipts: readonly Receipt[]
  close(): void
}

/** Takes every call, and writes it down before it says so. */
export async function startReceiver(journal: Journal): Promise<Receiver> {
  const receipts: Receipt[] = []
  const server = createServer(async (request, response) => {
    try {
      const receipt = receiptOf(request, await readText(request))
      receipts.push(receipt)
      journal.append(receipt)
      response.end()
    } catch {
      // The caller died before it had said all.
      response.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    receipts,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function receiptOf({ headers }: IncomingMessage, text: string): Receipt {
  const { Event = 'incoming', MessageID, QueueMsgID = 0, Meta }: WebhookPayload = JSON.parse(text)
  return {
    receivedAt: Date.now(),
    webhookId: Number(headers['x-mox-webhook-id']),
    attempt: Number(headers['x-mox-webhook-attempt']),
    messageId: MessageID,
    event: Event,
    queueMsgId: QueueMsgID,
    msgId: Meta?.MsgID ?? 0,
  }
}

interface WebhookPayload {
  readonly Event?: string
  readonly MessageID: string
  readonly QueueMsgID?: number
  readonly Meta?: { readonly MsgID: number }
}
