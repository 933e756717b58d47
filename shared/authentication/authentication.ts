import type { Address } from '../address/address.ts'
import type { SmtpClient } from '../smtp/smtp-client.ts'

/** A message, and who brought it, to be authenticated (RFC 8601 §1.5). */
export interface ClaimedMessage {
  readonly client: SmtpClient
  /** Left out: the null reverse-path. */
  readonly mailFrom?: Address
  readonly content: Uint8Array
}

/** What is true of a message's claims about where it comes from. `authentic` says that DNSSEC vouches for all lookups. */
export interface Authentication {
  readonly iprev: IprevResult
  readonly spf: SpfResult
  /** One for each DKIM-Signature field that was looked at, in their order. */
  readonly dkim: readonly DkimResult[]
  readonly dmarc: DmarcResult
}

/** RFC 8601 §2.7.3. */
export interface IprevResult {
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror'
  /** The name that leads back to the address. */
  readonly name?: string
  readonly authentic: boolean
}

/** RFC 7208 §2.6. */
export interface SpfResult {
  readonly result: 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'
  readonly identity: 'mailfrom' | 'helo'
  readonly domain: string
  /** What decided, such as `ip4:192.0.2.0/24`; empty where nothing did. */
  readonly mechanism: string
  /** Of errors; empty otherwise. */
  readonly problem: string
  readonly authentic: boolean
}

/** RFC 8601 §2.7.1. */
export interface DkimResult {
  readonly result: 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'
  /** Of everything but a pass. */
  readonly problem: string
  /** d=; the rest where the signature could be read. */
  readonly domain?: string
  readonly selector?: string
  readonly algorithm?: string
  /** i=. */
  readonly identity?: string
  /** b=, whole. */
  readonly signature?: string
  /** Of RSA keys. */
  readonly keyBits?: number
  /** Of a signature that is right: the services that its key is for (s=), where the key names any. */
  readonly services?: readonly string[]
  readonly authentic: boolean
}

/** RFC 7489, RFC 8601 §2.7: `fail` demands what `policy` says. */
export interface DmarcResult {
  readonly result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror'
  /** The author's domain, of several the one that decided; left out where there is none. */
  readonly fromDomain?: string
  /** Where the record was found. */
  readonly policyDomain?: string
  /** What the domain asks to do with mail that fails, after sampling. */
  readonly policy: 'none' | 'quarantine' | 'reject'
  readonly problem: string
  readonly authentic: boolean
}
