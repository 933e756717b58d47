import { parseTagList, splitTagValue } from './tag-list.ts'

/** What to do with mail that fails, from the mildest. */
export const DMARC_POLICIES = ['none', 'quarantine', 'reject'] as const

export type DmarcPolicy = (typeof DMARC_POLICIES)[number]

/** What a domain says of mail in its name (RFC 7489 §6.3), without where it wants reports. */
export interface DmarcRecord {
  readonly policy: DmarcPolicy
  /** sp= */
  readonly subdomainPolicy?: DmarcPolicy
  /** Only the very domain counts as aligned, not one of the same organization. */
  readonly strictDkim: boolean
  readonly strictSpf: boolean
  /** Of failing mail, so many of a hundred are treated so. */
  readonly percent: number
}

const VERSION = /^[vV][ \t]*=[ \t]*DMARC1(?![A-Za-z0-9])/
const REPORT_URI = /^[a-z][a-z0-9+.-]*:[^\s,;!]+(?:![0-9]+[kmgt]?)?$/i

/** Values that a tag may have; tags that are not here are nobody's mistake (RFC 7489 §6.3). */
const VALUES: Readonly<Record<string, (value: string) => boolean>> = {
  v: (value) => value === 'DMARC1',
  adkim: (value) => /^[rs]$/i.test(value),
  aspf: (value) => /^[rs]$/i.test(value),
  fo: (value) => /^[01ds](?:[ \t]*:[ \t]*[01ds])*$/i.test(value),
  pct: (value) => /^\d{1,3}$/.test(value) && Number(value) <= 100,
  rf: (value) => splitTagValue(value).length > 0 && /^[a-z0-9-]+(?:[ \t]*:[ \t]*[a-z0-9-]+)*$/i.test(value),
  ri: (value) => /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32,
  rua: isUriList,
  ruf: isUriList,
}

/** Reads a TXT record; undefined where it is no DMARC record, `malformed` where it is one that breaks a rule. */
export function parseDmarcRecord(text: string): DmarcRecord | 'malformed' | undefined {
  if (!VERSION.test(text)) return undefined
  const tags = readTags(text)
  if (!tags) return 'malformed'
  const policy = readPolicy(tags.get('p'))
  const subdomainPolicy = readPolicy(tags.get('sp'))
  const isUsable = policy !== undefined && (subdomainPolicy !== undefined || !tags.has('sp'))
  // RFC 7489 §6.6.3: whoever wants reports is not to lose them by a mistake in the policy.
  if (!isUsable && !tags.has('rua')) return 'malformed'
  return {
    policy: isUsable ? policy : 'none',
    ...(isUsable && subdomainPolicy !== undefined && { subdomainPolicy }),
    strictDkim: tags.get('adkim')?.toLowerCase() === 's',
    strictSpf: tags.get('aspf')?.toLowerCase() === 's',
    percent: Number(tags.get('pct') ?? 100),
  }
}

/** Names in lower case, values as they are; undefined where one is not as it must be. */
function readTags(text: string): ReadonlyMap<string, string> | undefined {
  const list = parseTagList(text)
  if (!list) return undefined
  const tags = new Map([...list].map(([name, value]) => [name.toLowerCase(), value]))
  // p= comes right after v= (RFC 7489 §6.3).
  if (tags.size < list.size || (tags.has('p') && [...tags.keys()][1] !== 'p')) return undefined
  const isValid = ([name, value]: readonly [string, string]) =>
    !Object.hasOwn(VALUES, name) || VALUES[name]?.(value)
  return [...tags].every(isValid) ? tags : undefined
}

function readPolicy(text: string | undefined): DmarcPolicy | undefined {
  return DMARC_POLICIES.find((policy) => policy === text?.toLowerCase())
}

function isUriList(value: string): boolean {
  return value.split(',').every((uri) => REPORT_URI.test(uri.trim()))
}
