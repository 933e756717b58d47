import { HOUR, type Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'

/** Both kinds of calls: about mail that the account sent, and about mail that it received. */
export const webhookDirections = ['outgoing', 'incoming'] as const

/** One of {@link webhookDirections}. */
export type WebhookDirection = (typeof webhookDirections)[number]

/** What the calls of one account and direction are signed with. */
export interface SigningSecret {
  /** As receivers are given it: `whsec_`, and octets in base64. */
  readonly secret: string
  readonly createdAt: Instant
  /** The one before it, which signs too until it ends: receivers change theirs in their own time. */
  readonly previous?: { readonly secret: string; readonly endsAt: Instant }
}

const PREFIX = 'whsec_'
/** Standard Webhooks asks for 24 to 64. */
const OCTETS = 32
const PREVIOUS_LIVES = 24 * HOUR

/** A secret that nobody knows yet; what it replaces stays valid for 24 hours, what that had replaced ends. */
export function newSigningSecret(
  before: SigningSecret | undefined,
  now: Instant,
  random: Random,
): SigningSecret {
  return {
    secret: PREFIX + Buffer.from(random.bytes(OCTETS)).toString('base64'),
    createdAt: now,
    ...(before && { previous: { secret: before.secret, endsAt: now + PREVIOUS_LIVES } }),
  }
}

/** When the previous secret ends; undefined when none signs any more. */
export function previousEndsAt({ previous }: SigningSecret, now: Instant): Instant | undefined {
  return previous && previous.endsAt > now ? previous.endsAt : undefined
}

/** The secrets that sign at that time, the newest first. */
export function validSecrets(signing: SigningSecret, now: Instant): readonly string[] {
  const { secret, previous } = signing
  return previous && previousEndsAt(signing, now) !== undefined ? [secret, previous.secret] : [secret]
}

/** The octets of a secret, which are the key of its signatures. */
export function keyOfSecret(secret: string): Buffer {
  return Buffer.from(secret.slice(PREFIX.length), 'base64')
}
