import { argon2, createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Random } from '../base/random.ts'

/**
 * What is kept of a password: an argon2id hash (RFC 9106) for logins that carry the password, and the keys of
 * SCRAM-SHA-256 (RFC 7677) for those that do not. Neither gives the password back.
 */
export interface StoredPassword {
  /** PHC text: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  readonly argon2id: string
  readonly scramSha256: ScramKeys
}

/** RFC 5802 §3; salt and keys are base64. */
export interface ScramKeys {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

/** The shortest password that is accepted. */
export const MINIMUM_PASSWORD_LENGTH = 8

/** Cost of one hash: 19 MiB, two passes (OWASP's first choice for argon2id). */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const
/** Rounds of PBKDF2 in new SCRAM keys. */
export const SCRAM_ITERATIONS = 32_768
const SALT_LENGTH = 16

const argon2Async = promisify(argon2)
const pbkdf2Async = promisify(pbkdf2)

/** What takes as long to compare with as a password does. */
export const PASSWORD_OF_NOBODY: Pick<StoredPassword, 'argon2id'> = {
  argon2id: `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`,
}

/** Prepares a new password for storage; takes about a tenth of a second, by intent. */
export async function storePassword(password: string, random: Random): Promise<StoredPassword> {
  const normalized = normalizePassword(password)
  const salt = random.bytes(SALT_LENGTH)
  const hash = await argon2id(normalized, salt)
  const parameters = `m=${COST.memory},t=${COST.passes},p=${COST.parallelism}`
  return {
    argon2id: `$argon2id$v=19$${parameters}$${base64(salt)}$${base64(hash)}`,
    scramSha256: await scramKeys(normalized, random.bytes(SALT_LENGTH)),
  }
}

/** Says whether `password` is the one that was stored, in time that does not depend on where they differ. */
export async function isPassword(
  password: string,
  stored: Pick<StoredPassword, 'argon2id'>,
): Promise<boolean> {
  const [, , , parameters, salt, hash] = stored.argon2id.split('$')
  if (parameters !== `m=${COST.memory},t=${COST.passes},p=${COST.parallelism}` || !salt || !hash) {
    throw new Error('the stored password has unknown argon2id parameters')
  }
  const actual = await argon2id(normalizePassword(password), Buffer.from(salt, 'base64'))
  const expected = Buffer.from(hash, 'base64')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

/**
 * The OpaqueString profile (RFC 8265 §4.2): NFC, and every kind of space as one kind, so that a password typed on
 * another keyboard is still the same.
 */
export function normalizePassword(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

async function argon2id(password: string, salt: Uint8Array): Promise<Buffer> {
  return await argon2Async('argon2id', { message: password, nonce: salt, ...COST })
}

async function scramKeys(password: string, salt: Uint8Array): Promise<ScramKeys> {
  const salted = await pbkdf2Async(password, salt, SCRAM_ITERATIONS, 32, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return {
    salt: Buffer.from(salt).toString('base64'),
    iterations: SCRAM_ITERATIONS,
    storedKey: createHash('sha256').update(clientKey).digest('base64'),
    serverKey: createHmac('sha256', salted).update('Server Key').digest('base64'),
  }
}

/** PHC texts use base64 without padding. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}
