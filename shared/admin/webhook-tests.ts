import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { Account } from '../account/options.ts'
import { SECOND } from '../base/clock.ts'
import { webhookOf } from '../webhook/account-webhook.ts'
import type { WebhookDirection } from '../webhook/signing-secret.ts'
import { newTestCall } from '../webhook/test-call.ts'
import { callHint, type WebhookCall } from '../webhook/webhook-call.ts'
import { webhookJson } from '../webhook/webhook-json.ts'
import { authorization, webhookUrl } from './account-settings.ts'
import { existingAccount } from './accounts.ts'
import type { AdminPorts } from './admin-ports.ts'
import { answer, RequestError, readBody } from './request.ts'
import { readWebhookPath } from './webhook-secrets.ts'

/** What came of a test call: mox's code, response and errmsg. */
export interface WebhookTestJson {
  /** The call, which `GET /webhooks/ACCOUNT/ID` shows for an hour after its end. */
  readonly ID: number
  /** The HTTP status; 0 when there was no answer. */
  readonly Code: number
  /** The first 512 bytes of the answer. */
  readonly Response: string
  /** Empty where the status is 2xx. */
  readonly Error: string
  /** False where the outcome is not known yet. */
  readonly Done: boolean
}

const LONGEST_PAYLOAD = 65_536
const LONGEST_WAIT_MS = 15 * SECOND
const ASK_EVERY_MS = 250

const testBody = z.strictObject({
  URL: z.optional(webhookUrl),
  Authorization: z.optional(authorization),
  Payload: z.optional(z.record(z.string(), z.unknown())),
})

/**
 * Tries a receiver: below an account and a direction. The worker makes the call, as it makes all of them: whoever
 * serves this API can read everything, and must not be led to call addresses.
 */
export function webhookTestRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.post('/:name/webhook-tests/:direction', async (context) => {
    const { name, direction } = await readWebhookPath(ports, context.req.param())
    const wanted = await readBody(context, testBody)
    const account = existingAccount(await ports.options.readNewest(), name)
    const test = {
      account: name,
      direction,
      ...readReceiver(account, direction, wanted),
      ...readPayload(wanted),
    }
    const low = Math.floor(ports.random.fraction() * 4096)
    const queued = await ports.calls.add(newTestCall(test, ports.clock.now(), low))
    await ports.webhooks.send([callHint(queued)])
    return answer(context, testJson(await outcomeOf(ports, queued)))
  })
  return routes
}

/** The account's own Authorization goes to the account's own URL only. */
function readReceiver(
  account: Account,
  direction: WebhookDirection,
  wanted: z.output<typeof testBody>,
): { readonly url: string; readonly authorization: string } {
  const own = webhookOf(account, direction)
  const url = wanted.URL ?? own?.url
  if (url === undefined) throw new RequestError('URL', `is required: the account has no ${direction} webhook`)
  return { url, authorization: wanted.Authorization ?? (url === own?.url ? own.authorization : '') }
}

function readPayload({ Payload }: z.output<typeof testBody>): { readonly body?: string } {
  if (!Payload) return {}
  const body = webhookJson(Payload)
  if (Buffer.byteLength(body) <= LONGEST_PAYLOAD) return { body }
  throw new RequestError('Payload', `must be at most ${LONGEST_PAYLOAD} bytes of JSON`)
}

/** The call as it is once done, or when nobody can wait any longer. */
async function outcomeOf({ calls, pause }: AdminPorts, queued: WebhookCall): Promise<WebhookCall> {
  let call = queued
  for (let waitedMs = 0; call.state !== 'done' && waitedMs < LONGEST_WAIT_MS; waitedMs += ASK_EVERY_MS) {
    await pause(ASK_EVERY_MS)
    call = (await calls.read(queued.account, queued.id)) ?? call
  }
  return call
}

function testJson({ id, state, results }: WebhookCall): WebhookTestJson {
  const result = state === 'done' ? results.at(-1) : undefined
  const { code = 0, response = '', error = '' } = result ?? {}
  return { ID: id, Code: code, Response: response, Error: error, Done: result !== undefined }
}
