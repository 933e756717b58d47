import { type Instant, SECOND } from '../base/clock.ts'

/**
 * Gives out times at which to come back for a turn. Each is the first at which there is one, by how far apart turns are
 * as it is given: where they come faster than they did, gaps between the times that were given out earlier fill up.
 */
export class TurnTimetable {
  /** How many times within each second were given out. */
  readonly #given = new Map<number, number>()

  /** From `from` on; undefined where that would be later than `latest`. */
  give(from: Instant, latest: Instant, apartMs: number): Instant | undefined {
    this.#forgetBefore(secondOf(from))
    let ahead = 0
    for (let second = secondOf(from); second * SECOND <= latest; second++) {
      ahead += this.#given.get(second) ?? 0
      const at = Math.max(second * SECOND, from + ahead * apartMs)
      if (at > latest) return undefined
      if (secondOf(at) > second) continue
      this.#given.set(second, (this.#given.get(second) ?? 0) + 1)
      return Math.round(at)
    }
    return undefined
  }

  /** These are over, or before the end of a pause: who comes back then is given another time. */
  #forgetBefore(second: number): void {
    for (const given of this.#given.keys()) if (given < second) this.#given.delete(given)
  }
}

function secondOf(instant: Instant): number {
  return Math.floor(instant / SECOND)
}
