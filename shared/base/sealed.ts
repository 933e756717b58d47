import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from './random.ts'

/** What private keys are sealed with, 32 bytes each: the first is for new ones, the others are old. */
export type SealingKeys = readonly [Uint8Array, ...Uint8Array[]]

/** How sealed bytes begin: which algorithm, and with it the lengths of what follows. */
const VERSION = 1
const ALGORITHM = 'aes-256-gcm'
const NONCE_LENGTH = 12
const TAG_LENGTH = 16
const HEAD_LENGTH = 1 + NONCE_LENGTH + TAG_LENGTH

/**
 * Encrypts bytes that are to be stored (AES-256-GCM; NIST SP 800-38D), as version, nonce, tag and ciphertext. The
 * context says what they are, such as `dkim/example.org/selector`, and must be given again to open them: what was
 * sealed as one thing cannot be passed off as another.
 */
export function seal(keys: SealingKeys, random: Random, context: string, bytes: Uint8Array): Uint8Array {
  const nonce = random.bytes(NONCE_LENGTH)
  const cipher = createCipheriv(ALGORITHM, keys[0], nonce)
  cipher.setAAD(Buffer.from(context))
  const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Buffer.concat([Buffer.from([VERSION]), nonce, cipher.getAuthTag(), encrypted])
}

/** The bytes again. Throws when they were not sealed with one of the keys and in this context, or were changed. */
export function open(keys: SealingKeys, context: string, sealed: Uint8Array): Uint8Array {
  if (sealed[0] !== VERSION || sealed.length < HEAD_LENGTH) {
    throw new Error(`${context} is not sealed in a form that this version knows`)
  }
  for (const key of keys) {
    const opened = tryOpen(key, context, sealed)
    if (opened) return opened
  }
  throw new Error(`${context} was sealed with none of the sealing keys, or as something else`)
}

/** Keys of a secret: each line of its text is one, the first is the current one. */
export function sealingKeys(secret: string): SealingKeys {
  const [first, ...others] = secret
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => new Uint8Array(hkdfSync('sha256', line, '', 'postern sealing', 32)))
  if (!first) throw new Error('the secret of the sealing keys is empty')
  return [first, ...others]
}

function tryOpen(key: Uint8Array, context: string, sealed: Uint8Array): Uint8Array | undefined {
  const nonce = sealed.subarray(1, 1 + NONCE_LENGTH)
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_LENGTH })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(1 + NONCE_LENGTH, HEAD_LENGTH))
  const opened = decipher.update(sealed.subarray(HEAD_LENGTH))
  try {
    return Buffer.concat([opened, decipher.final()])
  } catch {
    return undefined
  }
}
