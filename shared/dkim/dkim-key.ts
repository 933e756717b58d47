import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { DkimSelector } from '../account/options.ts'

/** RFC 8301, RFC 8463. */
export type DkimAlgorithm = DkimSelector['algorithm']

/** A key pair of a selector. */
export interface DkimKeyPair {
  /** PKCS #8, DER. */
  readonly privateKey: Uint8Array
  /** What p= says: base64 of the SubjectPublicKeyInfo for RSA, of the 32 octets for Ed25519. */
  readonly publicKey: string
}

/** RFC 8301 §3.2 wants at least 2048; more does not fit into one character-string of a TXT record. */
const RSA_BITS = 2048

const generate = promisify(generateKeyPair)

/** Makes a key pair; RSA takes some tenths of a second. */
export async function newDkimKeyPair(algorithm: DkimAlgorithm): Promise<DkimKeyPair> {
  const pair =
    algorithm === 'rsa-sha256'
      ? await generate('rsa', { modulusLength: RSA_BITS })
      : await generate('ed25519', undefined)
  return {
    privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'der' }),
    publicKey: publicKeyText(pair.publicKey),
  }
}

/**
 * The key pair of a PEM text that an operator brings along, with what it signs. Throws a RangeError that says what is
 * wrong with it; the message may be shown.
 */
export function readDkimKeyPair(pem: string): DkimKeyPair & { readonly algorithm: DkimAlgorithm } {
  const privateKey = readPem(pem)
  const bits = privateKey.asymmetricKeyDetails?.modulusLength ?? 0
  const isEd25519 = privateKey.asymmetricKeyType === 'ed25519'
  if (!isEd25519 && privateKey.asymmetricKeyType !== 'rsa') {
    throw new RangeError('must be an RSA or Ed25519 key')
  }
  if (!isEd25519 && (bits < RSA_BITS || bits > 2 * RSA_BITS)) {
    throw new RangeError(`must have ${RSA_BITS} to ${2 * RSA_BITS} bits as an RSA key, not ${bits}`)
  }
  return {
    algorithm: isEd25519 ? 'ed25519-sha256' : 'rsa-sha256',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
    publicKey: publicKeyText(createPublicKey(privateKey)),
  }
}

/** The TXT record of a selector (RFC 6376 §3.6.1, RFC 8463 §4). */
export function dkimRecord({ algorithm, publicKey }: Pick<DkimSelector, 'algorithm' | 'publicKey'>): string {
  return `v=DKIM1;h=sha256;${algorithm === 'ed25519-sha256' ? 'k=ed25519;' : ''}p=${publicKey}`
}

function readPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new RangeError('must be a private key as PEM, not encrypted')
  }
}

function publicKeyText(key: KeyObject): string {
  if (key.asymmetricKeyType === 'ed25519') {
    return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')
  }
  return key.export({ type: 'spki', format: 'der' }).toString('base64')
}
