import { X509Certificate } from 'node:crypto'
import { type Clock, DAY, type Instant } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { open, type SealingKeys, seal, sealingKeys } from '../base/sealed.ts'
import type { CertificateStore, StoredCertificate } from './certificate-store.ts'
import type { KeyedCertificate } from './keyed-certificate.ts'
import { newPrivateKey, selfSigned } from './self-signed.ts'

interface SelfSignedPorts {
  readonly store: CertificateStore
  readonly sealingSecret: () => Promise<string>
  readonly clock: Clock
  readonly random: Random
}

/** What the private key is sealed as. */
const CONTEXT = 'certificate'
const RENEWED_BEFORE = 60 * DAY

/**
 * The installation's own certificate, made when there is none and the same ever after. With a new name, or when it
 * ends soon, it is made anew for the same key, so that TLSA records of the key (RFC 6698, 3 1 1) stay true.
 */
export async function keepSelfSigned(
  ports: SelfSignedPorts,
  names: readonly [string, ...string[]],
): Promise<KeyedCertificate> {
  const keys = sealingKeys(await ports.sealingSecret())
  for (;;) {
    const stored = await ports.store.read()
    if (stored && isGood(stored, names, ports.clock.now())) return unseal(keys, stored)
    const privateKey = stored ? unseal(keys, stored).privateKey : newPrivateKey()
    const made = await selfSigned(ports.random, names, privateKey, ports.clock.now())
    const sealedKey = seal(keys, ports.random, CONTEXT, Buffer.from(privateKey))
    if (await ports.store.replace(stored, { certificate: made.certificate, sealedKey })) return made
    // Another listener was faster; what it made is as good.
  }
}

function isGood({ certificate }: StoredCertificate, names: readonly string[], now: Instant): boolean {
  const { subjectAltName = '', validToDate } = new X509Certificate(certificate)
  const has = subjectAltName.split(', ')
  return (
    names.length === has.length &&
    names.every((name) => has.includes(`DNS:${name}`)) &&
    validToDate.getTime() - now > RENEWED_BEFORE
  )
}

function unseal(keys: SealingKeys, { certificate, sealedKey }: StoredCertificate): KeyedCertificate {
  return { certificate, privateKey: Buffer.from(open(keys, CONTEXT, sealedKey)).toString() }
}
