import type {
  DnsAnswer,
  DnsFailure,
  DnsRecords,
  DnsRecordType,
  ExtendedDnsError,
  Resolver,
  ServiceLocation,
  TlsAssociation,
} from '../../shared/dns/resolver.ts'

/** What is at a name, as a plain value. */
interface FakeName {
  A?: string[]
  AAAA?: string[]
  /** At most one; it is followed for all types but CNAME. */
  CNAME?: string
  /** Preference and exchange. */
  MX?: (readonly [number, string])[]
  NS?: string[]
  PTR?: string[]
  SRV?: ServiceLocation[]
  TLSA?: TlsAssociation[]
  TXT?: string[]
  /** Questions for all types, or for these, fail; also those that a CNAME leads here. */
  fails?: boolean | DnsRecordType[]
  /** What the failure says besides (RFC 8914). */
  extended?: ExtendedDnsError
  /** True where nothing is said: tests of what lacks DNSSEC say so. */
  authentic?: boolean
}

/** By name, in lower case and without trailing dot. What is not here is `no-name`, as authentic as the closest name above. */
export type FakeZone = Record<string, FakeName>

/** A resolver that knows a zone by heart; `asked` lists the questions in their order, each as `TYPE name`. */
export function fakeDns(zone: FakeZone): Resolver & { readonly asked: readonly string[] } {
  const asked: string[] = []
  return {
    asked,
    lookUp: async (type, name) => {
      asked.push(`${type} ${name}`)
      return follow(zone, type, name.toLowerCase(), { passed: [], authentic: true })
    },
  }
}

interface Chain {
  readonly passed: readonly string[]
  readonly authentic: boolean
}

function follow<Type extends DnsRecordType>(
  zone: FakeZone,
  type: Type,
  name: string,
  chain: Chain,
): DnsAnswer<DnsRecords[Type]> {
  if (!couldBe(name)) return { kind: 'no-name', authentic: false }
  const here = Object.hasOwn(zone, name) ? zone[name] : undefined
  if (here === undefined)
    return { kind: 'no-name', authentic: chain.authentic && isAuthenticAbove(zone, name) }
  if (here.fails === true || (here.fails || []).includes(type))
    return failure(type, name, 'SERVFAIL', here.extended)
  const authentic = chain.authentic && here.authentic !== false
  const values = valuesAt(here, type)
  if (values.length > 0) return { kind: 'found', values, canonicalName: name, authentic }
  if (here.CNAME === undefined) return { kind: 'no-data', authentic }
  if (chain.passed.includes(name)) return failure(type, name, 'the CNAMEs lead in a circle')
  return follow(zone, type, here.CNAME.toLowerCase(), { passed: [...chain.passed, name], authentic })
}

function valuesAt<Type extends DnsRecordType>(here: FakeName, type: Type): readonly DnsRecords[Type][] {
  const records: { readonly [Each in DnsRecordType]: readonly DnsRecords[Each][] } = {
    A: here.A ?? [],
    AAAA: here.AAAA ?? [],
    CNAME: here.CNAME === undefined ? [] : [here.CNAME],
    MX: (here.MX ?? []).map(([preference, exchange]) => ({ preference, exchange })),
    NS: here.NS ?? [],
    PTR: here.PTR ?? [],
    SRV: here.SRV ?? [],
    TLSA: here.TLSA ?? [],
    TXT: here.TXT ?? [],
  }
  return records[type]
}

/** RFC 1035 §2.3.4. */
function couldBe(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => label.length >= 1 && label.length <= 63)
}

function isAuthenticAbove(zone: FakeZone, name: string): boolean {
  const labels = name.split('.')
  const above = labels.map((_, skipped) => labels.slice(skipped).join('.'))
  const closest = above.find((each) => Object.hasOwn(zone, each))
  return closest === undefined || zone[closest]?.authentic !== false
}

function failure(type: DnsRecordType, name: string, how: string, extended?: ExtendedDnsError): DnsFailure {
  return { kind: 'failed', error: `${type} ${name}: ${how}`, ...(extended !== undefined && { extended }) }
}
