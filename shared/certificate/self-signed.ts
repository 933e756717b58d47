// The library below describes its classes by decorators, which need this first.
import 'reflect-metadata'
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
} from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'
import { DAY, type Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { KeyedCertificate } from './keyed-certificate.ts'

/** As long as mox's. */
const VALID_FOR = 4 * 365 * DAY
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** A new key (ECDSA P-256), PKCS #8 as PEM. */
export function newPrivateKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: ALGORITHM.namedCurve })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * A certificate that only its own key vouches for (RFC 5280), for whoever encrypts without asking names or knows
 * the key by DANE (RFC 6698). It begins a day ago, because clocks differ.
 */
export async function selfSigned(
  random: Random,
  names: readonly [string, ...string[]],
  privateKey: string,
  now: Instant,
): Promise<KeyedCertificate> {
  const signingKey = createPrivateKey(privateKey)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(random),
    // X.520 gives a common name 64 characters; the names that count stand below.
    name: [{ CN: [names[0].slice(0, 64)] }],
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + VALID_FOR),
    keys: {
      privateKey: await cryptoKey(signingKey, 'pkcs8', 'sign'),
      publicKey: await cryptoKey(createPublicKey(signingKey), 'spki', 'verify'),
    },
    signingAlgorithm: { ...ALGORITHM, hash: 'SHA-256' },
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, privateKey }
}

/** RFC 5280 §4.1.2.2: positive, in at most 20 octets. */
function serialNumber(random: Random): string {
  const [first = 0, ...others] = random.bytes(16)
  return Buffer.from([(first & 0x7f) | 0x40, ...others]).toString('hex')
}

async function cryptoKey(key: KeyObject, format: 'pkcs8' | 'spki', usage: 'sign' | 'verify') {
  const der = key.export({ type: format, format: 'der' } as { type: 'spki'; format: 'der' })
  return await webcrypto.subtle.importKey(format, new Uint8Array(der), ALGORITHM, usage === 'verify', [usage])
}
