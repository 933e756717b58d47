import type { HostedDomain, Options } from '../account/options.ts'
import { directoryKey, resolveAddress } from '../account/resolve-address.ts'
import { formatUnicodeAddress, parseAddress } from '../address/address.ts'
import { formatUnicodeDomain } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import { readAddress } from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { RequestError } from './request.ts'

/** Where reports are to come; null: nowhere, and left out: as before. */
interface ReportAddressFields {
  readonly DMARCReportAddress?: string | null | undefined
  readonly TLSReportAddress?: string | null | undefined
}

type ReportAddresses = {
  readonly [Name in 'dmarcReports' | 'tlsReports']: string | null | undefined
}

/** Reads the addresses, as `directoryKey` writes them; throws {@link RequestError} unless an account has them. */
export async function readReportAddresses(
  ports: AdminPorts,
  { DMARCReportAddress, TLSReportAddress }: ReportAddressFields,
): Promise<ReportAddresses> {
  const options = await ports.options.readNewest()
  return {
    dmarcReports: await readOne(ports, options, 'DMARCReportAddress', DMARCReportAddress),
    tlsReports: await readOne(ports, options, 'TLSReportAddress', TLSReportAddress),
  }
}

async function readOne(
  { directory }: AdminPorts,
  options: Options,
  field: string,
  text: string | null | undefined,
): Promise<string | null | undefined> {
  if (text === null || text === undefined) return text
  const address = readAddress(field, text)
  if (!lookUp(options.domains, address.domain)) {
    throw new RequestError(field, `there is no domain ${formatUnicodeDomain(address.domain)}; add it first`)
  }
  // A domain that is disabled may be made ready.
  const domains = Object.fromEntries(
    Object.entries(options.domains).map(([name, hosted]) => [name, { ...hosted, disabled: false }]),
  )
  const found = await resolveAddress({ options: { ...options, domains }, directory }, address)
  if (found.kind !== 'account') {
    throw new RequestError(field, `no account has the address ${formatUnicodeAddress(address)}; add it first`)
  }
  return directoryKey(address)
}

/** The domain with these addresses; what is undefined stays, what is null goes. */
export function withReportAddresses(
  { dmarcReports: dmarcBefore, tlsReports: tlsBefore, ...hosted }: HostedDomain,
  { dmarcReports, tlsReports }: ReportAddresses,
): HostedDomain {
  const dmarcAfter = dmarcReports === undefined ? dmarcBefore : dmarcReports
  const tlsAfter = tlsReports === undefined ? tlsBefore : tlsReports
  return {
    ...hosted,
    ...(dmarcAfter && { dmarcReports: dmarcAfter }),
    ...(tlsAfter && { tlsReports: tlsAfter }),
  }
}

/** As people write it. */
export function unicodeAddress(key: string | undefined): string | null {
  return key === undefined ? null : formatUnicodeAddress(parseAddress(key))
}
