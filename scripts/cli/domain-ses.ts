import type { Command } from 'commander'
import type { SesIdentityJson, SesProblemJson, SesRecordJson } from '../../shared/admin/ses-identities.ts'
import { CliError } from './cli-error.ts'
import { fields, printable } from './print.ts'
import type { Session } from './session.ts'

const help = `
Adding a domain makes its identity in Amazon SES; this does what is missing of it, and may be repeated. Publish the
records in the domain's DNS: SES looks for them every few hours, up to three days after. Only domains that are sent
from by a transport of the kind ses need them.

Example:
  postern domain ses example.org`

/** Adds `postern domain ses`. */
export function addDomainSesCommand(domain: Command, session: Session): void {
  domain
    .command('ses <name>')
    .description('see to the identity of a domain in Amazon SES, and show its state and DNS records')
    .addHelpText('after', help)
    .action(async (name: string) => {
      const path = `/domains/${encodeURIComponent(name)}/ses`
      const identity = await (await session.client()).post<SesIdentityJson | SesProblemJson>(path, {})
      if ('Problem' in identity) throw new CliError(`SES: ${identity.Problem}`)
      session.show(identity, describe(identity))
    })
}

function describe({ Verified, DKIM, MailFrom, Records }: SesIdentityJson): string {
  const state = fields({
    Verified: Verified
      ? 'yes'
      : 'no: SES sends nothing from this domain before it has found the CNAME records',
    DKIM: DKIM.toLowerCase(),
    'MAIL FROM': MailFrom ? `${MailFrom.Domain} ${MailFrom.Status.toLowerCase()}` : 'of SES',
  })
  const hint = 'DMARC passes by either DKIM or MAIL FROM; with neither it fails. See: postern dmarc lookup'
  return [state, '', ...Records.map(zoneLine), '', hint].join('\n')
}

/** RFC 1035 §5.1. */
function zoneLine({ Name, Type, Data }: SesRecordJson): string {
  return printable(`${Name}. ${Type} ${Type === 'TXT' ? `"${Data}"` : Data}`)
}
