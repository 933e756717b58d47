/** Runs `act` when the process is let through the gate of that name. */
export type Gate<Passage> = <Result>(
  name: string,
  act: (passage: Passage) => Promise<Result>,
) => Promise<Result>

/** What a process meets at every gate once it is dead. */
export class Killed extends Error {}

interface Stop<Passage> {
  readonly go: (passage: Passage) => void
  readonly die: (error: Killed) => void
  /** Its write has been made. */
  readonly done: PromiseWithResolvers<void>
}

/** How long one of several parallel writes may be behind the others. */
const PARALLEL_MS = 2_000
const LONGEST_MS = 20_000

/**
 * Real code that stops at gates, so that a test decides what happens between any two of its writes: it goes on
 * much later, or never.
 */
export class GatedProcess<Passage> {
  readonly #stops = new Map<string, Stop<Passage>>()
  readonly #finished: Promise<void>
  #end: { readonly error?: unknown } | undefined
  #isDead = false
  #changed = Promise.withResolvers<void>()

  constructor(run: (gate: Gate<Passage>) => Promise<unknown>) {
    this.#finished = run((name, act) => this.#gate(name, act)).then(
      () => this.#ended({}),
      (error: unknown) => this.#ended({ error }),
    )
  }

  /** Resolves when it stands at that gate, or has ended where that is expected; throws where it does anything else. */
  async reach(expected: string | undefined): Promise<void> {
    const begunAt = performance.now()
    for (;;) {
      if (this.#end?.error) throw this.#end.error
      if (this.#end ? expected === undefined : expected !== undefined && this.#stops.has(expected)) return
      const waited = performance.now() - begunAt
      const isParallel =
        waited < PARALLEL_MS && [...this.#stops.keys()].some((name) => areAlike(name, expected))
      const isElsewhere = this.#end || (this.#stops.size > 0 && !isParallel)
      if (isElsewhere || waited > LONGEST_MS) throw new Error(this.#whereabouts(expected))
      await Promise.race([this.#changed.promise, after(100)])
    }
  }

  /** Lets it through the gate that it stands at; resolves when the write behind it is made. */
  async pass(name: string, passage: Passage): Promise<void> {
    const stop = this.#stops.get(name)
    if (!stop) throw new Error(this.#whereabouts(name))
    this.#stops.delete(name)
    stop.go(passage)
    await stop.done.promise
  }

  /** Ends it where it is: from now on it writes nothing. */
  async kill(): Promise<void> {
    this.#isDead = true
    for (const { die } of this.#stops.values()) die(new Killed())
    await this.#finished
  }

  async #gate<Result>(name: string, act: (passage: Passage) => Promise<Result>): Promise<Result> {
    if (this.#isDead) throw new Killed()
    const stop = Promise.withResolvers<Passage>()
    const done = Promise.withResolvers<void>()
    this.#stops.set(name, { go: stop.resolve, die: stop.reject, done })
    this.#notify()
    const passage = await stop.promise
    try {
      return await act(passage)
    } finally {
      done.resolve()
    }
  }

  #ended(end: { readonly error?: unknown }): void {
    this.#end = end
    this.#notify()
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  #whereabouts(expected = 'its end'): string {
    const place = this.#end ? 'its end' : [...this.#stops.keys()].join(', ') || 'no gate'
    return `a process is to stand at ${expected}, and stands at ${place}`
  }
}

/** Whether they stand before the same write of several messages, which the product makes in any order. */
function areAlike(name: string, other: string | undefined): boolean {
  return name.split(' ')[0] === other?.split(' ')[0]
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
}
