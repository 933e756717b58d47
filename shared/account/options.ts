import type { Instant } from '../base/clock.ts'

/**
 * Everything an operator can set, as one value: domains, accounts, transports and routes. It is stored as one
 * snapshot per version, read by every function (at most five seconds old) and changed only as a whole, so that
 * no reader ever sees half a change. Passwords are not in it.
 */
export interface Options {
  /** Grows by one with each change; 0 is a fresh installation. */
  readonly version: number
  /** The name this server gives itself: in EHLO, Received, Message-ID and DSNs. */
  readonly hostname: string
  readonly domains: Readonly<Record<string, HostedDomain>>
  readonly accounts: Readonly<Record<AccountName, Account>>
  /** Names of accounts that were removed. They are never given again: their old rows must not find a new owner. */
  readonly removedAccounts: readonly AccountName[]
  readonly transports: Readonly<Record<string, TransportSettings>>
  /**
   * Those of the account go first, then those of the domain of the reverse-path, then these. The first that matches
   * decides; none means that the message waits.
   */
  readonly routes: readonly Route[]
  /** Messages that match one of them are not attempted until an operator releases them. */
  readonly holdRules: readonly HoldRule[]
}

/** Which messages are put on hold: those that match every text that is not empty; a rule without any pauses all. */
export interface HoldRule {
  /** Unique among the rules. */
  readonly id: number
  readonly createdAt: Instant
  readonly account: AccountName | ''
  /** An address, or a domain, of the reverse-path. */
  readonly sender: string
  /** An address, or a domain. */
  readonly recipient: string
}

/** The name of an account, as {@link isAccountName} allows. */
export type AccountName = string

/** A domain whose mail we accept. */
export interface HostedDomain {
  /** What may follow a local part, with any text after it: `you+shop@…` reaches `you@…` where `+` is listed. */
  readonly separators: readonly string[]
  /** A disabled domain sends and receives nothing. */
  readonly disabled: boolean
  /** What mail from this domain is signed with (DKIM), or is going to be; left out: nothing. */
  readonly dkimSelectors?: readonly DkimSelector[]
  /**
   * An address of an account, of any domain of ours, as `directoryKey` writes it: DMARC reports that come there are
   * read and kept, whichever of our domains they are about.
   */
  readonly dmarcReports?: string
  /** The same for reports about TLS. */
  readonly tlsReports?: string
  /** For mail whose reverse-path is of this domain; see {@link Options.routes}. */
  readonly routes?: readonly Route[]
}

/** A selector of a domain (RFC 6376 §3.1). Its private key lies elsewhere, sealed. */
export interface DkimSelector {
  readonly selector: string
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  /** What p= says in its record. */
  readonly publicKey: string
  /** Others wait: for their record to be known everywhere, or for the last mail they signed to be verified. */
  readonly signs: boolean
}

/** One customer: addresses, a mailbox, webhooks. */
export interface Account {
  /** The display name of messages that name no From. */
  readonly fullName: string
  readonly outgoingWebhook?: OutgoingWebhook
  readonly incomingWebhook?: IncomingWebhook
  /** Whoever logs in under one of these addresses, spelled so, sends with a reverse-path unique to each message. */
  readonly fromIdLoginAddresses: readonly string[]
  /** How long finished messages stay in the retired list, in milliseconds; 0 keeps none. */
  readonly keepRetiredMessagesMs: number
  /** The same for finished webhook calls. */
  readonly keepRetiredWebhooksMs: number
  /** Messages within 24 hours, one for each recipient; absent is the default, 0 is without limit. */
  readonly maxOutgoingMessagesPerDay?: number
  /** Recipients within 24 hours that were never sent to before; absent is the default, 0 is without limit. */
  readonly maxFirstTimeRecipientsPerDay?: number
  /**
   * Octets of mail beyond which no copies of sent messages are kept; absent is without limit. What is received is
   * always kept: among it are bounces, which nobody sends twice.
   */
  readonly quotaOctets?: number
  /** A text refuses every login with that reason; empty allows them. */
  readonly loginDisabled: string
  /** See {@link Options.routes}. */
  readonly routes?: readonly Route[]
}

/** Where events about the account's mail go. */
export interface IncomingWebhook {
  readonly url: string
  /** The verbatim Authorization header; empty sends none. */
  readonly authorization: string
  /** From 1 to 30: after so many days of nothing but failures the webhook is disabled. Absent is never. */
  readonly disableAfterDays?: number
  /** When it was disabled; until it is enabled again, events queue no calls. */
  readonly disabledAt?: Instant
}

/** Where delivery events go; an empty list of events means all of them. */
export interface OutgoingWebhook extends IncomingWebhook {
  readonly events: readonly string[]
  /** Without it, an event that was not told yet is given up for a later one of the same message, as mox does. */
  readonly keepsEveryEvent?: boolean
}

/** How messages leave us; mox calls it a transport. */
export type TransportSettings = Relay | DirectDelivery | SocksDelivery | SesDelivery | Refusal

/** A server that takes all mail of a route and carries it on. */
export interface Relay {
  /** Where TLS begins: `submissions` with the first octet (RFC 8314 §3.3), the others after STARTTLS (RFC 3207). */
  readonly kind: 'smtp' | 'submission' | 'submissions'
  readonly host: string
  readonly port: number
  /**
   * `opportunistic` encrypts where that is offered, `unverified` fails where it is not; neither checks who the server is.
   * `required` also wants a certificate for the host.
   */
  readonly tls: 'none' | 'opportunistic' | 'unverified' | 'required'
  /** Whom to log in as; the password lies elsewhere, sealed. */
  readonly login?: RelayLogin
}

/** How to log in at a relay (RFC 4954). */
export interface RelayLogin {
  readonly username: string
  /** Under which the password is stored; a new password gets a new name. */
  readonly secretName: string
  /** In the order of preference; the first that the server offers too is used. */
  readonly mechanisms: readonly LoginMechanism[]
}

export type LoginMechanism =
  | 'SCRAM-SHA-256-PLUS'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-1-PLUS'
  | 'SCRAM-SHA-1'
  | 'CRAM-MD5'
  | 'PLAIN'
  | 'LOGIN'

/** To the servers of each recipient's domain (RFC 5321 §5.1), with DANE and MTA-STS. */
export interface DirectDelivery {
  readonly kind: 'direct'
  /** Left out: both. */
  readonly onlyFamily?: 4 | 6
}

/** The same from elsewhere: through a proxy (RFC 1928), whose address others see. */
export interface SocksDelivery {
  readonly kind: 'socks'
  readonly host: string
  readonly port: number
  /** What EHLO says: the name of the addresses below. */
  readonly hostname: string
  /** From which the proxy's connections come. */
  readonly ipAddresses: readonly string[]
}

/** Amazon SES delivers. */
export interface SesDelivery {
  readonly kind: 'ses'
}

/** Every attempt fails at once. */
export interface Refusal {
  readonly kind: 'fail'
  /** 400 to 599. */
  readonly code: number
  /** Printable ASCII. */
  readonly message: string
}

/** Empty lists match everything; `.example.org` matches that domain and all below it. */
export interface Route {
  readonly fromDomains: readonly string[]
  readonly toDomains: readonly string[]
  /** The route applies once this many attempts were made. */
  readonly minimumAttempts: number
  /** A name in {@link Options.transports}. */
  readonly transport: string
}

/** The options of a fresh installation. */
export const freshOptions: Options = {
  version: 0,
  hostname: 'localhost',
  domains: {},
  accounts: {},
  removedAccounts: [],
  transports: {},
  routes: [],
  holdRules: [],
}

/** The settings of an account that nobody has changed. */
export const freshAccount: Account = {
  fullName: '',
  fromIdLoginAddresses: [],
  keepRetiredMessagesMs: 0,
  keepRetiredWebhooksMs: 0,
  loginDisabled: '',
}

/** What a relay at that port is, where nobody says it (RFC 8314 §3.3). */
export function relayKindAt(port: unknown): Relay['kind'] {
  return port === 465 ? 'submissions' : port === 587 ? 'submission' : 'smtp'
}

/** Account names appear in keys and commands: 1 to 63 lower-case letters, digits, dots, dashes, underscores. */
export function isAccountName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)
}
