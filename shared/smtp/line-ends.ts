/** Watches content that comes in chunks (RFC 3030) for a CR or LF that stands alone (RFC 5321 §2.3.8). */
export class LineEnds {
  #endsInCr = false
  #hasBare = false

  read(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    if (this.#hasBare || bytes.length === 0) return
    // A CR at the end of the last piece needs the LF at once, and no other LF may come first.
    this.#hasBare = this.#endsInCr !== (bytes[0] === 0x0a) || hasBareWithin(bytes)
    this.#endsInCr = bytes.at(-1) === 0x0d
  }

  /** Whether one was found; `isEnd` says that nothing follows. */
  hasBare(isEnd: boolean): boolean {
    return this.#hasBare || (isEnd && this.#endsInCr)
  }
}

function hasBareWithin(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(0x0a, 1); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at - 1] !== 0x0d) return true
  }
  for (let at = bytes.indexOf(0x0d); at !== -1 && at < bytes.length - 1; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] !== 0x0a) return true
  }
  return false
}
