/** Long polls that wait for something to happen on a queue. */
export class QueueWaiters {
  readonly #waiting = new Map<number, Set<() => void>>()

  /** Resolves at the next `wake` of the queue, or after `milliseconds`. */
  wait(queueId: number, milliseconds: number): Promise<void> {
    const waiting = this.#waiting.get(queueId) ?? new Set()
    this.#waiting.set(queueId, waiting)
    return new Promise((resolve) => {
      const stop = () => {
        clearTimeout(timer)
        waiting.delete(stop)
        resolve()
      }
      const timer = setTimeout(stop, milliseconds)
      waiting.add(stop)
    })
  }

  wake(queueId: number): void {
    for (const stop of this.#waiting.get(queueId) ?? []) stop()
  }

  wakeAll(): void {
    for (const queueId of this.#waiting.keys()) this.wake(queueId)
  }
}
