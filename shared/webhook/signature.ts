import { createHmac } from 'node:crypto'
import type { Instant } from '../base/clock.ts'
import { keyOfSecret } from './signing-secret.ts'

/** What a receiver verifies. */
export interface SignedContent {
  /** The same for every attempt of a call, and of no other call. */
  readonly id: string
  /** When this attempt is made. */
  readonly at: Instant
  readonly body: Uint8Array
}

/** The three headers of Standard Webhooks 1.0, with a signature of each secret; none where there is no secret. */
export function signatureHeaders(
  secrets: readonly string[],
  { id, at, body }: SignedContent,
): Record<string, string> {
  if (secrets.length === 0) return {}
  const timestamp = String(Math.floor(at / 1000))
  const signatures = secrets.map((secret) => {
    const signed = createHmac('sha256', keyOfSecret(secret)).update(`${id}.${timestamp}.`).update(body)
    return `v1,${signed.digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
