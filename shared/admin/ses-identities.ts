import type { DomainName } from '../address/domain-name.ts'
import type { Log } from '../base/log.ts'

/** A domain as SES knows it. */
export interface SesIdentity {
  /** The AWS region of this installation: each has identities of its own. */
  readonly region: string
  /** Whether SES accepts mail from the domain. */
  readonly isVerified: boolean
  readonly dkim: {
    /** SES's word: `PENDING`, `SUCCESS`, `FAILED`, `TEMPORARY_FAILURE`, `NOT_STARTED`. */
    readonly status: string
    /** What Easy DKIM names its three keys by; empty where the domain's keys are somebody else's. */
    readonly tokens: readonly string[]
    /** Where SES publishes them. */
    readonly hostedZone: string
  }
  /** The domain of reverse-paths; undefined where it is SES's own. */
  readonly mailFrom: { readonly domain: string; readonly status: string } | undefined
}

/** The identities of SES in this account and region. Throws what SES, or the way to it, says. */
export interface SesIdentities {
  /** Makes the identity where there is none, and gives it this MAIL FROM domain where it has none. Safe to repeat. */
  ensure(domain: DomainName, mailFromDomain: string): Promise<SesIdentity>
  /** Removes an identity that `ensure` made; leaves alone one that somebody else made for other purposes. */
  remove(domain: DomainName): Promise<void>
}

/** What is to be published for a domain. Names are absolute, without the last dot. */
export interface SesRecordJson {
  readonly Name: string
  readonly Type: 'CNAME' | 'MX' | 'TXT'
  /** As in a zone file, a TXT record without its quotes. */
  readonly Data: string
}

/** A domain as SES knows it, in answers. */
export interface SesIdentityJson {
  readonly Verified: boolean
  readonly DKIM: string
  readonly MailFrom: { readonly Domain: string; readonly Status: string } | null
  readonly Records: readonly SesRecordJson[]
}

/** SES could not be asked, or refused; the domain itself is as it should be. */
export interface SesProblemJson {
  readonly Problem: string
}

interface IdentityPorts {
  readonly sesIdentities: SesIdentities
  readonly log: Log
}

/** Sees to the identity of a domain; null for a domain of this machine alone (RFC 6761 §6.3), which has none. */
export async function ensureIdentity(
  ports: IdentityPorts,
  domain: DomainName,
): Promise<SesIdentityJson | SesProblemJson | null> {
  if (isLocal(domain)) return null
  return await orProblem(ports, domain, async () =>
    identityJson(domain, await ports.sesIdentities.ensure(domain, mailFromDomain(domain))),
  )
}

/** Removes the identity of a domain; null when nothing is left of it that was made here. */
export async function removeIdentity(
  ports: IdentityPorts,
  domain: DomainName,
): Promise<SesProblemJson | null> {
  if (isLocal(domain)) return null
  return await orProblem(ports, domain, async () => {
    await ports.sesIdentities.remove(domain)
    return null
  })
}

function isLocal(domain: DomainName): boolean {
  return domain === 'localhost' || domain.endsWith('.localhost')
}

async function orProblem<Done>(
  { log }: IdentityPorts,
  domain: DomainName,
  act: () => Promise<Done>,
): Promise<Done | SesProblemJson> {
  try {
    return await act()
  } catch (error) {
    log.error('the identity of a domain in SES was not seen to', error, { domain })
    return { Problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

/** Below the domain, so that SPF is aligned (RFC 7489 §3.1.2); nothing else may receive mail there. */
function mailFromDomain(domain: DomainName): string {
  return `ses-mail.${domain}`
}

function identityJson(domain: DomainName, identity: SesIdentity): SesIdentityJson {
  const { isVerified, dkim, mailFrom } = identity
  return {
    Verified: isVerified,
    DKIM: dkim.status,
    MailFrom: mailFrom ? { Domain: mailFrom.domain, Status: mailFrom.status } : null,
    Records: recordsFor(domain, identity),
  }
}

/** Amazon SES Developer Guide, "Easy DKIM in Amazon SES" and "Using a custom MAIL FROM domain". */
function recordsFor(domain: DomainName, { region, dkim, mailFrom }: SesIdentity): readonly SesRecordJson[] {
  const keys = dkim.tokens.map(
    (token): SesRecordJson => ({
      Name: `${token}._domainkey.${domain}`,
      Type: 'CNAME',
      Data: `${token}.${dkim.hostedZone}.`,
    }),
  )
  if (!mailFrom) return keys
  const Name = mailFrom.domain
  return [
    ...keys,
    { Name, Type: 'MX', Data: `10 feedback-smtp.${region}.amazonses.com.` },
    { Name, Type: 'TXT', Data: 'v=spf1 include:amazonses.com ~all' },
  ]
}
