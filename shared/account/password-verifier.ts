import { createHmac, timingSafeEqual } from 'node:crypto'
import { type Clock, MINUTE } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { CredentialStore } from './credential-store.ts'
import { isPassword, normalizePassword, PASSWORD_OF_NOBODY } from './password.ts'

/** How long a right password is believed without hashing it again, and so the longest a changed one lives on. */
const BELIEVED_FOR = MINUTE
const MOST_REMEMBERED = 1000

/** Checks passwords; an argon2id hash costs 30 ms, so a right answer is remembered for a minute. */
export interface PasswordVerifier {
  verify(holder: string, password: string): Promise<boolean>
}

/** Remembers only keyed digests under a key of this process: its memory gives no password away. */
export function passwordVerifier(ports: {
  readonly credentials: CredentialStore
  readonly clock: Clock
  readonly random: Random
}): PasswordVerifier {
  const key = ports.random.bytes(32)
  const remembered = new Map<string, { readonly digest: Buffer; readonly until: number }>()

  return {
    async verify(holder, password) {
      const digest = createHmac('sha256', key)
        .update(`${holder}\0${normalizePassword(password)}`)
        .digest()
      const known = remembered.get(holder)
      if (known && known.until > ports.clock.now() && timingSafeEqual(known.digest, digest)) return true

      const stored = await ports.credentials.password(holder)
      // Whoever has no password takes as long: the time must not tell who exists.
      const isRight = await isPassword(password, stored ?? PASSWORD_OF_NOBODY)
      if (!stored || !isRight) return false
      if (remembered.size >= MOST_REMEMBERED) remembered.clear()
      remembered.set(holder, { digest, until: ports.clock.now() + BELIEVED_FOR })
      return true
    },
  }
}
