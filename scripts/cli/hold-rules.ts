import type { Command } from 'commander'
import type { HoldRuleJson } from '../../shared/admin/hold-rules.ts'
import { CliError } from './cli-error.ts'
import { filledOption } from './filled-option.ts'
import { table } from './print.ts'
import { canAsk, demandYes } from './prompt.ts'
import type { Session } from './session.ts'

interface AddOptions {
  readonly account?: string
  readonly sender?: string
  readonly recipient?: string
  readonly all?: boolean
}

const rulesHelp = `
Example:
  postern holdrules add --account shop`

const addHelp = `
Messages that match all that is given are put on hold, those that wait and those that come. Attempts that run go on.
Within five seconds every function knows of the rule; a rule without conditions pauses all delivery.

Examples:
  postern holdrules add --account shop
  postern holdrules add --sender newsletter@example.org --recipient example.com
  postern holdrules add --all`

const removeHelp = `
What the rule has held stays on hold: postern queue release --hold true

Example:
  postern holdrules remove 17`

/** Adds `postern holdrules …`. */
export function addHoldRuleCommands(program: Command, session: Session): void {
  const rules = program
    .command('holdrules')
    .description('which messages are put on hold')
    .addHelpText('after', rulesHelp)
  rules
    .command('list')
    .description('list the hold rules')
    .action(async () => {
      const found = await (await session.client()).get<HoldRuleJson[]>('/holdrules')
      session.show(found, table(['ID', 'CREATED', 'ACCOUNT', 'SENDER', 'RECIPIENT'], found.map(row)))
    })
  rules
    .command('add')
    .description('hold messages, those that wait and those that come')
    .addOption(filledOption('--account <name>', 'of this account'))
    .addOption(filledOption('--sender <place>', 'from this address or domain'))
    .addOption(filledOption('--recipient <place>', 'to this address or domain'))
    .option('--all', 'every message of every account')
    .addHelpText('after', addHelp)
    .action(async (options: AddOptions) => await addRule(session, options))
  rules
    .command('remove <id>')
    .description('remove a hold rule; it releases nothing')
    .addHelpText('after', removeHelp)
    .action(async (id: string) => {
      await (await session.client()).remove(`/holdrules/${encodeURIComponent(id)}`)
      session.show({}, `hold rule ${id} removed; what it held stays on hold until postern queue release`)
    })
}

async function addRule(session: Session, { account, sender, recipient, all }: AddOptions): Promise<void> {
  const conditions = {
    ...(account !== undefined && { Account: account }),
    ...(sender !== undefined && { Sender: sender }),
    ...(recipient !== undefined && { Recipient: recipient }),
  }
  if (Object.keys(conditions).length === 0 && !all) {
    if (!canAsk()) throw new CliError('a rule without any condition pauses everything: give --all')
    await demandYes('hold every message of every account?')
  }
  const rule = await (await session.client()).post<HoldRuleJson>('/holdrules', conditions)
  session.show(rule, `hold rule ${rule.ID} added: it holds ${describe(rule)}`)
}

function describe({ Account, Sender, Recipient }: HoldRuleJson): string {
  const parts = [
    ...(Account ? [`of account ${Account}`] : []),
    ...(Sender ? [`from ${Sender}`] : []),
    ...(Recipient ? [`to ${Recipient}`] : []),
  ]
  return parts.length > 0 ? `messages ${parts.join(' ')}` : 'every message'
}

function row({ ID, Created, Account, Sender, Recipient }: HoldRuleJson): string[] {
  return [String(ID), Created, Account || 'any', Sender || 'any', Recipient || 'any']
}
