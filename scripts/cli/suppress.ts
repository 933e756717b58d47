import { type Command, Option } from 'commander'
import type { AccountJson } from '../../shared/admin/accounts.ts'
import type { SuppressionJson } from '../../shared/suppression/wire-suppression.ts'
import { CliError } from './cli-error.ts'
import type { AdminClient } from './client.ts'
import { type ListOptions, listingQuery } from './listing-query.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'
import { type ExportOptions, exportSuppressions } from './suppress-export.ts'
import { importFile } from './suppress-import.ts'

interface AccountOption {
  readonly account?: string
}

const help = `
Messages of an account to an address on its list fail at once, as the event "suppressed". An entry stands for all
spellings of its base address: Bob.Smith+news@example.org is bobsmith@example.org. If there is only one account,
add, remove and import need no --account.

Examples:
  postern suppress list --account shop
  postern suppress add bob@example.org --account shop --reason "asked to stop"
  postern suppress lookup bob@example.org
  postern suppress import unsubscribed.csv --account shop --dry-run
  postern suppress export --output suppressions.csv`

const importHelp = `
FILE is a CSV file whose first line names its columns, in any order: address (or email, originaladdress), reason,
manual (true or false), created (2026-06-01T12:00:00Z); other columns are left out. Or it has one address a line and no
heading, or it is the JSON that export writes. - reads standard input. Every row is checked before a part of the file
is written. Invalid rows are named and left out, and the exit code is 1; what is listed already stays as it is, so an
import can be run again. A dry run counts an address twice that comes in two parts of a large file.

Examples:
  postern suppress import unsubscribed.csv --account shop --dry-run
  cut -d, -f1 bounces.csv | postern suppress import - --account shop`

const exportHelp = `
Values that a spreadsheet would run as a formula, which begin with = + - or @, begin with an apostrophe in CSV; import
takes it away again.

Examples:
  postern suppress export --output suppressions.csv
  postern suppress export --account shop --format json > shop.json`

/** Adds `postern suppress …`. */
export function addSuppressCommands(program: Command, session: Session): void {
  const suppress = program
    .command('suppress')
    .description('addresses that accounts must not send to')
    .addHelpText('after', help)
  addReading(suppress, session)
  addWriting(suppress, session)
  addFiles(suppress, session)
}

function addReading(suppress: Command, session: Session): void {
  suppress
    .command('list')
    .description('list suppressed addresses, by account and base address')
    .option('--account <name>', 'of this account only')
    .option('--limit <count>', 'how many at most', '100')
    .action(async (options: ListOptions) => {
      const path = `/suppressions?${listingQuery(options)}`
      show(session, await (await session.client()).get<SuppressionJson[]>(path))
    })
  suppress
    .command('lookup <address>')
    .description('show the entries for an address, however it is spelled')
    .option('--account <name>', 'of this account only')
    .action(async (address: string, { account }: AccountOption) => {
      const query = new URLSearchParams({ address, ...(account !== undefined && { account }) })
      const client = await session.client()
      show(session, await client.get<SuppressionJson[]>(`/suppressions/lookup?${query}`))
    })
}

function addWriting(suppress: Command, session: Session): void {
  suppress
    .command('add <address>')
    .description('suppress an address')
    .option('--account <name>', 'for this account')
    .option('--reason <text>', 'why')
    .action(async (address: string, options: AccountOption & { readonly reason?: string }) => {
      const client = await session.client()
      const path = await pathOf(client, options, address)
      const added = await client.put<SuppressionJson>(path, { Reason: options.reason ?? '' })
      session.show(added, `${added.BaseAddress} is suppressed for account ${added.Account}`)
    })
  suppress
    .command('remove <address>')
    .description('suppress an address no more, however it is spelled')
    .option('--account <name>', 'for this account')
    .action(async (address: string, options: AccountOption) => {
      const client = await session.client()
      await client.remove(await pathOf(client, options, address))
      session.show({}, `${address} is suppressed no more`)
    })
}

function addFiles(suppress: Command, session: Session): void {
  suppress
    .command('import <file>')
    .description('suppress the addresses of a CSV or JSON file')
    .option('--account <name>', 'for this account')
    .option('--dry-run', 'only say what would be added')
    .addHelpText('after', importHelp)
    .action(async (file: string, options: AccountOption & { readonly dryRun?: boolean }) => {
      const client = await session.client()
      const account = await accountOf(client, options)
      await importFile({ session, client, account, file, dryRun: options.dryRun ?? false })
    })
  suppress
    .command('export')
    .description('write all suppressed addresses to a file, or to standard output')
    .option('--account <name>', 'of this account only')
    .addOption(new Option('--format <format>', 'csv if not given; json with --json').choices(['csv', 'json']))
    .option('--output <file>', 'the file; one that exists is replaced once all is written')
    .addHelpText('after', exportHelp)
    .action(async ({ format, ...options }: Partial<ExportOptions>, command: Command) => {
      const { json } = command.optsWithGlobals<{ readonly json?: boolean }>()
      await exportSuppressions(session, { ...options, format: format ?? (json ? 'json' : 'csv') })
    })
}

async function pathOf(client: AdminClient, options: AccountOption, address: string): Promise<string> {
  const account = await accountOf(client, options)
  return `/suppressions/${encodeURIComponent(account)}/${encodeURIComponent(address)}`
}

/** The account that is named, or the only one that there is. */
async function accountOf(client: AdminClient, { account }: AccountOption): Promise<string> {
  if (account === '') throw new CliError('--account: must not be empty')
  if (account !== undefined) return account
  const [only, ...others] = await client.get<AccountJson[]>('/accounts')
  if (only === undefined) throw new CliError('there is no account yet; add one with: postern account add')
  if (others.length === 0) return only.Name
  throw new CliError(`give --account: one of ${[only, ...others].map(({ Name }) => Name).join(', ')}`)
}

function show(session: Session, entries: readonly SuppressionJson[]): void {
  const heading = ['ACCOUNT', 'BASE ADDRESS', 'ADDED AS', 'CREATED', 'BY HAND', 'REASON']
  session.show(entries, table(heading, entries.map(row)))
}

function row(entry: SuppressionJson): string[] {
  const { Account, BaseAddress, OriginalAddress, Created, Manual, Reason } = entry
  return [Account, BaseAddress, OriginalAddress, Created, Manual ? 'yes' : 'no', Reason || '-']
}
