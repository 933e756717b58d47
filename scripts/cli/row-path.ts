import { CliError } from './cli-error.ts'

/** A row's name, `account/ID` or the ID alone, as part of a path; throws {@link CliError}. */
export function rowPath(name: string): string {
  const [, account, id] = /^(?:([^/]+)\/)?(\d+)$/.exec(name) ?? []
  if (id === undefined) throw new CliError(`${JSON.stringify(name)} is no ID: write account/ID, as lists do`)
  return account === undefined ? id : `${encodeURIComponent(account)}/${id}`
}
