import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { readBase64 } from '../base/base64.ts'
import type { ScramKeys } from './password.ts'

/** What a mechanism of the family hashes with. */
export type ScramHash = 'sha1' | 'sha256'

/** What a SCRAM client says first (RFC 5802 §7, client-first-message). */
export interface ClientFirst {
  /** `n`: it cannot bind to channels. `y`: it can, and believes that we cannot. `p`: it binds, in the way of that name. */
  readonly flag: 'n' | 'y' | 'p'
  readonly bindingName: string
  /** As whom it wants to act; empty means as itself. */
  readonly authorizationId: string
  readonly userName: string
  readonly nonce: string
  /** The two parts of the message, as they came. */
  readonly gs2Header: string
  readonly bare: string
}

/** What was said before the client's last message. */
export interface ScramDialogue {
  readonly clientFirst: ClientFirst
  /** The client's nonce and ours. */
  readonly nonce: string
  readonly serverFirst: string
  /** What the client must have seen of the channel; empty where it does not bind. */
  readonly channelBinding: Uint8Array
}

/** What the client's last message proves: the password, with what we prove in turn; or what is wrong with it. */
export type ScramProof =
  | { readonly kind: 'proved'; readonly serverFinal: string }
  | { readonly kind: 'unproved' | 'unbound' | 'malformed' }

const EXTENSIONS = '(?:,[A-Za-z]=[^\\0,]+)*'

/** A nonce that is longer would lead to challenges that are no SMTP reply any more; clients use some 30 characters. */
const NONCE = '[\\x21-\\x2b\\x2d-\\x7e]{1,256}'

const CLIENT_FIRST = new RegExp(
  '^(?<gs2Header>(?:(?<flag>[ny])|p=(?<bindingName>[A-Za-z0-9.-]+)),(?:a=(?<authorizationId>[^\\0,]+))?,)' +
    // A mandatory extension (m=) would come before the name; none is known, so none may be accepted.
    `(?<bare>n=(?<userName>[^\\0,]+),r=(?<nonce>${NONCE})${EXTENSIONS})$`,
)

const CLIENT_FINAL = new RegExp(
  `^(?<withoutProof>c=(?<channel>[^,]+),r=(?<nonce>[^,]+)${EXTENSIONS}),p=(?<proof>[^,]+)$`,
)

/** Undefined for what the grammar does not allow. */
export function readClientFirst(text: string): ClientFirst | undefined {
  const parts = CLIENT_FIRST.exec(text)?.groups
  const userName = readSaslName(parts?.userName)
  const authorizationId = readSaslName(parts?.authorizationId)
  if (!parts || userName === undefined || authorizationId === undefined) return undefined
  const { gs2Header = '', bare = '', nonce = '', flag, bindingName = '' } = parts
  return {
    flag: flag === 'n' || flag === 'y' ? flag : 'p',
    bindingName,
    authorizationId,
    userName,
    nonce,
    gs2Header,
    bare,
  }
}

/** RFC 5802 §7, server-first-message. */
export function writeServerFirst(nonce: string, { salt, iterations }: ScramKeys): string {
  return `r=${nonce},s=${salt},i=${iterations}`
}

/** Checks the client-final-message, and writes the server-final-message (RFC 5802 §3). */
export function checkClientFinal(dialogue: ScramDialogue, keys: ScramKeys, text: string): ScramProof {
  const { clientFirst, serverFirst, nonce, channelBinding } = dialogue
  const parts = CLIENT_FINAL.exec(text)?.groups
  const channel = readBase64(parts?.channel ?? '')
  const proof = readBase64(parts?.proof ?? '')
  if (!parts || !channel || proof?.length !== 32 || parts.nonce !== nonce) return { kind: 'malformed' }

  const expected = Buffer.concat([Buffer.from(clientFirst.gs2Header), channelBinding])
  if (!equal(channel, expected)) return { kind: 'unbound' }

  const said = `${clientFirst.bare},${serverFirst},${parts.withoutProof}`
  const storedKey = Buffer.from(keys.storedKey, 'base64')
  const clientKey = exclusiveOr(proof, hmac(storedKey, said))
  if (!equal(createHash('sha256').update(clientKey).digest(), storedKey)) return { kind: 'unproved' }
  const signature = hmac(Buffer.from(keys.serverKey, 'base64'), said)
  return { kind: 'proved', serverFinal: `v=${signature.toString('base64')}` }
}

/** Commas and equals signs are written `=2C` and `=3D`; undefined for any other use of `=`. */
function readSaslName(text = ''): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** RFC 5802 §2.2: HMAC(key, text), by default of SCRAM-SHA-256. */
export function hmac(key: Uint8Array, text: string, hash: ScramHash = 'sha256'): Buffer {
  return createHmac(hash, key).update(text).digest()
}

/** RFC 5802 §2.2, of texts of the same length. */
export function exclusiveOr(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((byte, place) => byte ^ (other[place] ?? 0))
}

/** Takes as long wherever they differ. */
export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
