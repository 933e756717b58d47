import { tooLarge } from './mail-parameters.ts'
import type { Refusal } from './refusal.ts'

/** How much content all sessions together may hold in memory, in octets. */
export class ContentMemory {
  #free: number

  constructor(octets: number) {
    this.#free = octets
  }

  /** Whether that much is free now. */
  hasRoomFor(octets: number): boolean {
    return octets <= this.#free
  }

  /** False, and nothing is taken, when there is not so much. */
  take(octets: number): boolean {
    if (octets > this.#free) return false
    this.#free -= octets
    return true
  }

  giveBack(octets: number): void {
    this.#free += octets
  }
}

/** RFC 5321 §4.2.3; the client comes again. */
export const NO_MEMORY: Refusal = {
  code: 452,
  enhancedCode: '4.3.1',
  text: 'too many messages at the same time, try again later',
}

const FIRST_BLOCK = 16_384
const LARGEST_BLOCK = 262_144

/**
 * The content of a message while it comes in. It lies in blocks of our own: the pieces that the network brings may
 * be an octet each, with a hundred octets of bookkeeping. Once it is refused the rest is read and dropped.
 */
export class IncomingContent {
  readonly #memory: ContentMemory
  readonly #maxSize: number
  #blocks: Buffer[] = []
  /** Octets in the last block. */
  #filled = 0
  #held = 0
  #size = 0
  #refusal: Refusal | undefined

  constructor(memory: ContentMemory, maxSize: number) {
    this.#memory = memory
    this.#maxSize = maxSize
  }

  get refusal(): Refusal | undefined {
    return this.#refusal
  }

  append(piece: Buffer): void {
    this.#size += piece.length
    if (this.#size > this.#maxSize) this.refuse(tooLarge(this.#maxSize))
    for (let rest = piece; rest.length > 0 && !this.#refusal; ) {
      rest = rest.subarray(this.#copy(rest))
    }
  }

  /** The first reason stays. */
  refuse(refusal: Refusal): void {
    this.#refusal ??= refusal
    this.release()
  }

  /**
   * The whole content, which must be released when it is done with; or why it is not taken. Between two blocks
   * others have their turn: a hundred megabytes take a while to copy.
   */
  async whole(othersTurn: () => Promise<unknown>): Promise<Buffer | Refusal> {
    if (this.#refusal) return this.#refusal
    const last = this.#blocks.at(-1)?.subarray(0, this.#filled) ?? Buffer.alloc(0)
    if (this.#blocks.length < 2) return last
    // For a moment both the blocks and what they make up are there.
    if (!this.#memory.take(this.#size)) return NO_MEMORY
    this.#held += this.#size
    const whole = Buffer.allocUnsafeSlow(this.#size)
    let filled = 0
    for (const block of [...this.#blocks.slice(0, -1), last]) {
      filled += block.copy(whole, filled)
      await othersTurn()
    }
    this.#giveBack(this.#held - this.#size)
    return whole
  }

  /** Gives the memory back; it may be called twice. */
  release(): void {
    this.#giveBack(this.#held)
  }

  /** That much, and all blocks. */
  #giveBack(octets: number): void {
    this.#memory.giveBack(octets)
    this.#held -= octets
    this.#blocks = []
    this.#filled = 0
  }

  /** How much of the piece went into the open block; when there is none to be had, the message is refused. */
  #copy(piece: Buffer): number {
    const block = this.#openBlock()
    if (!block) this.refuse(NO_MEMORY)
    const copied = block ? piece.copy(block, this.#filled) : 0
    this.#filled += copied
    return copied
  }

  /** The block with room in it, a new one twice the size of the last when that is full. */
  #openBlock(): Buffer | undefined {
    const last = this.#blocks.at(-1)
    if (last && this.#filled < last.length) return last
    const size = Math.min(last ? last.length * 2 : FIRST_BLOCK, LARGEST_BLOCK)
    if (!this.#memory.take(size)) return undefined
    this.#held += size
    const block = Buffer.allocUnsafeSlow(size)
    this.#blocks.push(block)
    this.#filled = 0
    return block
  }
}
