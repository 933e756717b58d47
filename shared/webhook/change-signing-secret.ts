import type { AccountName } from '../account/options.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { newSigningSecret, type SigningSecret, type WebhookDirection } from './signing-secret.ts'
import type { SigningSecretStore } from './signing-secret-store.ts'

export interface SigningSecretPorts {
  readonly signingSecrets: SigningSecretStore
  readonly clock: Clock
  readonly random: Random
}

const MOST_RACES = 5

/** Makes the first secret; undefined when there is one, which whoever made it was told. */
export async function createSigningSecret(
  { signingSecrets, clock, random }: SigningSecretPorts,
  account: AccountName,
  direction: WebhookDirection,
): Promise<SigningSecret | undefined> {
  if (await signingSecrets.read(account, direction)) return undefined
  const created = newSigningSecret(undefined, clock.now(), random)
  return (await signingSecrets.replace(account, direction, undefined, created)) ? created : undefined
}

/** Makes a new secret, or the first one. */
export async function rotateSigningSecret(
  { signingSecrets, clock, random }: SigningSecretPorts,
  account: AccountName,
  direction: WebhookDirection,
): Promise<SigningSecret> {
  for (let race = 0; race < MOST_RACES; race++) {
    const before = await signingSecrets.read(account, direction)
    const after = newSigningSecret(before, clock.now(), random)
    if (await signingSecrets.replace(account, direction, before, after)) return after
  }
  throw new Error('the webhook secret changed faster than it could be replaced')
}

/** Ends the secret before the newest at once. If a rotation is faster, that has ended it already. */
export async function endPreviousSecret(
  { signingSecrets }: Pick<SigningSecretPorts, 'signingSecrets'>,
  account: AccountName,
  direction: WebhookDirection,
): Promise<SigningSecret | undefined> {
  const before = await signingSecrets.read(account, direction)
  if (!before?.previous) return before
  const { previous: _ended, ...after } = before
  if (await signingSecrets.replace(account, direction, before, after)) return after
  return await signingSecrets.read(account, direction)
}
