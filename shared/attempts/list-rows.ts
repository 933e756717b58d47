import { inGroups } from '../base/in-groups.ts'
import type { AttemptRow } from './attempt-row.ts'
import {
  comparePlaces,
  type ListName,
  type RowLists,
  type RowName,
  type RowOrder,
  type RowPlace,
} from './row-lists.ts'

/** What to list, of whom, and how much of it. */
export interface Listing<Row extends AttemptRow> {
  readonly accounts: readonly string[]
  readonly lists: readonly ListName[]
  readonly order: RowOrder
  /** The page begins strictly after this place. */
  readonly after?: RowPlace
  readonly limit: number
  /** Rows that it does not hold for are left out. */
  readonly matches: (row: Row) => boolean
  /** The most rows that are read for one page: a filter that matches little must not run for minutes. */
  readonly mostRead: number
}

/** A page, and where the next one begins; without `next` there is nothing more. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  /** How many rows were looked at. */
  readonly read: number
  readonly next?: RowPlace
}

/** Places that are asked for at first, of each account: about what one read unit holds. */
const FIRST_BATCH = 20
const ACCOUNTS_AT_ONCE = 25
const MOST_READ_AT_ONCE = 100

/**
 * One page of a list over any number of accounts. Each account's part is sorted already; the parts are merged
 * as far as the page needs, and only then are rows read. So the cost is that of the page, plus one query for each account and list.
 */
export async function listRows<Row extends AttemptRow>(
  ports: RowLists<Row>,
  listing: Listing<Row>,
): Promise<Page<Row>> {
  const sources = await openSources(ports, listing)
  const found: Row[] = []
  const seen = new Set<string>()
  let read = 0
  for (;;) {
    const wanted = Math.min(MOST_READ_AT_ONCE, listing.limit - found.length, listing.mostRead - read)
    const places = await takeNext(sources, listing.order, wanted)
    const last = places.at(-1)
    if (!last) return { rows: found, read }
    const rows = await ports.readMany(places.filter((place) => isFirst(seen, place)))
    found.push(...rows.filter(listing.matches))
    read += places.length
    if (found.length >= listing.limit || read >= listing.mostRead) {
      return { rows: found, read, ...(hasMore(sources) && { next: last }) }
    }
  }
}

/** A row that changes while its lists are read may stand in two places, for a moment. */
function isFirst(seen: Set<string>, { account, id }: RowName): boolean {
  const name = `${account}/${id}`
  const isNew = !seen.has(name)
  seen.add(name)
  return isNew
}

/** One sorted part: what was fetched of it and not taken yet, and the rest. */
interface Source {
  waiting: RowPlace[]
  readonly rest: AsyncIterableIterator<readonly RowPlace[]>
  isAtEnd: boolean
}

async function openSources<Row extends AttemptRow>(
  ports: RowLists<Row>,
  listing: Listing<Row>,
): Promise<readonly Source[]> {
  const { accounts, lists, order, after, limit } = listing
  const parts = accounts.flatMap((account) => lists.map((list) => ({ account, list })))
  const batch = accounts.length === 1 ? Math.min(limit, MOST_READ_AT_ONCE) : Math.min(limit, FIRST_BATCH)
  return await inGroups(parts, ACCOUNTS_AT_ONCE, async ({ account, list }) => {
    const rest = ports.places(list, account, order, after, batch)
    return await refilled({ waiting: [], rest, isAtEnd: false }, listing)
  })
}

/** The same source with something waiting, unless it is at its end. */
async function refilled(
  source: Source,
  { order, after }: Pick<Listing<AttemptRow>, 'order' | 'after'>,
): Promise<Source> {
  while (source.waiting.length === 0 && !source.isAtEnd) {
    const { value, done } = await source.rest.next()
    source.isAtEnd = done === true
    source.waiting = (value ?? []).filter(
      (place: RowPlace) => !after || comparePlaces(order, place, after) > 0,
    )
  }
  return source
}

/** The next places of all sources together. */
async function takeNext(
  sources: readonly Source[],
  order: RowOrder,
  count: number,
): Promise<readonly RowPlace[]> {
  const taken: RowPlace[] = []
  while (taken.length < count) {
    const source = firstOf(sources, order)
    const place = source?.waiting.shift()
    if (!source || !place) break
    taken.push(place)
    await refilled(source, { order })
  }
  return taken
}

function firstOf(sources: readonly Source[], order: RowOrder): Source | undefined {
  let first: Source | undefined
  for (const source of sources) {
    const [place] = source.waiting
    if (!place) continue
    const [best] = first?.waiting ?? []
    if (!best || comparePlaces(order, place, best) < 0) first = source
  }
  return first
}

function hasMore(sources: readonly Source[]): boolean {
  return sources.some((source) => source.waiting.length > 0)
}
