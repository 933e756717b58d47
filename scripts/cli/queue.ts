import type { Command } from 'commander'
import type { QueuedMessageJson, RetiredMessageJson } from '../../shared/admin/message-json.ts'
import { CliError } from './cli-error.ts'
import { dumpMessage } from './dump-message.ts'
import { isRetired, messagePage, queuedTable, retiredTable } from './message-page.ts'
import { addQueueActions } from './queue-actions.ts'
import { addFilter } from './row-filter.ts'
import { addListOptions, type RowListOptions, showList } from './row-list.ts'
import { rowPath } from './row-path.ts'
import type { Session } from './session.ts'

const queueHelp = `
What acts on messages needs to know which: some that options choose, or --all. What takes long goes on by itself:
postern operation.

Examples:
  postern queue list --hold true
  postern queue hold --account shop --dry-run
  postern queue schedule now --to @example.org`

const listHelp = `
Examples:
  postern queue list
  postern queue list --account shop --to @example.org --next-attempt '<1h'
  postern queue list --hold true --json`

const printHelp = `
An ID is written account/ID, as lists show it, or alone where only one account has it.

Examples:
  postern queue print shop/115318000123904
  postern queue print 115318000123904 --json`

const dumpHelp = `
The message as it is sent, octet for octet; on a terminal control characters are left out.

Example:
  postern queue dump shop/115318000123904 --output message.eml`

const retiredHelp = `
Examples:
  postern queue retired list --result failure --last-activity '>-1h'
  postern queue retired list --from @example.org --sort Queued`

/** Adds `postern queue …`. */
export function addQueueCommands(program: Command, session: Session): void {
  const queue = program
    .command('queue')
    .description('messages that wait to be delivered')
    .addHelpText('after', queueHelp)
  const list = queue.command('list').description('list queued messages, the next attempt first')
  addListOptions(addFilter(list, 'messages'), ['NextAttempt', 'Queued'])
    .addHelpText('after', listHelp)
    .action(async (options: RowListOptions) => {
      await showList<QueuedMessageJson>(session, '/queue', options, queuedTable)
    })
  queue
    .command('print <id>')
    .description('show everything about a message, queued or finished')
    .addHelpText('after', printHelp)
    .action(async (id: string) => {
      const message = await readMessage(session, id)
      session.show(message, messagePage(message))
    })
  queue
    .command('dump <id>')
    .description('write the content of a queued message')
    .option('--output <file>', 'to this file')
    .addHelpText('after', dumpHelp)
    .action(async (id: string, { output }: { readonly output?: string }) => {
      await dumpMessage(await session.client(), id, output)
    })
  addQueueActions(queue, session)
  addRetiredCommands(queue, session)
}

function addRetiredCommands(queue: Command, session: Session): void {
  const retired = queue.command('retired').description('finished messages that are kept')
  const list = retired.command('list').description('list finished messages, the last activity first')
  addListOptions(addFilter(list, 'retiredMessages'), ['LastActivity', 'Queued'])
    .addHelpText('after', retiredHelp)
    .action(async (options: RowListOptions) => {
      await showList<RetiredMessageJson>(session, '/queue/retired', options, retiredTable)
    })
  retired
    .command('print <id>')
    .description('show everything about a finished message')
    .action(async (id: string) => {
      const message = await readMessage(session, id)
      if (!isRetired(message)) throw new CliError(`${id} is not finished: see postern queue print ${id}`)
      session.show(message, messagePage(message))
    })
}

async function readMessage(session: Session, id: string): Promise<QueuedMessageJson | RetiredMessageJson> {
  return await (await session.client()).get(`/queue/${rowPath(id)}`)
}
