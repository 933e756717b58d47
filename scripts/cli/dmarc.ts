import type { Command } from 'commander'
import { type FoundDmarcRecord, findDmarcRecord } from '../../shared/authentication/dmarc.ts'
import { addResolverOptions, openResolver, type ResolverOptions } from './dns.ts'
import { fields } from './print.ts'
import { readDomain } from './read-domain.ts'
import type { Session } from './session.ts'

const help = `
Finds what a domain wants done with mail in its name that neither SPF nor DKIM vouches for (RFC 7489): its own record, or
that of its organization. Asks from this machine, not from the installation: the resolvers of /etc/resolv.conf, or the
given one. The exit code is 1 where there is no record to go by.

Examples:
  postern dmarc lookup example.org
  postern dmarc lookup mail.example.org --server 127.0.0.1:5353 --json`

/** Adds `postern dmarc`. */
export function addDmarcCommands(program: Command, session: Session): void {
  const dmarc = program.command('dmarc').description('see what a domain wants done with forged mail')
  const lookup = dmarc
    .command('lookup <domain>')
    .description('show the DMARC record that counts for a domain')
  addResolverOptions(lookup)
    .addHelpText('after', help)
    .action(async (text: string, options: ResolverOptions) => {
      const domain = readDomain('domain', text)
      const found = await findDmarcRecord(openResolver(options), domain)
      session.show({ domain, ...found }, foundText(domain, found))
      if (!('record' in found)) process.exitCode = 1
    })
}

function foundText(domain: string, found: FoundDmarcRecord): string {
  const dnssec = found.authentic ? 'with dnssec' : 'without dnssec'
  if (!('record' in found)) return fields({ result: found.result, problem: found.problem, dnssec })
  const { policyDomain, text, record } = found
  const { policy, subdomainPolicy = policy, strictDkim, strictSpf, percent } = record
  const isAbove = policyDomain !== domain
  return fields({
    record: text,
    at: `_dmarc.${policyDomain}${isAbove ? ' (the organization of the domain)' : ''}`,
    dnssec,
    policy: isAbove ? subdomainPolicy : policy,
    subdomains: subdomainPolicy,
    alignment: `DKIM ${strictDkim ? 'strict' : 'relaxed'}, SPF ${strictSpf ? 'strict' : 'relaxed'}`,
    'applies to': `${percent} % of the mail that fails`,
  })
}
