import type { Command } from 'commander'
import type { QueuedMessageJson } from '../../shared/admin/message-json.ts'
import { type ListOptions, listingQuery } from './listing-query.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

const listHelp = `
Examples:
  postern queue list
  postern queue list --account shop --json`

/** Adds `postern queue …`. */
export function addQueueCommands(program: Command, session: Session): void {
  program
    .command('queue')
    .description('messages that wait to be delivered')
    .command('list')
    .description('list queued messages, the next attempt first')
    .option('--account <name>', 'of this account only')
    .option('--limit <count>', 'how many at most', '100')
    .addHelpText('after', listHelp)
    .action(async (options: ListOptions) => {
      const messages = await (await session.client()).get<QueuedMessageJson[]>(
        `/queue?${listingQuery(options)}`,
      )
      session.show(
        messages,
        table(['ID', 'FROM', 'TO', 'ATTEMPTS', 'NEXT ATTEMPT', 'LAST RESULT'], messages.map(row)),
      )
    })
}

function row(message: QueuedMessageJson): string[] {
  return [
    `${message.SenderAccount}/${message.ID}`,
    message.SenderDomainStr ? `${message.SenderLocalpart}@${message.SenderDomainStr}` : '<>',
    `${message.RecipientLocalpart}@${message.RecipientDomainStr}`,
    String(message.Attempts),
    message.NextAttempt,
    message.Results.at(-1)?.Error || '-',
  ]
}
