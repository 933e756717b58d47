import type { AccountName } from '../account/options.ts'
import type { AttemptRow } from '../attempts/attempt-row.ts'
import type { RowLists, RowName } from '../attempts/row-lists.ts'
import { parseRowId } from '../base/row-id.ts'
import { NotFoundError, RequestError } from './request.ts'

/** The most rows that one request may name. */
const MOST_NAMES = 500

/**
 * Reads the names of rows, each once: `shop/8461…`, or the id alone where only one account has such a row. Throws
 * {@link RequestError} for a text that names no row, and for an id that several accounts have.
 */
export async function readNames(
  lists: RowLists<AttemptRow>,
  accounts: readonly AccountName[],
  field: string,
  texts: readonly (string | number)[],
): Promise<readonly RowName[]> {
  if (texts.length > MOST_NAMES) throw new RequestError(field, `must be at most ${MOST_NAMES} names`)
  const names = await Promise.all(texts.map((text) => readName(lists, accounts, field, String(text))))
  return [...new Map(names.map((name) => [`${name.account}/${name.id}`, name])).values()]
}

async function readName(
  lists: RowLists<AttemptRow>,
  accounts: readonly AccountName[],
  field: string,
  text: string,
): Promise<RowName> {
  const [, account, digits = ''] = /^(?:([^/]+)\/)?(\d+)$/.exec(text) ?? []
  const id = parseRowId(digits)
  if (id === undefined)
    throw new RequestError(field, `${JSON.stringify(text)} is no ID, such as shop/846103…`)
  if (account !== undefined) return { account, id }
  const candidates = await lists.readMany(accounts.map((name) => ({ account: name, id })))
  const [only, another] = candidates
  if (another) {
    const names = candidates.map((row) => `${row.account}/${row.id}`).join(', ')
    throw new RequestError(field, `${id} may be ${names}; name the account too`)
  }
  // An absent row matches nothing, whatever the account.
  return { account: only?.account ?? accounts[0] ?? '', id }
}

/** The row of that name; throws {@link NotFoundError}. */
export async function existingRow<Row extends AttemptRow>(
  lists: RowLists<Row>,
  accounts: readonly AccountName[],
  text: string,
): Promise<Row> {
  const [name] = await readNames(lists, accounts, 'ID', [text])
  const [row] = name ? await lists.readMany([name]) : []
  if (!row) throw new NotFoundError(`there is no ${text}`)
  return row
}
