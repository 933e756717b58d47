import type { Process } from './queue-model.ts'
import type { Answer } from './queue-rules.ts'
import type { RealProcess } from './world.ts'

/** So many gates a process passes before it is left standing; `all` ends it. */
export type Gates = number | 'all'

/** A process twice: the product's, and the model's, which says at which gate the other has to stand. */
export interface Pair {
  readonly real: RealProcess
  readonly model: Process
  /** Undefined when it has ended. */
  gate: string | undefined
}

/** The processes of the product and those of the model, side by side. */
export class LockStep {
  /** Those that stand at a gate, oldest first: they go on, or nobody knows that they are dead. */
  readonly standing: Pair[] = []

  async start(real: RealProcess, model: Process, gates: Gates, answers: readonly Answer[]): Promise<Pair> {
    const pair: Pair = { real, model, gate: gateOf(model.next()) }
    this.standing.push(pair)
    await real.process.reach(pair.gate)
    await this.advance(pair, gates, answers)
    return pair
  }

  async advance(pair: Pair, gates: Gates, answers: readonly Answer[]): Promise<void> {
    const { real, model } = pair
    for (let passed = 0; pair.gate !== undefined && (gates === 'all' || passed < gates); passed++) {
      const ids = real.ids?.() ?? []
      await real.process.pass(pair.gate, { answers })
      pair.gate = gateOf(model.next({ answers, ids }))
      await real.process.reach(pair.gate)
    }
    if (pair.gate === undefined) this.#forget(pair)
  }

  /** Ends it where it stands; a Send perhaps between two of its rows. */
  async die(pair: Pair, rowsWritten: number): Promise<void> {
    const { real, model } = pair
    const ids = real.ids?.() ?? []
    if (pair.gate === 'rows' && rowsWritten < ids.length) {
      await real.process.pass('rows', { answers: [], partly: rowsWritten })
      model.next({ answers: [], ids: ids.slice(0, rowsWritten) })
    }
    await real.process.kill()
    this.#forget(pair)
  }

  async killAll(): Promise<void> {
    for (const pair of [...this.standing]) await this.die(pair, 0)
  }

  #forget(pair: Pair): void {
    const place = this.standing.indexOf(pair)
    if (place >= 0) this.standing.splice(place, 1)
  }
}

function gateOf(next: IteratorResult<string, void>): string | undefined {
  return next.done ? undefined : next.value
}
