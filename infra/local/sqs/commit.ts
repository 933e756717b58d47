import type { DatabaseSync } from 'node:sqlite'

interface Job {
  /** Runs inside the open transaction; the answer is delivered only once that is durable. */
  run(): () => void
  fail(error: unknown): void
}

/**
 * Group commit: works asked for within one turn of the event loop share one transaction, so concurrent callers
 * share its one fsync. A work that throws undoes its own writes only.
 */
export class GroupCommit {
  readonly #database: DatabaseSync
  #jobs: Job[] = []

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Runs `work` and answers its result once it is on disk. */
  commit<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#jobs.length === 0) setImmediate(() => this.flush())
      this.#jobs.push({
        run: () => {
          const outcome = this.#attempt(work)
          return () => (outcome.ok ? resolve(outcome.value) : reject(outcome.error))
        },
        fail: reject,
      })
    })
  }

  /** Commits what is waiting, now. */
  flush(): void {
    const jobs = this.#jobs
    this.#jobs = []
    if (jobs.length === 0) return
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const answers = jobs.map((job) => job.run())
      this.#database.exec('COMMIT')
      for (const answer of answers) answer()
    } catch (error) {
      if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec('ROLLBACK')
      for (const job of jobs) job.fail(error)
    }
  }

  #attempt<T>(work: () => T): { ok: true; value: T } | { ok: false; error: unknown } {
    this.#database.exec('SAVEPOINT work')
    try {
      const value = work()
      this.#database.exec('RELEASE work')
      return { ok: true, value }
    } catch (error) {
      this.#database.exec('ROLLBACK TO work; RELEASE work')
      return { ok: false, error }
    }
  }
}
