import type { DomainName } from '../address/domain-name.ts'

/** Port: the private keys of DKIM, sealed; read by key and never part of the options. */
export interface DkimKeyStore {
  /** Undefined where there is none. */
  read(domain: DomainName, publicKey: string): Promise<Uint8Array | undefined>
  /** Writing it again changes nothing: a public key has one private key. */
  keep(domain: DomainName, publicKey: string, sealed: Uint8Array): Promise<void>
  remove(domain: DomainName, publicKey: string): Promise<void>
}

/** What a key is sealed as; see `shared/base/sealed.ts`. */
export function sealingContext(domain: DomainName, publicKey: string): string {
  return `dkim/${domain}/${publicKey}`
}
