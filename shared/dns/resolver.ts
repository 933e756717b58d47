/** The records that lookups ask for, by type: what one record of it says. Names are in lower case. */
export interface DnsRecords {
  /** An IPv4 address. */
  readonly A: string
  /** An IPv6 address. */
  readonly AAAA: string
  /** The canonical name. */
  readonly CNAME: string
  readonly MX: MailExchange
  readonly NS: string
  readonly PTR: string
  readonly SRV: ServiceLocation
  /** RFC 6698 §2.1. */
  readonly TLSA: TlsAssociation
  /** Its character-strings joined, each octet as one character (RFC 7208 §3.3). */
  readonly TXT: string
}

export type DnsRecordType = keyof DnsRecords

/** RFC 5321 §5.1; an exchange of `.` is the null MX (RFC 7505). */
export interface MailExchange {
  readonly preference: number
  readonly exchange: string
}

/** RFC 2782. */
export interface ServiceLocation {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/** RFC 6698 §2.1: numbers as on the wire, whether we know them or not. */
export interface TlsAssociation {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Uint8Array
}

/**
 * What came of a question. That a name or a type is not there is an answer, and that nobody answered is a value too.
 * `authentic`: a validating resolver that we trust vouches for the answer (RFC 4035 §3.2.3), its CNAMEs included.
 */
export type DnsAnswer<Value> =
  | {
      readonly kind: 'found'
      /** At least one, in the order of the answer. */
      readonly values: readonly Value[]
      /** Where CNAMEs lead to; the name that was asked for where there are none, and of questions for a CNAME. */
      readonly canonicalName: string
      readonly authentic: boolean
    }
  /** NXDOMAIN: there is no such name. */
  | { readonly kind: 'no-name'; readonly authentic: boolean }
  /** NODATA: the name has no record of this type. */
  | { readonly kind: 'no-data'; readonly authentic: boolean }
  | DnsFailure

/** Nothing is known; later it may be. */
export interface DnsFailure {
  readonly kind: 'failed'
  /** What to tell people: which question failed, and how. */
  readonly error: string
  /** RFC 8914, where the resolver said more. */
  readonly extended?: ExtendedDnsError
}

/** RFC 8914 §4. */
export interface ExtendedDnsError {
  readonly code: number
  /** Its registered name in lower case, such as `dnssec bogus`; `code 99` where there is none. */
  readonly name: string
  readonly text: string
}

/**
 * Port: asks the DNS. Names are absolute, of A-labels or other LDH and underscore labels, without the trailing dot.
 * Resolves always; a name that cannot be (an empty or overlong label) is `no-name`, not authentic.
 */
export interface Resolver {
  lookUp<Type extends DnsRecordType>(type: Type, name: string): Promise<DnsAnswer<DnsRecords[Type]>>
}
