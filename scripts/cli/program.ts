import { Command, Option } from 'commander'
import { addAccountCommands } from './account.ts'
import { addAddressCommands } from './address.ts'
import { addDaneCommands } from './dane.ts'
import { addDkimCommands } from './dkim.ts'
import { addDmarcCommands } from './dmarc.ts'
import { addDnsCommands } from './dns.ts'
import { addDomainCommands } from './domain.ts'
import { addHoldRuleCommands } from './hold-rules.ts'
import { addMailCommands } from './mail.ts'
import { addMtaStsCommands } from './mtasts.ts'
import { addOperationCommands } from './operation.ts'
import { printable } from './print.ts'
import { addQueueCommands } from './queue.ts'
import { addReportCommands } from './report.ts'
import { addRouteCommands } from './route.ts'
import { LOCAL_URL, openSession } from './session.ts'
import { addSetupCommand } from './setup.ts'
import { addSmtpCommands } from './smtp.ts'
import { addSpfCommands } from './spf.ts'
import { addSuppressCommands } from './suppress.ts'
import { addTimeCommand } from './time.ts'
import { addTlsResultCommands } from './tls-result.ts'
import { addTransportCommands } from './transport.ts'
import { addWebhookCommands } from './webhook.ts'

const help = `
The administrator's password is read from POSTERN_ADMIN_PASSWORD; the local Postern of npm start needs none.

Examples:
  postern domain add example.org
  postern account add shop --address shop@example.org
  postern account password shop
  POSTERN_URL=https://api.example.org postern queue list --json`

/** The command `postern`: what an operator can see and change, over the admin API. */
export function posternCommand(environment: Readonly<Record<string, string | undefined>>): Command {
  const program = new Command('postern')
    .description('Operates a Postern mail server, here or in AWS.')
    .addOption(new Option('--url <url>', 'the installation').env('POSTERN_URL').default(LOCAL_URL))
    .option('--json', "print the API's answer as JSON")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .addHelpText('after', help)
  const session = openSession(program, environment)
  addSetupCommand(program, session)
  addDomainCommands(program, session)
  addDkimCommands(program, session)
  addAccountCommands(program, session)
  addAddressCommands(program, session)
  addTransportCommands(program, session)
  addRouteCommands(program, session)
  addQueueCommands(program, session)
  addHoldRuleCommands(program, session)
  addWebhookCommands(program, session)
  addOperationCommands(program, session)
  addMailCommands(program, session)
  addSuppressCommands(program, session)
  addReportCommands(program, session)
  addTlsResultCommands(program, session)
  addDnsCommands(program, session)
  addSpfCommands(program, session)
  addDaneCommands(program, session)
  addSmtpCommands(program, session)
  addDmarcCommands(program, session)
  addMtaStsCommands(program, session)
  addTimeCommand(program, session)
  return program
}

/** Commander writes its suggestion on a second line. */
function oneLine(text: string): string {
  return `${printable(text.trim())}\n`
}
