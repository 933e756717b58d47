import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { DirectoryEntry } from '../account/address-directory.ts'
import type { DkimSelector, HostedDomain, Options } from '../account/options.ts'
import { type DomainName, formatUnicodeDomain } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import { formatEntry, separatorIn } from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { readDomain } from './fields.ts'
import { readReportAddresses, unicodeAddress, withReportAddresses } from './report-addresses.ts'
import { answer, NotFoundError, RequestError, readBody } from './request.ts'
import {
  ensureIdentity,
  removeIdentity,
  type SesIdentityJson,
  type SesProblemJson,
} from './ses-identities.ts'
import { type DomainNameJson, wireDomain } from './wire-domain.ts'

/** A domain whose mail we accept, in answers. */
export interface DomainJson {
  readonly Domain: DomainNameJson
  readonly LocalpartCatchallSeparators: readonly string[]
  readonly Disabled: boolean
  /** Where reports come that are read and kept. */
  readonly DMARCReportAddress: string | null
  readonly TLSReportAddress: string | null
}

/** A domain that was set, and what SES says of it: null for a domain that it has nothing to do with. */
export interface DomainSetJson extends DomainJson {
  readonly SES: SesIdentityJson | SesProblemJson | null
}

/** A domain was removed; a problem is that SES knows it still. */
export interface DomainRemovedJson {
  readonly SES: SesProblemJson | null
}

// What local parts are compared in: lower case, and no character that would need quotes.
const separator = z
  .string()
  .check(
    z.refine(
      (text) => /^[a-z0-9!#$%&'*+\-/=?^_`{|}~]{1,16}$/.test(text),
      'must be 1 to 16 lower-case letters, digits or characters such as + - _ =',
    ),
  )
const separators = z
  .array(separator)
  .check(z.refine((texts) => new Set(texts).size === texts.length, 'must not name a separator twice'))

const domainBody = z.strictObject({
  LocalpartCatchallSeparators: z._default(separators, []),
  Disabled: z._default(z.boolean(), false),
  DMARCReportAddress: z._default(z.nullable(z.string()), null),
  TLSReportAddress: z._default(z.nullable(z.string()), null),
})
const domainChange = z.strictObject({
  LocalpartCatchallSeparators: z.optional(separators),
  Disabled: z.optional(z.boolean()),
  DMARCReportAddress: z.optional(z.nullable(z.string())),
  TLSReportAddress: z.optional(z.nullable(z.string())),
})

const MOST_ADDRESSES_NAMED = 20

/** Domains: list, show, set as a whole, change, remove. */
export function domainRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => answer(context, listDomains(await ports.options.readNewest())))
  routes.get('/:domain', async (context) => {
    const domain = readDomain('Domain', context.req.param('domain'))
    return answer(context, domainJson(domain, hostedDomain(await ports.options.readNewest(), domain)))
  })
  routes.put('/:domain', async (context) => {
    const domain = readDomain('Domain', context.req.param('domain'))
    const { LocalpartCatchallSeparators, Disabled, ...addresses } = await readBody(context, domainBody)
    const reportsTo = await readReportAddresses(ports, addresses)
    const hosted = (options: Options): HostedDomain =>
      withReportAddresses(
        {
          ...lookUp(options.domains, domain),
          separators: LocalpartCatchallSeparators,
          disabled: Disabled,
        },
        reportsTo,
      )
    const set = await setDomain(ports, domain, hosted)
    // Mail may go through SES in its name from the first; the domain is there whether SES takes it or not.
    const whole: DomainSetJson = { ...set, SES: await ensureIdentity(ports, domain) }
    return answer(context, whole)
  })
  routes.patch('/:domain', async (context) => {
    const domain = readDomain('Domain', context.req.param('domain'))
    const { LocalpartCatchallSeparators, Disabled, ...addresses } = await readBody(context, domainChange)
    const reportsTo = await readReportAddresses(ports, addresses)
    const changed = (options: Options): HostedDomain => {
      const before = hostedDomain(options, domain)
      const after = {
        ...before,
        separators: LocalpartCatchallSeparators ?? before.separators,
        disabled: Disabled ?? before.disabled,
      }
      return withReportAddresses(after, reportsTo)
    }
    return answer(context, await setDomain(ports, domain, changed))
  })
  routes.delete('/:domain', async (context) => {
    const domain = readDomain('Domain', context.req.param('domain'))
    await removeDomain(ports, domain)
    const removed: DomainRemovedJson = { SES: await removeIdentity(ports, domain) }
    return answer(context, removed)
  })
  return routes
}

function listDomains(options: Options): readonly DomainJson[] {
  const hosted = Object.entries(options.domains) as [DomainName, HostedDomain][]
  return hosted.map(([domain, settings]) => domainJson(domain, settings)).sort(byName)
}

function byName(one: DomainJson, other: DomainJson): number {
  return one.Domain.ASCII < other.Domain.ASCII ? -1 : 1
}

async function setDomain(
  ports: AdminPorts,
  domain: DomainName,
  settings: (options: Options) => HostedDomain,
): Promise<DomainJson> {
  const entries = await ports.directory.list(domain)
  const after = await ports.options.change((options) => {
    const hosted = settings(options)
    const hidden = entries.filter(({ localpart }) => separatorIn(localpart, hosted.separators) !== undefined)
    if (hidden.length > 0) {
      throw new RequestError(
        'LocalpartCatchallSeparators',
        `must not be part of the addresses ${named(hidden)}`,
      )
    }
    return { ...options, domains: { ...options.domains, [domain]: hosted } }
  })
  return domainJson(domain, hostedDomain(after, domain))
}

async function removeDomain(ports: AdminPorts, domain: DomainName): Promise<void> {
  const entries = await ports.directory.list(domain)
  let keys: readonly DkimSelector[] = []
  await ports.options.change((options) => {
    keys = hostedDomain(options, domain).dkimSelectors ?? []
    if (entries.length > 0) throw new RequestError('Domain', `still has the addresses ${named(entries)}`)
    const { [domain]: _removed, ...domains } = options.domains
    return { ...options, domains }
  })
  for (const { publicKey } of keys) await ports.dkimKeys.remove(domain, publicKey)
}

/** A domain that is hosted here; throws {@link NotFoundError}. */
export function hostedDomain(options: Options, domain: DomainName): HostedDomain {
  const hosted = lookUp(options.domains, domain)
  if (!hosted) throw new NotFoundError(`there is no domain ${formatUnicodeDomain(domain)}`)
  return hosted
}

function named(entries: readonly DirectoryEntry[]): string {
  const first = entries.slice(0, MOST_ADDRESSES_NAMED).map(formatEntry).join(', ')
  const more = entries.length - MOST_ADDRESSES_NAMED
  return more > 0 ? `${first} and ${more} more` : first
}

function domainJson(domain: DomainName, hosted: HostedDomain): DomainJson {
  const { separators, disabled, dmarcReports, tlsReports } = hosted
  return {
    Domain: wireDomain(domain),
    LocalpartCatchallSeparators: separators,
    Disabled: disabled,
    DMARCReportAddress: unicodeAddress(dmarcReports),
    TLSReportAddress: unicodeAddress(tlsReports),
  }
}
