import type { Answer } from 'dns-packet'
import type { DnsRecordType } from '../../shared/dns/resolver.ts'
import { type DnsTestServer, dnsServer } from './dns-server.ts'
import type { FakeZone } from './fake-dns.ts'

/** RFC 1035 §4.1.1, RFC 4035 §3.2.3. */
const NAME_ERROR = 3
const AUTHENTIC_DATA = 0x20

/** Serves A, AAAA, MX, PTR and TXT records of a zone on loopback, without following CNAMEs. */
export async function zoneServer(
  context: { after(end: () => unknown): void },
  zone: FakeZone,
): Promise<DnsTestServer> {
  return await dnsServer(context, ({ type, name }) => {
    const here = Object.hasOwn(zone, name.toLowerCase()) ? zone[name.toLowerCase()] : undefined
    const flags = here?.authentic === false ? 0 : AUTHENTIC_DATA
    if (!here) return { flags: flags | NAME_ERROR }
    return { flags, answers: recordsOf(here, type as DnsRecordType).map((data) => answer(type, name, data)) }
  })
}

function recordsOf(here: FakeZone[string], type: DnsRecordType): readonly unknown[] {
  if (type === 'MX') return (here.MX ?? []).map(([preference, exchange]) => ({ preference, exchange }))
  // Character-strings have 255 octets at most (RFC 1035 §3.3.14).
  if (type === 'TXT') return (here.TXT ?? []).map((text) => text.match(/.{1,255}/gs) ?? [''])
  return type === 'A' || type === 'AAAA' || type === 'PTR' ? (here[type] ?? []) : []
}

function answer(type: string, name: string, data: unknown): Answer {
  return { type, name, ttl: 0, data } as Answer
}
