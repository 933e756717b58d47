import { type Command, Option } from 'commander'
import { callEvents } from '../../shared/webhook/call-filter.ts'
import { filledOption } from './filled-option.ts'

/** The options that choose messages or webhook calls, by their names in commander. */
type FilterName =
  | 'ids'
  | 'account'
  | 'from'
  | 'to'
  | 'submitted'
  | 'nextAttempt'
  | 'lastActivity'
  | 'transport'
  | 'hold'
  | 'result'
  | 'event'

/** Those that were given. */
export type FilterOptions = Readonly<Partial<Record<FilterName, string>>>

const options: Readonly<Record<FilterName, () => Option>> = {
  ids: () => filledOption('--ids <names>', 'these, with commas between: account/ID, or the ID alone'),
  account: () => filledOption('--account <name>', 'of this account'),
  from: () => filledOption('--from <text>', 'whose sender has this text; @example.org is a domain'),
  to: () => filledOption('--to <text>', 'whose recipient has this text'),
  submitted: () =>
    filledOption('--submitted <when>', "submitted before or after a time: '<-1h' is more than an hour ago"),
  nextAttempt: () =>
    filledOption(
      '--next-attempt <when>',
      "attempted next before or after a time: '<10m' is within ten minutes",
    ),
  lastActivity: () =>
    filledOption(
      '--last-activity <when>',
      "last heard of before or after a time: '>-1h' is within the last hour",
    ),
  transport: () => new Option('--transport <name>', 'with this transport; "" follows the routes'),
  hold: () => new Option('--hold <flag>', 'on hold or not').choices(['true', 'false']),
  result: () => new Option('--result <result>', 'that ended so').choices(['success', 'failure']),
  event: () => new Option('--event <name>', 'about this event').choices(callEvents),
}

/** The options for queued messages, retired messages, queued webhook calls and retired ones. */
export const filters = {
  messages: ['ids', 'account', 'from', 'to', 'submitted', 'nextAttempt', 'transport', 'hold'],
  retiredMessages: ['ids', 'account', 'from', 'to', 'submitted', 'lastActivity', 'transport', 'result'],
  webhooks: ['ids', 'account', 'event', 'submitted', 'nextAttempt'],
  retiredWebhooks: ['ids', 'account', 'event', 'submitted', 'lastActivity', 'result'],
} as const satisfies Readonly<Record<string, readonly FilterName[]>>

/** Adds the options of a list. */
export function addFilter(command: Command, list: keyof typeof filters): Command {
  for (const name of filters[list]) command.addOption(options[name]())
  return command
}

/** The filter as the query string of a list has it. */
export function filterQuery(given: FilterOptions): Readonly<Record<string, string>> {
  return Object.fromEntries(chosen(given).map(([name, text]) => [name.toLowerCase(), text]))
}

/** The filter as the body of an action has it; without fields it is everything. */
export function filterBody(given: FilterOptions): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    chosen(given).map(([name, text]) => {
      if (name === 'ids') return ['IDs', text.split(',').map((each) => each.trim())]
      if (name === 'hold') return ['Hold', text === 'true']
      if (name === 'result') return ['Success', text === 'success']
      return [name.charAt(0).toUpperCase() + name.slice(1), text]
    }),
  )
}

function chosen(given: FilterOptions): readonly (readonly [FilterName, string])[] {
  const names = Object.keys(options) as FilterName[]
  return names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]))
}
