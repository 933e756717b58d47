import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  Extension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { DAY } from '../../shared/base/clock.ts'

cryptoProvider.set(webcrypto)

/** What a certificate is like, where it is not usual. */
export interface CertificateTerms {
  readonly subject?: string
  /** Left out: it is signed by itself. */
  readonly issuer?: TestCertificate
  readonly isAuthority?: boolean
  readonly pathLength?: number
  /** DNS names; a certificate for none has no such extension. */
  readonly names?: readonly string[]
  /** From a day ago, for two days. */
  readonly validFrom?: Date
  readonly validTo?: Date
  readonly extendedKeyUsage?: string
  /** Critical, with this value: object identifier and DER. */
  readonly extension?: readonly [id: string, value: Uint8Array]
  /** Of the issuer's signature. */
  readonly hash?: 'SHA-1' | 'SHA-256'
  /** Nothing but names tells who the issuer is. */
  readonly withoutKeyIds?: boolean
  /** Another certificate whose key this one is for, too. */
  readonly keyOf?: TestCertificate
}

/** A certificate with its key. */
export interface TestCertificate {
  readonly subject: string
  readonly der: Uint8Array
  readonly pem: string
  readonly keys: CryptoKeyPair
  /** PKCS #8, PEM. */
  readonly privateKey: string
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
}

type CryptoKeyPair = Awaited<ReturnType<typeof makeKeys>>

const P256 = { name: 'ECDSA', namedCurve: 'P-256' }

let made = 0

/** Makes a certificate. */
export async function makeCertificate(terms: CertificateTerms = {}): Promise<TestCertificate> {
  made += 1
  const { issuer, hash = 'SHA-256' } = terms
  const subject = terms.subject ?? `Test ${made}`
  const keys = terms.keyOf?.keys ?? (await makeKeys())
  const certificate = await X509CertificateGenerator.create({
    serialNumber: made.toString(16).padStart(4, '0'),
    subject: `CN=${subject}`,
    issuer: `CN=${issuer?.subject ?? subject}`,
    notBefore: terms.validFrom ?? new Date(Date.now() - DAY),
    notAfter: terms.validTo ?? new Date(Date.now() + DAY),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: { ...P256, hash },
    extensions: await extensionsOf(terms, keys),
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    subject,
    der: new Uint8Array(certificate.rawData),
    pem: `${certificate.toString('pem')}\n`,
    keys,
    privateKey: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    spki: new Uint8Array(await webcrypto.subtle.exportKey('spki', keys.publicKey)),
  }
}

/** An authority for the others of a test. */
export async function makeAuthority(terms: CertificateTerms = {}): Promise<TestCertificate> {
  return await makeCertificate({ isAuthority: true, ...terms })
}

async function makeKeys() {
  return await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])
}

async function extensionsOf(terms: CertificateTerms, keys: CryptoKeyPair): Promise<Extension[]> {
  const { names = [], issuer, extendedKeyUsage, extension, isAuthority = false, pathLength } = terms
  const keyIds = terms.withoutKeyIds ? [] : await keyIdentifiersOf(keys, issuer)
  return [
    new BasicConstraintsExtension(isAuthority, pathLength, true),
    ...keyIds,
    ...(names.length > 0
      ? [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))]
      : []),
    ...(extendedKeyUsage ? [new ExtendedKeyUsageExtension([extendedKeyUsage], true)] : []),
    ...(extension ? [new Extension(extension[0], true, extension[1])] : []),
  ]
}

/** RFC 5280 §4.2.1.1, §4.2.1.2. */
async function keyIdentifiersOf(keys: CryptoKeyPair, issuer?: TestCertificate): Promise<Extension[]> {
  const own = await SubjectKeyIdentifierExtension.create(keys.publicKey)
  return issuer ? [own, await AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey)] : [own]
}
