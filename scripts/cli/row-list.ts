import { type Command, InvalidArgumentError, Option } from 'commander'
import type { AdminClient } from './client.ts'
import { type FilterOptions, filterQuery } from './row-filter.ts'
import type { Session } from './session.ts'

/** What every list of rows can be asked. */
export interface RowListOptions extends FilterOptions {
  readonly sort?: string
  readonly asc?: string
  readonly desc?: boolean
  readonly limit: number
}

/** What one call asks for: an answer has at most 6 MB, and a row can have 40 KB. */
const ROWS_IN_CALL = 100

/** Adds the options that sort and limit a list; the first sort is the one without a wish. */
export function addListOptions(command: Command, sorts: readonly string[]): Command {
  return command
    .addOption(new Option('--sort <field>', 'what the list is sorted by').choices(sorts))
    .addOption(new Option('--asc <flag>', 'the earliest first').choices(['true', 'false']).conflicts('desc'))
    .option('--desc', 'the latest first')
    .option('--limit <count>', 'how many at most', readLimit, 100)
}

/** Shows the rows of a list; says so on stderr where there are more. */
export async function showList<Row>(
  session: Session,
  path: string,
  options: RowListOptions,
  text: (rows: readonly Row[]) => string,
): Promise<void> {
  const { rows, isMore } = await readRows<Row>(await session.client(), path, options)
  session.show(rows, text(rows))
  if (isMore) process.stderr.write(`there are more than these ${rows.length}: see --limit\n`)
}

/** Follows the pages of a list; one row more than wanted tells whether there are more. */
async function readRows<Row>(
  client: AdminClient,
  path: string,
  options: RowListOptions,
): Promise<{ readonly rows: readonly Row[]; readonly isMore: boolean }> {
  const { sort, limit } = options
  const asc = options.desc ? 'false' : options.asc
  const rows: Row[] = []
  let query: Readonly<Record<string, string>> | undefined = {
    ...filterQuery(options),
    ...(sort !== undefined && { sort }),
    ...(asc !== undefined && { asc }),
  }
  while (query && rows.length <= limit) {
    const wanted = Math.min(ROWS_IN_CALL, limit + 1 - rows.length)
    const page: { readonly rows: readonly Row[]; readonly next?: string } = await client.page<Row>(
      `${path}?${new URLSearchParams({ ...query, limit: String(wanted) })}`,
    )
    rows.push(...page.rows)
    query = page.next === undefined ? undefined : Object.fromEntries(new URLSearchParams(page.next))
  }
  return { rows: rows.slice(0, limit), isMore: rows.length > limit }
}

function readLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('A limit is a whole number from 1.')
}
