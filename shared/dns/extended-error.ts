import type { DnsFailure, ExtendedDnsError } from './resolver.ts'

/** RFC 8914 §4, by code. */
const names = [
  'other',
  'unsupported dnskey algorithm',
  'unsupported ds digest type',
  'stale answer',
  'forged answer',
  'dnssec indeterminate',
  'dnssec bogus',
  'signature expired',
  'signature not yet valid',
  'dnskey missing',
  'rrsigs missing',
  'no zone key bit set',
  'nsec missing',
  'cached error',
  'not ready',
  'blocked',
  'censored',
  'filtered',
  'prohibited',
  'stale nxdomain answer',
  'not authoritative',
  'not supported',
  'no reachable authority',
  'network error',
  'invalid data',
]

/** Codes that say that DNSSEC could not vouch for what was found. */
const validationFailures: readonly number[] = [1, 2, 5, 6, 7, 8, 9, 10, 11, 12]

/** What of a server's text is kept, in UTF-16 units: some servers tell whole stories. */
const MAX_TEXT = 300

/** Reads the data of EDNS option 15 (RFC 8914 §2); undefined where it is too short to have a code. */
export function readExtendedError(data: Uint8Array): ExtendedDnsError | undefined {
  const [high, low] = data
  if (high === undefined || low === undefined) return undefined
  const code = high * 256 + low
  return { code, name: names[code] ?? `code ${code}`, text: readText(data.subarray(2)) }
}

/** Whether there is an answer, refused for its signatures: a server that does not check them would give it. */
export function isValidationFailure({ extended }: Pick<DnsFailure, 'extended'>): boolean {
  return extended !== undefined && validationFailures.includes(extended.code)
}

/** Why there is no answer, for a TLS report, where its signatures were refused: `dns-extended-error-6-dnssec-bogus`. */
export function extendedErrorReason(failure: Pick<DnsFailure, 'extended'>): string | undefined {
  if (failure.extended === undefined || !isValidationFailure(failure)) return undefined
  const { code, name } = failure.extended
  return `dns-extended-error-${code}-${name.replaceAll(' ', '-')}`
}

/** UTF-8, perhaps with a NUL at its end; it goes into logs and headers, in one line. */
function readText(octets: Uint8Array): string {
  const text = Buffer.from(octets).toString('utf8').replace(/\0+$/, '')
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').slice(0, MAX_TEXT)
}
