import { createHash, createPublicKey } from 'node:crypto'
import type { TlsAssociation } from '../dns/resolver.ts'
import { readCertificate } from './certificate.ts'

/** Part of a TLSA record is malformed; the message names it, and may be shown to whoever wrote the text. */
export class TlsaSyntaxError extends Error {
  override readonly name = 'TlsaSyntaxError'
}

/** The numbers of certificate usages (RFC 7218 §2.1). */
const PKIX_TA = 0
export const PKIX_EE = 1
export const DANE_TA = 2
export const DANE_EE = 3

/** The usages that authenticate a mail server; the PKIX ones do not (RFC 7672 §3.1.3). */
export const smtpUsages: readonly number[] = [DANE_TA, DANE_EE]
export const allUsages: readonly number[] = [PKIX_TA, PKIX_EE, DANE_TA, DANE_EE]

/** RFC 7218 §2.2, §2.3. */
const CERT = 0
const SPKI = 1
const FULL = 0
const hashes: Readonly<Record<number, string>> = { 1: 'sha256', 2: 'sha512' }
const hashOctets: Readonly<Record<number, number>> = { 1: 32, 2: 64 }

/** The acronyms of RFC 7218, by number. */
const names = {
  usage: ['pkix-ta', 'pkix-ee', 'dane-ta', 'dane-ee'],
  selector: ['cert', 'spki'],
  'matching type': ['full', 'sha2-256', 'sha2-512'],
} as const

/** RFC 7468, RFC 5915: the first of these is looked for, whatever other blocks are before it. */
const PEM_BLOCK =
  /-----BEGIN ((?:X509 )?CERTIFICATE|PUBLIC KEY|(?:[A-Z]+ )?PRIVATE KEY)-----[\s\S]*?-----END \1-----/

/** Reads a number or a name of one of a record's parameters; throws {@link TlsaSyntaxError} for what is neither. */
export function parseTlsaParameter(parameter: keyof typeof names, text: string): number {
  const known: readonly string[] = names[parameter]
  const number = known.findIndex((name, at) => text.toLowerCase() === name || text === String(at))
  if (number >= 0) return number
  const choices = known.map((name, at) => `${at} (${name})`).join(', ')
  throw new TlsaSyntaxError(`${parameter}: ${JSON.stringify(text)} must be one of ${choices}`)
}

/** The record as zone files have it: `3 1 1 ab…`, octets in hexadecimal. */
export function formatTlsa({ usage, selector, matchingType, data }: TlsAssociation): string {
  return `${usage} ${selector} ${matchingType} ${Buffer.from(data).toString('hex')}`
}

/** Its parameters by name, `dane-ee spki sha2-256`; by number where they have none. */
export function describeTlsa({ usage, selector, matchingType }: TlsAssociation): string {
  const words = [
    names.usage[usage] ?? usage,
    names.selector[selector] ?? selector,
    names['matching type'][matchingType] ?? matchingType,
  ]
  return words.join(' ')
}

/** Why nothing can match the record (RFC 7671 §4.1), or undefined; `usages` are those that count. */
export function whyUnusable(record: TlsAssociation, usages: readonly number[]): string | undefined {
  const { usage, selector, matchingType, data } = record
  if (!usages.includes(usage)) return `usage ${names.usage[usage] ?? usage} does not count here`
  if (selector !== CERT && selector !== SPKI) return `selector ${selector} is unknown`
  if (matchingType === FULL) {
    const what = selector === CERT ? 'certificate' : 'public key'
    return isReadable(selector, data) ? undefined : `its data are no ${what}`
  }
  const octets = hashOctets[matchingType]
  if (octets === undefined) return `matching type ${matchingType} is unknown`
  return data.length === octets ? undefined : `its hash has ${data.length} octets instead of ${octets}`
}

/** Whether its data are a certificate itself, not a hash. */
export function isWholeCertificate({ selector, matchingType }: TlsAssociation): boolean {
  return selector === CERT && matchingType === FULL
}

/** Whether its data are a public key itself, not a hash. */
export function isWholeKey({ selector, matchingType }: TlsAssociation): boolean {
  return selector === SPKI && matchingType === FULL
}

/** Whether the record is about this certificate, whatever its usage. */
export function matches(
  { selector, matchingType, data }: TlsAssociation,
  { der, spki }: { readonly der: Uint8Array; readonly spki: Uint8Array },
): boolean {
  return Buffer.from(data).equals(associationData(selector === CERT ? der : spki, matchingType))
}

/**
 * Makes the record for the first certificate, public key or private key of a PEM text. Selector 0 needs a certificate.
 * Throws {@link TlsaSyntaxError}.
 */
export function makeRecord(
  usage: number,
  selector: number,
  matchingType: number,
  pem: string,
): TlsAssociation {
  const [block, label] = PEM_BLOCK.exec(pem) ?? []
  if (block === undefined || label === undefined) {
    throw new TlsaSyntaxError('file: must have a certificate, a public key or a private key in PEM form')
  }
  const isCertificate = label.endsWith('CERTIFICATE')
  if (selector === CERT && !isCertificate) {
    throw new TlsaSyntaxError(
      `file: selector 0 (cert) needs a certificate, and the first in it is a ${label.toLowerCase()}`,
    )
  }
  const data = associationData(
    isCertificate ? ofCertificate(block, selector) : ofKey(block, label),
    matchingType,
  )
  return { usage, selector, matchingType, data }
}

function associationData(selected: Uint8Array, matchingType: number): Uint8Array {
  const hash = hashes[matchingType]
  return hash === undefined ? selected : createHash(hash).update(selected).digest()
}

function isReadable(selector: number, data: Uint8Array): boolean {
  if (selector === CERT) return readCertificate(data) !== undefined
  try {
    createPublicKey({ key: Buffer.from(data), format: 'der', type: 'spki' })
    return true
  } catch {
    return false
  }
}

function ofCertificate(block: string, selector: number): Uint8Array {
  const der = Buffer.from(block.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  const certificate = readCertificate(der)
  if (certificate === undefined) throw new TlsaSyntaxError('file: its certificate cannot be read')
  return selector === CERT ? certificate.der : certificate.spki
}

function ofKey(block: string, label: string): Uint8Array {
  try {
    // Of a private key Node takes the public part.
    return createPublicKey(block).export({ type: 'spki', format: 'der' })
  } catch {
    const why = /ENCRYPTED/.test(block) ? 'is encrypted' : 'cannot be read'
    const what = label.replace('ENCRYPTED ', '').toLowerCase()
    throw new TlsaSyntaxError(`file: its ${what} ${why}`)
  }
}
