/** Characters of a text in a report; domain names have 253. */
const LONGEST_TEXT = 255
const MOST_ROWS = 500
/** Octets of JSON; the item that holds the rows may have 400 KB. */
const MOST_OCTETS = 250_000

/** A text of a stranger as it is kept: without control characters, and cut. */
export function boundedText(text: string): string {
  return text
    .slice(0, 4 * LONGEST_TEXT)
    .toWellFormed()
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, LONGEST_TEXT)
    .toWellFormed()
}

/** Says which rows of a report are kept: the first 500, fewer when they are large. */
export class RowBound {
  /** How many were not taken. */
  omitted = 0
  #taken = 0
  #octets = 0

  takes(row: object): boolean {
    const octets = Buffer.byteLength(JSON.stringify(row))
    const isTaken = this.omitted === 0 && this.#taken < MOST_ROWS && this.#octets + octets <= MOST_OCTETS
    if (isTaken) {
      this.#taken += 1
      this.#octets += octets
    } else this.omitted += 1
    return isTaken
  }
}
