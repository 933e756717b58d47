import { createHash } from 'node:crypto'
import type { TlsAssociation } from '../../shared/dns/resolver.ts'
import type { TestCertificate } from './certificates.ts'

/** The TLSA record of a certificate, by the letter of RFC 6698 §2.1. */
export function associate(
  usage: number,
  selector: number,
  matchingType: number,
  { der, spki }: TestCertificate,
): TlsAssociation {
  const selected = selector === 0 ? der : spki
  const algorithm = ['', 'sha256', 'sha512'][matchingType]
  const data = algorithm ? createHash(algorithm).update(selected).digest() : selected
  return { usage, selector, matchingType, data: new Uint8Array(data) }
}
