import type { Command } from 'commander'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { outcomeOf } from './operation-text.ts'
import { fields, table } from './print.ts'
import type { Session } from './session.ts'

const operationHelp = `
An act does 500 rows while the command waits; the rest goes on by itself within minutes.

Example:
  postern operation list`

const listHelp = `
Operations are kept for a month.

Example:
  postern operation list --limit 10`

const cancelHelp = `
What the operation has done stays done.

Example:
  postern operation cancel 115318000123904`

/** Adds `postern operation …`. */
export function addOperationCommands(program: Command, session: Session): void {
  const operation = program
    .command('operation')
    .description('acts on many messages or webhook calls')
    .addHelpText('after', operationHelp)
  operation
    .command('list')
    .description('list operations, the last first')
    .option('--limit <count>', 'how many at most, up to 1000', '100')
    .addHelpText('after', listHelp)
    .action(async ({ limit }: { readonly limit: string }) => {
      const query = new URLSearchParams({ limit })
      const found = await (await session.client()).get<OperationJson[]>(`/operations?${query}`)
      session.show(found, table(['ID', 'STARTED', 'ACTION', 'STATE', 'MATCHED', 'CHANGED'], found.map(row)))
    })
  operation
    .command('show <id>')
    .description('show how far an operation is')
    .action(async (id: string) => {
      const found = await (await session.client()).get<OperationJson>(pathOf(id))
      session.show(found, describe(found))
    })
  operation
    .command('cancel <id>')
    .description('stop an operation that goes on')
    .addHelpText('after', cancelHelp)
    .action(async (id: string) => {
      const ended = await (await session.client()).remove<OperationJson>(pathOf(id))
      const isDone = ended.State === 'done'
      session.show(ended, `${isDone ? `operation ${id} is done already: ` : ''}${outcomeOf(ended)}`)
    })
}

function pathOf(id: string): string {
  return `/operations/${encodeURIComponent(id)}`
}

function row(operation: OperationJson): string[] {
  const { ID, Started, State, Matched, Changed } = operation
  return [String(ID), Started, actionOf(operation), State, String(Matched), String(Changed)]
}

function actionOf({ Queue, Action, DryRun }: OperationJson): string {
  return `${Action} ${Queue}${DryRun ? ' (dry run)' : ''}`
}

function describe(operation: OperationJson): string {
  return fields({
    Operation: String(operation.ID),
    Action: actionOf(operation),
    State: operation.State,
    Outcome: outcomeOf(operation),
    Started: operation.Started,
    'Last step': operation.Moved,
    Accounts: `${operation.AccountsDone} of ${operation.Accounts} done`,
    'Looked at': String(operation.Read),
    Matched: String(operation.Matched),
    Changed: String(operation.Changed),
    'Being attempted': String(operation.Attempting),
    'Too late': String(operation.TooLate),
  })
}
