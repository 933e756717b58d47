import { isIP } from 'node:net'
import type { Command } from 'commander'
import { type PolicyServer, policyFetcher } from '../../shared/adapters/net/policy-fetcher.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { DAY, SECOND } from '../../shared/base/clock.ts'
import type { Resolver } from '../../shared/dns/resolver.ts'
import { getPolicy, type PolicyAnswer } from '../../shared/mta-sts/get-policy.ts'
import { listsHost } from '../../shared/mta-sts/lists-host.ts'
import { formatPolicy, MAX_AGE_SECONDS, type StsPolicy } from '../../shared/mta-sts/policy.ts'
import type { StoredPolicy } from '../../shared/mta-sts/policy-store.ts'
import { CliError } from './cli-error.ts'
import { addResolverOptions, openResolver, type ResolverOptions } from './dns.ts'
import { printable } from './print.ts'
import { readDomain } from './read-domain.ts'
import type { Session } from './session.ts'

interface LookupOptions extends ResolverOptions {
  readonly policyServer?: string
}

const help = `
Finds the record of a domain in the DNS and gets its policy over HTTPS, as a server does that has mail for it and knows
nothing of it yet (RFC 8461), and warns of what would keep mail away. Asks from this machine, not from the installation:
the resolvers of /etc/resolv.conf, or the given one. --policy-server tries a policy host before the DNS leads to it; its
certificate must be for mta-sts.<domain> all the same. The exit code is 1 where no policy was found.

Examples:
  postern mtasts lookup example.org
  postern mtasts lookup example.org --server 127.0.0.1:5353 --json
  postern mtasts lookup example.org --policy-server 192.0.2.1:443`

/** Adds `postern mtasts`. */
export function addMtaStsCommands(program: Command, session: Session): void {
  const mtaSts = program
    .command('mtasts')
    .description('see which TLS a domain asks for by its MTA-STS policy')
  const lookup = mtaSts
    .command('lookup <domain>')
    .description('show the record and the policy of a domain, and what is wrong with them')
    .option('--policy-server <address:port>', 'where to ask for the policy, instead of what the DNS says')
  addResolverOptions(lookup)
    .addHelpText('after', help)
    .action(async (text: string, options: LookupOptions) => {
      const domain = readDomain('domain', text)
      const resolver = openResolver(options)
      const answer = await lookUpPolicy(resolver, domain, readServer(options.policyServer))
      const warnings = answer.kind === 'found' ? await warningsOf(resolver, domain, answer.policy) : []
      session.show({ domain, ...answer, warnings }, answerText(domain, answer, warnings))
      if (answer.kind !== 'found') process.exitCode = 1
    })
}

async function lookUpPolicy(
  resolver: Resolver,
  domain: string,
  server: PolicyServer | undefined,
): Promise<PolicyAnswer> {
  const fetcher = policyFetcher({ resolver, ...(server && { server }) })
  const stored = new Map<string, StoredPolicy>()
  const store = {
    get: async (name: string) => stored.get(name),
    put: async (name: string, policy: StoredPolicy) => void stored.set(name, policy),
  }
  return await getPolicy({ resolver, fetcher, store, clock: systemClock }, domain)
}

/** What a domain's owner should know; nobody who sends it mail does anything about it. */
async function warningsOf(resolver: Resolver, domain: string, policy: StsPolicy): Promise<readonly string[]> {
  const { mode, maxAgeSeconds } = policy
  const warnings: string[] = []
  if (mode === 'none') return ['the mode none asks for nothing: it is there to take an earlier policy back']
  if (mode === 'testing') warnings.push('the mode testing only asks for reports, and protects no mail')
  if (maxAgeSeconds * SECOND < DAY) {
    warnings.push('max_age is less than a day: who can block the policy for as long turns it off')
  }
  if (maxAgeSeconds > MAX_AGE_SECONDS) {
    warnings.push(`max_age is more than ${MAX_AGE_SECONDS}, the most that RFC 8461 §3.2 allows`)
  }
  return [...warnings, ...(await hostWarnings(resolver, domain, policy))]
}

async function hostWarnings(
  resolver: Resolver,
  domain: string,
  policy: StsPolicy,
): Promise<readonly string[]> {
  const answer = await resolver.lookUp('MX', domain)
  if (answer.kind === 'failed') return [`the mail hosts are not known: ${answer.error}`]
  // RFC 5321 §5.1: a domain without MX is its own mail host.
  const hosts = answer.kind === 'found' ? answer.values.map(({ exchange }) => exchange) : [domain]
  const effect =
    policy.mode === 'enforce' ? 'gets no mail from who goes by it' : 'would get no mail if it were enforced'
  return hosts
    .filter((host) => host !== '.' && !listsHost(policy, host))
    .map((host) => `the policy does not list the mail host ${host}, which ${effect}`)
}

function answerText(domain: string, answer: PolicyAnswer, warnings: readonly string[]): string {
  const { problem } = answer
  const record = answer.kind === 'failed' ? undefined : answer.record
  const lines = [
    ...(record ? [`record of ${domain}: id ${record.id}`] : []),
    ...(answer.kind === 'found' ? policyLines(domain, answer.policy) : []),
    ...(problem ? [`${answer.kind === 'failed' ? 'failed' : 'no policy'}: ${problem.text}`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ]
  return lines.map(printable).join('\n')
}

function policyLines(domain: string, policy: StsPolicy): readonly string[] {
  const lines = formatPolicy(policy).trimEnd().split('\r\n')
  return [`policy of ${domain}:`, ...lines.map((line) => `  ${line}`)]
}

function readServer(text: string | undefined): PolicyServer | undefined {
  if (text === undefined) return undefined
  const [, inBrackets, plain, port] = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  const ipAddress = inBrackets ?? plain ?? ''
  const isGood = isIP(ipAddress) === (inBrackets === undefined ? 4 : 6)
  if (isGood && Number(port) >= 1 && Number(port) <= 65535) return { ipAddress, port: Number(port) }
  throw new CliError(
    `--policy-server: ${JSON.stringify(text)} must be an IP address and a port, as 192.0.2.1:443`,
  )
}
