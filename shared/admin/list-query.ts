import type { Context } from 'hono'
import * as z from 'zod/mini'
import type { AccountName, Options } from '../account/options.ts'
import type { AttemptRow } from '../attempts/attempt-row.ts'
import { listRows } from '../attempts/list-rows.ts'
import {
  comparePlaces,
  type ListName,
  type RowLists,
  type RowName,
  type RowOrder,
  type RowPlace,
} from '../attempts/row-lists.ts'
import { parseTimeFilter, type TimeFilter } from '../attempts/time-filter.ts'
import { formatInstant, type Instant, parseInstant } from '../base/clock.ts'
import { parseRowId } from '../base/row-id.ts'
import { answer, RequestError } from './request.ts'

const MOST_ROWS = 1000
/** A filter that matches little reads no more than this for one answer; the answer says where to go on. */
const MOST_READ = 5_000
/** `limit`, from 1 to {@link MOST_ROWS}. */
export const limitField = z._default(
  z
    .string()
    .check(
      z.refine(
        (text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MOST_ROWS,
        `must be a whole number from 1 to ${MOST_ROWS}`,
      ),
    ),
  '100',
)

/** What the query string of the simplest lists may hold. */
export const listQuery = z.strictObject({ account: z.optional(z.string()), limit: limitField })

/** `true` or `false`. */
export const flagField = z.enum(['true', 'false'])

/** What the query string of every list may hold besides its filter. */
export const pageFields = {
  account: z.optional(z.string()),
  ids: z.optional(z.string()),
  limit: limitField,
  asc: z.optional(flagField),
  last: z.optional(z.string()),
  lastid: z.optional(z.string()),
  lastaccount: z.optional(z.string()),
}

/** The fields of {@link pageFields}, read. */
export interface PageQuery {
  readonly account?: string | undefined
  readonly limit: string
  readonly sort?: string | undefined
  readonly asc?: 'true' | 'false' | undefined
  readonly last?: string | undefined
  readonly lastid?: string | undefined
  readonly lastaccount?: string | undefined
}

/** Which lists, how they are sorted without a wish, and what is shown of them. */
interface Shown<Row> {
  readonly lists: readonly ListName[]
  /** The sort that goes by id, which is the time of queueing. */
  readonly sortById: string
  readonly ascending: boolean
  /** Only these, where they were named. */
  readonly names?: readonly RowName[] | undefined
  readonly matches: (row: Row) => boolean
  readonly json: (row: Row) => object
}

/** Answers one page; where there is more, the header field Link names the next one (RFC 8288). */
export async function answerPage<Row extends AttemptRow>(
  context: Context,
  lists: RowLists<Row>,
  options: Options,
  query: PageQuery,
  shown: Shown<Row>,
): Promise<Response> {
  const order: RowOrder = {
    by: query.sort === shown.sortById ? 'id' : 'time',
    ascending: query.asc === undefined ? shown.ascending : query.asc === 'true',
  }
  if (shown.names) {
    const rows = (await lists.readMany(shown.names)).filter(shown.matches)
    const sorted = rows.toSorted((one, other) => comparePlaces(order, placeOf(one), placeOf(other)))
    return answer(context, sorted.map(shown.json))
  }
  const after = readPlace(query, order)
  const page = await listRows(lists, {
    accounts: accountNames(options, query.account),
    lists: shown.lists,
    order,
    ...(after && { after }),
    limit: Number(query.limit),
    mostRead: MOST_READ,
    matches: shown.matches,
  })
  if (page.next) context.header('Link', `<?${nextPage(context, page.next)}>; rel="next"`)
  return answer(context, page.rows.map(shown.json))
}

/** Where a row stands that was not found by a list. */
function placeOf({ account, id, nextAt, retired }: AttemptRow): RowPlace {
  return { account, id, at: retired?.lastActivityAt ?? nextAt }
}

/** The named account, or all; throws {@link RequestError}. */
export function accountNames(
  { accounts }: Pick<Options, 'accounts'>,
  account: string | undefined,
): readonly AccountName[] {
  if (account === undefined) return Object.keys(accounts).sort()
  if (Object.hasOwn(accounts, account)) return [account]
  throw new RequestError('account', `there is no account ${JSON.stringify(account)}`)
}

/** Reads a time filter; throws {@link RequestError}. */
export function readTimeFilter(
  field: string,
  text: string | undefined,
  now: Instant,
): TimeFilter | undefined {
  if (text === undefined) return undefined
  const filter = parseTimeFilter(text, now)
  if (filter) return filter
  throw new RequestError(
    field,
    'must be < or > and a time: now, a duration from now such as -1h30m, or RFC 3339',
  )
}

/** mox pages by the last row's time and ID; without its account, rows of the same time and ID are passed over. */
function readPlace({ last, lastid, lastaccount }: PageQuery, { ascending }: RowOrder): RowPlace | undefined {
  if (last === undefined && lastid === undefined) return undefined
  const id = parseRowId(lastid ?? '')
  if (id === undefined) throw new RequestError('lastid', 'must be the ID of the last row')
  const at = readInstant(last ?? '')
  if (at === undefined)
    throw new RequestError('last', 'must be the time of the last row, as RFC 3339 writes it')
  return { at, id, account: lastaccount ?? (ascending ? '\uffff' : '') }
}

function readInstant(text: string): Instant | undefined {
  if (!/^\d{4}-\d\d-\d\d[Tt]/.test(text) || Number.isNaN(Date.parse(text))) return undefined
  return parseInstant(text)
}

function nextPage(context: Context, { at, id, account }: RowPlace): string {
  const place = { last: formatInstant(at), lastid: String(id), lastaccount: account }
  return new URLSearchParams({ ...context.req.query(), ...place }).toString()
}
