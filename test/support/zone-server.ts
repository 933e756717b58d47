import type { Answer, Packet } from 'dns-packet'
import type { DnsAnswer, DnsRecords, DnsRecordType } from '../../shared/dns/resolver.ts'
import { extendedError, options } from '../rooms/dns/wire.ts'
import { type DnsTestServer, dnsServer } from './dns-server.ts'
import { type FakeZone, fakeDns } from './fake-dns.ts'

const AUTHENTIC = 0x20
const SERVFAIL = 2
const NXDOMAIN = 3
const types = ['A', 'AAAA', 'CNAME', 'MX', 'PTR', 'TLSA', 'TXT'] as const

type AnyAnswer = DnsAnswer<DnsRecords[DnsRecordType]>

/** Serves a zone on loopback as a validating resolver would, until the test is over. */
export async function zoneServer(
  context: { after(end: () => unknown): void },
  zone: FakeZone,
): Promise<DnsTestServer> {
  const resolver = fakeDns(zone)
  const targets = Object.values(zone).flatMap(({ CNAME = [] }) => CNAME)
  const questions = [...Object.keys(zone), ...targets].flatMap((name) =>
    types.map((type) => ({ type, name })),
  )
  const replies = await Promise.all(
    questions.map(async ({ type, name }) => {
      const answer = await resolver.lookUp(type, name)
      return [`${type} ${name}`, packetOf(type, name, answer)] as const
    }),
  )
  const known = new Map<string, Packet>(replies)
  const nothing = { flags: NXDOMAIN | AUTHENTIC }
  return await dnsServer(context, ({ type, name }) => known.get(`${type} ${name.toLowerCase()}`) ?? nothing)
}

function packetOf(type: DnsRecordType, name: string, answer: AnyAnswer): Packet {
  if (answer.kind === 'failed') {
    const { extended } = answer
    const additionals = extended && [options(extendedError(extended.code, extended.text))]
    return { flags: SERVFAIL, ...(additionals && { additionals }) }
  }
  const flags = answer.authentic ? AUTHENTIC : 0
  if (answer.kind !== 'found') return { flags: flags | (answer.kind === 'no-name' ? NXDOMAIN : 0) }
  const end = answer.canonicalName
  const link = end === name ? [] : [{ name, type: 'CNAME', data: end } as Answer]
  const records = answer.values.map((data) => ({ name: end, type, data: onWire(type, data) }) as Answer)
  return { flags, answers: [...link, ...records] }
}

/** As dns-packet has it. */
function onWire(type: DnsRecordType, value: DnsRecords[DnsRecordType]): unknown {
  // Character-strings have 255 octets at most (RFC 1035 §3.3.14).
  if (type === 'TXT') return String(value).match(/.{1,255}/gs) ?? ['']
  if (typeof value === 'string' || !('matchingType' in value)) return value
  const { data, ...parameters } = value
  return { ...parameters, certificate: Buffer.from(data) }
}
