import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AttemptRow } from '../../../shared/attempts/attempt-row.ts'
import { type Listing, listRows } from '../../../shared/attempts/list-rows.ts'
import type { ListName, RowLists, RowOrder, RowPlace } from '../../../shared/attempts/row-lists.ts'
import { type RowId, rowIdAt } from '../../../shared/base/row-id.ts'
import { listsOver } from '../../support/row-lists.ts'

const at = Date.UTC(2026, 5, 1)
const ACCOUNTS = ['a', 'b', 'c']

/** A row that waits; `place` makes its id. */
function row(account: string, place: number, more: Partial<AttemptRow> = {}): AttemptRow {
  const id = rowIdAt(at, place)
  return { account, id, state: 'waiting', attempts: 0, queuedAt: at, nextAt: at, results: [], ...more }
}

function retired(account: string, place: number, lastActivityAt: number): AttemptRow {
  const end = { success: true, lastActivityAt, keepUntil: at + 1 }
  return { ...row(account, place), state: 'done', retired: end }
}

const hold = { reason: 'x', since: at }
/** Times and ids repeat, within an account and across them; ids do not run as times do. */
const waiting = ACCOUNTS.flatMap((account) => [
  row(account, 1, { nextAt: at + 5 }),
  row(account, 2, { nextAt: at + 5, hold }),
  row(account, 3, { nextAt: at + 5 }),
  row(account, 4, { nextAt: at }),
  row(account, account === 'b' ? 50 : 5, { nextAt: at + 1, hold }),
])
const finished = ACCOUNTS.flatMap((account) =>
  [9, 9, 2, 9].map((after, place) => retired(account, place + 101, at + after)),
)

function listing<Row extends AttemptRow>(more: Partial<Listing<Row>> = {}): Listing<Row> {
  return {
    accounts: ACCOUNTS,
    lists: ['active', 'held'],
    order: { by: 'time', ascending: true },
    limit: 100,
    mostRead: 1000,
    matches: () => true,
    ...more,
  }
}

/** Every page, one after the other, of `limit` rows each. */
async function pages(lists: RowLists<AttemptRow>, wanted: Listing<AttemptRow>): Promise<AttemptRow[][]> {
  const found: AttemptRow[][] = []
  let after: RowPlace | undefined
  do {
    const page = await listRows(lists, { ...wanted, ...(after && { after }) })
    found.push([...page.rows])
    after = page.next
  } while (after)
  return found
}

function names(rows: readonly AttemptRow[]): readonly string[] {
  return rows.map(({ account, id }) => `${account}/${id - rowIdAt(at, 0)}`)
}

/** The order of the specification, written without the code's: time, then id, then account. */
function sorted(rows: readonly AttemptRow[], { by, ascending }: RowOrder): readonly AttemptRow[] {
  const key = (each: AttemptRow) => {
    const time = by === 'time' ? (each.retired?.lastActivityAt ?? each.nextAt) : 0
    return `${String(time).padStart(20, '0')} ${String(each.id).padStart(20, '0')} ${each.account}`
  }
  const inOrder = [...rows].sort((one, other) => (key(one) < key(other) ? -1 : 1))
  return ascending ? inOrder : inOrder.reverse()
}

const all: readonly { name: string; rows: readonly AttemptRow[]; lists: readonly ListName[] }[] = [
  { name: 'rows that wait', rows: waiting, lists: ['active', 'held'] },
  { name: 'rows on hold', rows: waiting.filter(({ hold: held }) => held), lists: ['held'] },
  { name: 'retired rows', rows: finished, lists: ['retired'] },
]
for (const { name, rows, lists } of all) {
  for (const by of ['time', 'id'] as const) {
    for (const ascending of [true, false]) {
      for (const limit of [1, 2, 4, 100]) {
        test(`AT-43: ${name} by ${by} ${ascending ? 'forward' : 'backward'}, ${limit} a page, are exactly the list`, async () => {
          const order = { by, ascending }
          const found = await pages(
            listsOver(() => [...waiting, ...finished]),
            listing({ lists, order, limit }),
          )
          assert.deepEqual(names(found.flat()), names(sorted(rows, order)))
          assert.ok(found.every((page) => page.length <= limit))
        })
      }
    }
  }
}

describe('a page', () => {
  test('begins strictly after a place, also where the row of that place is gone', async () => {
    const rows = waiting.filter((each) => each !== waiting[2])
    const gone = { account: 'a', id: rowIdAt(at, 3), at: at + 5 }
    const page = await listRows(
      listsOver(() => rows),
      listing({ after: gone }),
    )
    assert.deepEqual(names(page.rows), ['b/3', 'c/3'])
  })

  test('is full of rows that match, and the next one goes on behind the last that was read', async () => {
    const matches = ({ id }: AttemptRow) => id === rowIdAt(at, 3)
    const lists = listsOver(() => waiting)
    const first = await listRows(lists, listing({ matches, limit: 2 }))
    assert.deepEqual(names(first.rows), ['a/3', 'b/3'])
    const { next } = first
    assert.ok(next)
    assert.deepEqual(names((await listRows(lists, listing({ matches, limit: 2, after: next }))).rows), [
      'c/3',
    ])
  })

  test('of a filter that matches little ends after so many rows, and says where to go on', async () => {
    const lists = listsOver(() => waiting)
    const page = await listRows(lists, listing({ matches: () => false, mostRead: 4 }))
    assert.deepEqual([page.rows, page.read], [[], 4])
    assert.deepEqual(page.next, { account: 'a', id: rowIdAt(at, 5), at: at + 1 })
  })

  test('that ends with the last row has no next one', async () => {
    const page = await listRows(
      listsOver(() => waiting),
      listing({ limit: waiting.length }),
    )
    assert.equal(page.rows.length, waiting.length)
    assert.equal(page.next, undefined)
  })

  test('leaves out rows that nobody may see, and is filled up by others', async () => {
    const lists = listsOver(() => waiting)
    const readMany: typeof lists.readMany = async (wanted) =>
      (await lists.readMany(wanted)).filter(({ id }) => id !== rowIdAt(at, 4))
    const page = await listRows({ ...lists, readMany }, listing({ limit: 2 }))
    assert.deepEqual(names(page.rows), ['a/5', 'c/5'])
  })

  test('of no account is empty', async () => {
    const page = await listRows(
      listsOver(() => waiting),
      listing({ accounts: [] }),
    )
    assert.deepEqual(page, { rows: [], read: 0 })
  })

  test('has a row once that moves from one list to another meanwhile', async () => {
    const lists = listsOver(() => waiting)
    const asked: string[][] = []
    const moved: RowLists<AttemptRow> = {
      async *places(list, account, order, from, batch) {
        yield* lists.places(list, account, order, from, batch)
        // As if it had been released, and put off, after its place on hold was read.
        if (list === 'active' && account === 'a') yield [{ account, id: rowIdAt(at, 2), at: at + 5 }]
        if (list === 'active' && account === 'b') yield [{ account, id: rowIdAt(at, 2), at: at + 9 }]
      },
      // DynamoDB refuses a batch that names an item twice.
      readMany: async (wanted) => {
        asked.push(wanted.map(({ account, id }) => `${account}/${id}`))
        return await lists.readMany(wanted)
      },
    }
    const page = await listRows(moved, listing())
    assert.equal(page.rows.length, waiting.length)
    assert.equal(new Set(asked.flat()).size, asked.flat().length)
  })
})

test('the cost of a page is that of its rows, not of the queue', async () => {
  const many = Array.from({ length: 4_000 }, (_, place) => row('a', place, { nextAt: at + place }))
  const lists = listsOver(() => many)
  let read = 0
  let asked = 0
  const counted: RowLists<AttemptRow> = {
    async *places(...query) {
      for await (const batch of lists.places(...query)) {
        asked += batch.length
        yield batch
      }
    },
    readMany: async (wanted) => {
      read += wanted.length
      return await lists.readMany(wanted)
    },
  }
  const page = await listRows(counted, listing({ accounts: ['a'], lists: ['active'], limit: 20 }))
  assert.deepEqual([page.rows.length, read], [20, 20])
  assert.ok(asked <= 40, String(asked))
  assert.equal(page.next?.id, rowIdAt(at, 19) as RowId)
})
