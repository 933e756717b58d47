import type { Command } from 'commander'
import type { MailJson } from '../../shared/admin/mails.ts'
import { type ListOptions, listingQuery } from './listing-query.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

const HEADINGS = ['ID', 'MAILBOX', 'RECEIVED', 'SIZE', 'FROM', 'TO', 'SUBJECT']

const listHelp = `
Example:
  postern mail list --account shop --limit 20`

/** Adds `postern mail …`. */
export function addMailCommands(program: Command, session: Session): void {
  program
    .command('mail')
    .description('mail that was received')
    .command('list')
    .description('list received mail, the newest first')
    .option('--account <name>', 'of this account only')
    .option('--limit <count>', 'how many at most', '100')
    .addHelpText('after', listHelp)
    .action(async (options: ListOptions) => {
      const mails = await (await session.client()).get<MailJson[]>(`/mail?${listingQuery(options)}`)
      session.show(mails, table(HEADINGS, mails.map(row)))
    })
}

function row(mail: MailJson): string[] {
  const from = mail.From.map(({ Name, Address }) => Address || Name).join(' ')
  return [
    `${mail.Account}/${mail.MsgID}`,
    mail.MailboxName,
    mail.Received,
    String(mail.Size),
    from,
    mail.RcptTo,
    mail.Subject,
  ]
}
