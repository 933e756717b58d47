import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { AccountName } from '../account/options.ts'
import { formatInstant, type Instant } from '../base/clock.ts'
import { endPreviousSecret, rotateSigningSecret } from '../webhook/change-signing-secret.ts'
import {
  previousEndsAt,
  type SigningSecret,
  type WebhookDirection,
  webhookDirections,
} from '../webhook/signing-secret.ts'
import { existingAccount } from './accounts.ts'
import type { AdminPorts } from './admin-ports.ts'
import { answer, NotFoundError, readBody } from './request.ts'

/** Whether the calls of one direction are signed. */
export interface WebhookSecretJson {
  readonly Set: boolean
  /** RFC 3339; null where none is set. */
  readonly Created: string | null
  /** Until when the secret before it signs too; null when none does. */
  readonly PreviousUntil: string | null
}

/** The answer to whoever made a secret: no other answer has it. */
export interface NewWebhookSecretJson extends WebhookSecretJson {
  readonly Secret: string
}

const noFields = z.strictObject({})

/** What webhook calls are signed with, below an account and a direction: show, replace, end the one before. */
export function webhookSecretRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  const path = '/:name/webhook-secrets/:direction'
  routes.get(path, async (context) => {
    const { name, direction } = await readWebhookPath(ports, context.req.param())
    const signing = await ports.signingSecrets.read(name, direction)
    return answer(context, webhookSecretJson(signing, ports.clock.now()))
  })
  routes.post(path, async (context) => {
    const { name, direction } = await readWebhookPath(ports, context.req.param())
    await readBody(context, noFields)
    const made = await rotateSigningSecret(ports, name, direction)
    const shown = webhookSecretJson(made, ports.clock.now())
    return answer(context, { ...shown, Secret: made.secret } satisfies NewWebhookSecretJson)
  })
  routes.delete(`${path}/previous`, async (context) => {
    const { name, direction } = await readWebhookPath(ports, context.req.param())
    const signing = await endPreviousSecret(ports, name, direction)
    return answer(context, webhookSecretJson(signing, ports.clock.now()))
  })
  return routes
}

/** The account and the direction that a path names; throws {@link NotFoundError}. */
export async function readWebhookPath(
  ports: AdminPorts,
  { name = '', direction: text = '' }: Readonly<Record<string, string>>,
): Promise<{ readonly name: AccountName; readonly direction: WebhookDirection }> {
  existingAccount(await ports.options.readNewest(), name)
  const direction = webhookDirections.find((each) => each === text)
  if (direction) return { name, direction }
  throw new NotFoundError(`there are outgoing and incoming webhooks, but no ${JSON.stringify(text)}`)
}

function webhookSecretJson(signing: SigningSecret | undefined, now: Instant): WebhookSecretJson {
  const endsAt = signing && previousEndsAt(signing, now)
  return {
    Set: signing !== undefined,
    Created: signing ? formatInstant(signing.createdAt) : null,
    PreviousUntil: endsAt === undefined ? null : formatInstant(endsAt),
  }
}
