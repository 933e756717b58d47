import type { AttemptRow } from '../../shared/attempts/attempt-row.ts'
import {
  comparePlaces,
  type ListName,
  type RowLists,
  type RowPlace,
} from '../../shared/attempts/row-lists.ts'

/** Lists over plain rows, as the indexes hold them. */
export function listsOver<Row extends AttemptRow>(rows: () => readonly Row[]): RowLists<Row> {
  return {
    async *places(list, account, order, _from, batch) {
      const places = rows()
        .filter((row) => row.account === account && listOf(row) === list)
        .map(placeOf)
        .toSorted((one, other) => comparePlaces(order, one, other))
      for (let start = 0; start < places.length; start += batch) yield places.slice(start, start + batch)
    },
    readMany: async (names) =>
      names.flatMap(({ account, id }) => rows().filter((row) => row.account === account && row.id === id)),
  }
}

function listOf(row: AttemptRow): ListName {
  if (row.state === 'done') return 'retired'
  return row.hold ? 'held' : 'active'
}

function placeOf({ account, id, nextAt, retired }: AttemptRow): RowPlace {
  return { account, id, at: retired?.lastActivityAt ?? nextAt }
}
