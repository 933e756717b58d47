import { describeTlsa, formatTlsa } from '../../shared/dane/tlsa.ts'
import type { DnsAnswer, DnsRecords, DnsRecordType, TlsAssociation } from '../../shared/dns/resolver.ts'
import { printable } from './print.ts'

/** An answer to a question of any type. */
export type AnyAnswer = DnsAnswer<DnsRecords[DnsRecordType]>

type AnyValue = DnsRecords[DnsRecordType]

/** The answer as the resolver gives it, with octets in hexadecimal. */
export function answerJson(type: string, name: string, answer: AnyAnswer): object {
  if (answer.kind !== 'found') return { type, name, ...answer }
  const values = answer.values.map((value) =>
    isTlsAssociation(value) ? { ...value, data: hex(value) } : value,
  )
  return { type, name, ...answer, values }
}

/** One line that says what was found, and one for each record. */
export function answerText(type: string, name: string, answer: AnyAnswer): string {
  const records = type === 'ips' ? 'address' : `${type} record`
  switch (answer.kind) {
    case 'failed':
      return `failed: ${printable(answer.error)}`
    case 'no-name':
      return `${name} does not exist, ${dnssec(answer)}`
    case 'no-data':
      return `${name} has no ${records}, ${dnssec(answer)}`
    case 'found': {
      const { values, canonicalName } = answer
      const plural = type === 'ips' ? 'addresses' : `${records}s`
      const alias = canonicalName === name ? '' : `, canonical name ${canonicalName}`
      const head = `${values.length} ${values.length === 1 ? records : plural} of ${name}${alias}, ${dnssec(answer)}`
      return [head, ...values.map((value) => `  ${printable(valueText(type, value))}`)].join('\n')
    }
  }
}

function dnssec({ authentic }: { readonly authentic: boolean }): string {
  return authentic ? 'with dnssec' : 'without dnssec'
}

/** As zone files have it, more or less. */
function valueText(type: string, value: AnyValue): string {
  if (typeof value === 'string') return type === 'TXT' ? JSON.stringify(value) : value
  if (isTlsAssociation(value)) return `${formatTlsa(value)} (${describeTlsa(value)})`
  if ('exchange' in value) return `${value.preference} ${value.exchange}`
  return `${value.priority} ${value.weight} ${value.port} ${value.target}`
}

function isTlsAssociation(value: AnyValue): value is TlsAssociation {
  return typeof value === 'object' && 'matchingType' in value
}

function hex({ data }: TlsAssociation): string {
  return Buffer.from(data).toString('hex')
}
