/**
 * Makes one at a time of what would collide: work under one key waits for the work before it, and all that waits
 * by then is done together, at most `most` of it. `work` answers one result for each input, in their order.
 */
export function inTurns<Input, Result>(
  most: number,
  work: (inputs: readonly Input[]) => Promise<readonly Result[]>,
): (key: string, input: Input) => Promise<Result> {
  const waiting = new Map<string, Waiter<Input, Result>[]>()

  async function run(key: string, queue: Waiter<Input, Result>[]): Promise<void> {
    while (queue.length > 0) {
      const turn = queue.slice(0, most)
      try {
        const results = await work(turn.map((waiter) => waiter.input))
        turn.forEach((waiter, place) => {
          waiter.resolve(results[place] as Result)
        })
      } catch (error) {
        for (const waiter of turn) waiter.reject(error)
      }
      queue.splice(0, turn.length)
    }
    waiting.delete(key)
  }

  return (key, input) =>
    new Promise((resolve, reject) => {
      const queue = waiting.get(key)
      if (queue) {
        queue.push({ input, resolve, reject })
        return
      }
      const first = [{ input, resolve, reject }]
      waiting.set(key, first)
      void run(key, first)
    })
}

interface Waiter<Input, Result> {
  readonly input: Input
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}
