import type { Ask } from './ask-backend.ts'
import { readImages } from './faults-images.ts'
import type { Item } from './faults-item.ts'
import type { Draw } from './faults-random.ts'
import type { ShapeOf } from './faults-tables.ts'
import type { JsonObject } from './json-service.ts'

/** The images that a reader still sees of items, by key; undefined where it sees none. */
export type OldImages = ReadonlyMap<string, Item | undefined>

/** One write of one item. */
interface Write {
  readonly table: string
  readonly key: string
  readonly before: Item | undefined
  readonly writtenAt: number
  /** When the indexes show it. */
  readonly visibleAt: number
}

/** The last writes, and what was there before them. */
export interface History {
  /** Remembers a write that is about to be made; the result forgets it, for a write that was refused. */
  record(operation: string, input: JsonObject, ask: Ask): Promise<() => void>
  /** Images of the items whose last writes the table's indexes do not show yet. */
  unindexed(table: string): OldImages
  /** Images, before their last write, of the items written within the last two seconds. */
  justWritten(table: string): OldImages
}

const RECENT_MS = 2_000

/** Opens an empty history; each write is drawn a delay of up to `indexLagMs` until indexes show it. */
export function openHistory(options: {
  readonly indexLagMs: number
  readonly draw: Draw
  readonly now: () => number
  readonly shapeOf: ShapeOf
}): History {
  const { indexLagMs, draw, now, shapeOf } = options
  let writes: readonly Write[] = []

  return {
    async record(operation, input, ask) {
      const images = await readImages(operation, input, ask, shapeOf)
      const recentSince = now() - RECENT_MS
      const kept = writes.filter((write) => write.visibleAt > now() || write.writtenAt > recentSince)
      const added = images.map((image) => ({
        ...image,
        writtenAt: now(),
        visibleAt: now() + draw() * indexLagMs,
      }))
      writes = [...kept, ...added]
      return () => {
        writes = writes.filter((write) => !added.includes(write))
      }
    },

    unindexed(table) {
      const hidden = writes.filter((write) => write.table === table && write.visibleAt > now())
      // Of several, the first: an index shows the writes of one item in their order.
      return new Map(hidden.reverse().map(({ key, before }) => [key, before]))
    },

    justWritten(table) {
      const recent = writes.filter((write) => write.table === table && write.writtenAt > now() - RECENT_MS)
      return new Map(recent.map(({ key, before }) => [key, before]))
    },
  }
}
