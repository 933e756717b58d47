import { createCipheriv, createDecipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { parseRowId, type RowId } from '../base/row-id.ts'

/** Encrypts and decrypts FromIDs: AES-128 keys, of which the first is for new ones and the others are old. */
export type FromIdKeys = readonly [Uint8Array, ...Uint8Array[]]

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** Characters of a FromID. */
export const FROM_ID_LENGTH = 26
const BLOCK = 16

/**
 * The part of the reverse-path that is unique to a message: its id and a tag of its account in one AES block, so
 * that a notification sent there finds the message without an index, and only we can make one (2^-43). In
 * lower-case base32 it survives remotes that fold case (RFC 5321 §2.4 forbids it, and some do).
 */
export function formatFromId(keys: FromIdKeys, account: string, id: RowId): string {
  // 53 bits of id, 32 of account, 43 zero.
  const block = blockOf((BigInt(id) << 75n) | (BigInt(accountTag(account)) << 43n))
  const cipher = createCipheriv('aes-128-ecb', keys[0], null).setAutoPadding(false)
  return toBase32(Buffer.concat([cipher.update(block), cipher.final()]))
}

/** The message of the account that a FromID names; undefined for anything that we have not made for it. */
export function parseFromId(keys: FromIdKeys, account: string, text: string): RowId | undefined {
  const encrypted = fromBase32(text.toLowerCase())
  if (!encrypted) return undefined
  for (const key of keys) {
    const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    const block = Buffer.concat([decipher.update(encrypted), decipher.final()])
    const value = numberOf(block)
    const rest = blockOf(value & ((1n << 75n) - 1n))
    const expected = blockOf(BigInt(accountTag(account)) << 43n)
    if (timingSafeEqual(rest, expected)) return parseRowId(Number(value >> 75n))
  }
  return undefined
}

/** Keys of a secret: each line of its text is one, the first is the current one. */
export function fromIdKeys(secret: string): FromIdKeys {
  const keys = secret
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => createHash('sha256').update(line).digest().subarray(0, BLOCK))
  const [first, ...others] = keys
  if (!first) throw new Error('the secret of the FromIDs is empty')
  return [first, ...others]
}

function accountTag(account: string): number {
  return createHash('sha256').update(account).digest().readUInt32BE()
}

function blockOf(value: bigint): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.writeBigUInt64BE(value >> 64n, 0)
  block.writeBigUInt64BE(value & 0xffffffffffffffffn, 8)
  return block
}

function numberOf(block: Buffer): bigint {
  return (block.readBigUInt64BE(0) << 64n) | block.readBigUInt64BE(8)
}

/** RFC 4648 §6, in lower case and without padding: 128 bits and two zero bits. */
function toBase32(bytes: Buffer): string {
  let value = numberOf(bytes) << 2n
  let text = ''
  for (let place = 0; place < FROM_ID_LENGTH; place++) {
    text = ALPHABET.charAt(Number(value & 31n)) + text
    value >>= 5n
  }
  return text
}

function fromBase32(text: string): Buffer | undefined {
  if (!new RegExp(`^[${ALPHABET}]{${FROM_ID_LENGTH}}$`).test(text)) return undefined
  const value = [...text].reduce((sum, digit) => (sum << 5n) | BigInt(ALPHABET.indexOf(digit)), 0n)
  if ((value & 3n) !== 0n) return undefined
  return blockOf(value >> 2n)
}
