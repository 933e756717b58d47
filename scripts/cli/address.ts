import type { Command } from 'commander'
import type { AddressJson } from '../../shared/admin/addresses.ts'
import { table } from './print.ts'
import type { Session } from './session.ts'

const addHelp = `
@example.org is the catchall: every address of the domain that nobody else has.

Examples:
  postern address add shop@example.org shop
  postern address add @example.org shop`

/** Adds `postern address …`. */
export function addAddressCommands(program: Command, session: Session): void {
  const address = program.command('address').description('addresses of accounts')
  address
    .command('list')
    .description('list the addresses')
    .option('--domain <name>', 'of this domain only')
    .action(async ({ domain }: { readonly domain?: string }) => {
      const query = domain === undefined ? '' : `?${new URLSearchParams({ domain })}`
      const addresses = await (await session.client()).get<AddressJson[]>(`/addresses${query}`)
      const rows = addresses.map(({ Address, Account }) => [Address, Account])
      session.show(addresses, table(['ADDRESS', 'ACCOUNT'], rows))
    })
  address
    .command('add <address> <account>')
    .description('give an address to an account')
    .addHelpText('after', addHelp)
    .action(async (text: string, account: string) => {
      const added = await (await session.client()).put<AddressJson>(pathOf(text), { Account: account })
      session.show(added, `address ${added.Address} belongs to account ${added.Account}`)
    })
  address
    .command('show <address>')
    .description('show whose address it is')
    .action(async (text: string) => {
      const found = await (await session.client()).get<AddressJson>(pathOf(text))
      session.show(found, `address ${found.Address} belongs to account ${found.Account}`)
    })
  address
    .command('update <address> <account>')
    .description('move an address to another account')
    .action(async (text: string, account: string) => {
      const moved = await (await session.client()).patch<AddressJson>(pathOf(text), { Account: account })
      session.show(moved, `address ${moved.Address} belongs to account ${moved.Account} now`)
    })
  address
    .command('remove <address>')
    .description('take an address away')
    .action(async (text: string) => {
      await (await session.client()).remove(pathOf(text))
      session.show({}, `address ${text} removed`)
    })
}

function pathOf(text: string): string {
  return `/addresses/${encodeURIComponent(text)}`
}
