/** How DNSSEC stands to a zone; `lame`: whoever is asked about it fails, and says nothing of DNSSEC. */
export type ZoneSecurity = 'signed' | 'unsigned' | 'bogus' | 'lame'

/** What is at a name, besides the addresses of servers and TLSA records; targets are names like all others here. */
export interface ScenarioName {
  readonly CNAME?: string
  readonly MX?: readonly (readonly [preference: number, exchange: string])[]
  /** The addresses of these servers, too. */
  readonly A?: readonly string[]
  readonly TXT?: readonly string[]
}

/** What goes wrong with STARTTLS, at the reply to it or when the handshake begins. */
export type TlsFault =
  | 'not offered'
  /** It is not offered, but there. */
  | 'hidden'
  | 'refused'
  | 'refused for good'
  | 'alert'
  /** It wants a certificate of ours, and says so only after the handshake. */
  | 'late alert'
  | 'closes'
  | 'no TLS'

/** A server of a domain: one that does all that is asked of it, unless something is said. */
export interface MxServer {
  /** Its certificates, its own first, by their names in `certificates.ts`; left out: `own`. */
  readonly chain?: readonly string[]
  readonly tls?: TlsFault
  /** Instead of 220. */
  readonly greeting?: string
  /** Besides STARTTLS; left out: what most have. */
  readonly extensions?: readonly string[]
  /** The answer to commands that begin so (`.` is the data), the first that fits; null hangs up. */
  readonly replies?: Readonly<Record<string, string | null>>
  readonly ipv6?: true
  /** Hangs up at MAIL when the session had so many. */
  readonly mostMails?: number
}

/** What the policy host of the domain serves, once its record is in the DNS. */
export interface ServedPolicy {
  readonly mode?: 'enforce' | 'testing' | 'none'
  /** Patterns. */
  readonly mx?: readonly string[]
  /** Instead of mode and patterns. */
  readonly text?: string
  /** 200 where it is left out. */
  readonly status?: number
  /** Of the policy host; left out: one that everybody trusts. */
  readonly certificate?: string
}

/** What came of a delivery, in lines; the domain is x.test in them, and the port 25. */
export interface Observed {
  /** By recipient: kind, codes, server, what vouched for it, and why not. */
  readonly outcomes: readonly string[]
  /** Each session in its order: the server, and how MAIL was said, if it was. */
  readonly sessions: readonly string[]
  /** What reports would tell, by policy: successes, and each failure with its count. */
  readonly reports: readonly string[]
  /** What the domain's TLS is remembered as, the last time; left out where nothing is. */
  readonly remembered?: 'plain' | 'TLS' | 'TLS and REQUIRETLS'
}

/**
 * A rule of direct delivery as data: a domain with its zones, servers and policy, one message, and what comes of it. All
 * names are relative to the domain, which is `@`; `_port` stands for the label of the port.
 */
export interface MxScenario {
  readonly rule: string
  /** By name; the domain itself is signed where nothing is said. */
  readonly zones?: Readonly<Record<string, ZoneSecurity>>
  /** Left out: the domain's MX is `mx`. */
  readonly names?: Readonly<Record<string, ScenarioName>>
  /** By the host whose address it has; `down` has an address where nobody listens. Left out: one, `mx`. */
  readonly servers?: Readonly<Record<string, MxServer | 'down'>>
  /**
   * The records of hosts: usage, selector, matching type, and a certificate by its name, or data in hexadecimal after
   * `#`: `3 1 1 own`, `3 1 1 #ab`.
   */
  readonly tlsa?: Readonly<Record<string, readonly string[]>>
  /** The record is there; `no host`: but no policy host. */
  readonly policy?: ServedPolicy | 'no host'
  /** An enforced policy that lists `mx` was fetched before, when the record was the one that it still is here. */
  readonly isPolicyKnown?: true
  /** The domain of the recipients; left out: `@`. */
  readonly domain?: string
  readonly requireTls?: boolean
  /** Local parts, or whole addresses with a literal, `bob@[mx]`; left out: `bob`. */
  readonly recipients?: readonly string[]
  readonly smtputf8?: true
  /** The hosts that earlier attempts came to, each at the address of a server. */
  readonly earlier?: readonly (readonly [host: string, server: string])[]
  readonly onlyFamily?: 4 | 6
  readonly expected: Observed
}
