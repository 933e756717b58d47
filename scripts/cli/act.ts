import type { Command } from 'commander'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { CliError } from './cli-error.ts'
import { followOperation } from './follow-operation.ts'
import { countOf, outcomeOf } from './operation-text.ts'
import { canAsk, demandYes } from './prompt.ts'
import { addFilter, type FilterOptions, filterBody, type filters } from './row-filter.ts'
import type { Session } from './session.ts'

/** An act on chosen rows. */
export interface Act {
  readonly queue: 'messages' | 'webhooks'
  /** What the API is asked to do: the action, which is the command's name too, and its parameters. */
  readonly body: Readonly<Record<string, unknown>> & { readonly Action: string }
  /** What it does cannot be taken back. */
  readonly isFinal?: boolean
}

/** The options of every acting command. */
export interface ActOptions extends FilterOptions {
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly wait: boolean
  readonly yes?: boolean
}

/** Adds the options that choose rows and say how to go about them. */
export function addActOptions(
  command: Command,
  { list, isFinal }: { readonly list: keyof typeof filters; readonly isFinal?: boolean },
): Command {
  addFilter(command, list)
    .option('--all', 'every one of every account, where nothing else chooses')
    .option('--dry-run', 'only count')
    .option('--no-wait', 'do not wait for the end of what takes long')
  return isFinal ? command.option('--yes', 'do not ask') : command
}

/**
 * Acts on the rows that the options choose; without any it refuses, because at 3 a.m. nobody means everything. The
 * exit code is 1 where it could not do all. Throws {@link CliError}.
 */
export async function act(
  session: Session,
  { queue, body, isFinal = false }: Act,
  options: ActOptions,
  person = { canAsk, demandYes },
): Promise<void> {
  const { Action } = body
  const Filter = filterBody(options)
  const mustAsk = isFinal && !options.yes && !options.dryRun
  if (Object.keys(Filter).length === 0 && !options.all) {
    throw new CliError(`nothing says which ${queue}: choose some (see --help), or give --all`)
  }
  if (mustAsk && !person.canAsk()) {
    throw new CliError(`${Action} cannot be taken back: give --yes where nobody can be asked`)
  }
  const client = await session.client()
  const path = queue === 'messages' ? '/queue/actions' : '/webhooks/actions'
  const begin = (DryRun: boolean) => client.post<OperationJson>(path, { ...body, Filter, DryRun })
  if (mustAsk) {
    const counted = await followOperation(client, await begin(true))
    if (counted.Matched === 0) return showEnd(session, counted)
    await person.demandYes(`${Action} ${countOf(counted.Queue, counted.Matched)}?`)
  }
  const begun = await begin(options.dryRun ?? false)
  showEnd(session, options.wait ? await followOperation(client, begun) : begun)
}

function showEnd(session: Session, operation: OperationJson): void {
  const { State, Attempting, TooLate } = operation
  session.show(operation, outcomeOf(operation))
  if (State === 'canceled' || Attempting > 0 || TooLate > 0) process.exitCode = 1
}
