import type { Command } from 'commander'
import type { TlsResultJson } from '../../shared/admin/tls-results.ts'
import { filledOption } from './filled-option.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

interface ListOptions {
  readonly domain?: string
  readonly limit: string
}

const help = `
Counts the SMTP sessions of direct delivery, by day (UTC), domain of the recipients, and the domain whose policy it was:
the recipients' (sts, or no-policy-found), or a mail host (tlsa). Failures with the count 0 did not keep the session from
being a success. Kept for 14 days; what happened in the last seconds may not be counted yet.

Examples:
  postern tlsresult list
  postern tlsresult list --domain example.org --json`

/** Adds `postern tlsresult`. */
export function addTlsResultCommands(program: Command, session: Session): void {
  const tlsResult = program
    .command('tlsresult')
    .description('what TLS came to when mail was delivered directly')
  tlsResult
    .command('list')
    .description('list results, those of today first')
    .addOption(filledOption('--domain <name>', 'of mail for this domain only'))
    .option('--limit <count>', 'how many at most', '100')
    .addHelpText('after', help)
    .action(async ({ domain, limit }: ListOptions) => {
      const query = new URLSearchParams({ limit, ...(domain !== undefined && { domain }) })
      const results = await (await session.client()).get<TlsResultJson[]>(`/tls-results?${query}`)
      session.show(results, describe(results))
    })
}

function describe(results: readonly TlsResultJson[]): string {
  const policies = results.flatMap(({ Day, RecipientDomain, PolicyDomain, Policies }) =>
    Policies.map((policy) => ({ about: [Day, RecipientDomain, PolicyDomain], policy })),
  )
  const counts = policies.map(({ about, policy: { Type, Succeeded, Failed } }) => [
    ...about,
    Type,
    String(Succeeded),
    String(Failed),
  ])
  const failures = policies.flatMap(({ about, policy }) =>
    policy.Failures.map((each) => [
      ...about.slice(0, 2),
      each.ResultType,
      String(each.Count),
      each.ReceivingMX,
      each.ReceivingIP || '-',
      [each.ReasonCode, each.Information].filter((text) => text !== '').join(' ') || '-',
    ]),
  )
  const shown = table(['DAY', 'DOMAIN', 'POLICY OF', 'POLICY', 'PASSED', 'FAILED'], counts)
  if (failures.length === 0) return shown
  const heading = ['DAY', 'DOMAIN', 'FAILURE', 'COUNT', 'MX', 'MX IP', 'WHY']
  return `${shown}\n\n${table(heading, failures)}`
}
