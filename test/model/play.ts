import assert from 'node:assert/strict'
import type { Hint } from '../../shared/attempts/hint-channel.ts'
import { type RowId, rowIdAt } from '../../shared/base/row-id.ts'
import { compare, compareEnd } from './compare.ts'
import { type Gates, LockStep, type Pair } from './lock-step.ts'
import type { Message } from './model-message.ts'
import type { Move } from './moves.ts'
import { type Action, QueueModel } from './queue-model.ts'
import { type Answer, LEASE } from './queue-rules.ts'
import type { World } from './world.ts'

type MoveOf<Kind extends Move['kind']> = Extract<Move, { readonly kind: Kind }>

/** What an operator wanted, to be repeated as the same operation. */
interface Decree {
  readonly id: RowId
  readonly action: Action
  readonly by: RowId
}

const SECOND = 1_000
const DAY = 86_400_000
/** Eight attempts of each of some messages, and the messages that wait for days, take fewer. */
const MOST_ROUNDS = 300

/** Makes moves in the product and in the model, and compares what has come of each. */
export class Game {
  readonly #world: World
  readonly #model: QueueModel
  readonly #processes = new LockStep()
  readonly #decrees: Decree[] = []

  constructor(world: World) {
    this.#world = world
    this.#model = new QueueModel(world.clock.now())
  }

  /** Plays moves, and then to the end: everybody dies, and the sweep brings all messages to workers that live. */
  async play(moves: readonly Move[]): Promise<void> {
    try {
      for (const move of moves) {
        // Two moves never fall on the same millisecond, so that before and after are never in doubt.
        this.#wait(SECOND)
        await this.#make(move)
        await compare(this.#world, this.#model)
      }
      await this.#processes.killAll()
      await this.#drain()
      compareEnd(this.#model)
    } finally {
      await this.#processes.killAll()
    }
  }

  async #make(move: Move): Promise<unknown> {
    switch (move.kind) {
      case 'send':
        return await this.#send(move)
      case 'follow':
        return await this.#follow(move)
      case 'go on':
      case 'die':
        return await this.#continue(move)
      case 'act':
        return await this.#act(move)
      case 'repeat':
        return await this.#repeat(move)
      case 'wait':
        return this.#wait(move.byMs)
      case 'wait for':
        return this.#waitUntilFree(this.#pick(move.pick))
      case 'sweep':
        return await this.#sweep()
      case 'report':
        return await this.#report(move)
      case 'overtake':
        return await this.#overtake(move)
      case 'insist':
        return await this.#insist(move)
    }
  }

  #wait(milliseconds: number): void {
    this.#world.clock.advance(milliseconds)
    this.#model.now += milliseconds
  }

  #waitUntil(at: number): void {
    this.#wait(Math.max(0, at - this.#model.now))
  }

  /** Until it may be claimed, unless that is too far ahead. */
  #waitUntilFree(message: Message | undefined): void {
    if (!message || message.nextAt.to - this.#model.now > DAY) return
    this.#waitUntil(Math.max(message.nextAt.to, (message.lease?.endsAt ?? 0) + SECOND))
  }

  #pick(pick: number): Message | undefined {
    return pickOf([...this.#model.messages.values()], pick)
  }

  async #send({ recipients, hasFromId, releaseInMs, gates }: MoveOf<'send'>): Promise<void> {
    const releaseAt = this.#model.now + releaseInMs
    const real = this.#world.send({ recipients, hasFromId, releaseAt })
    await this.#processes.start(real, this.#model.send(recipients, hasFromId, releaseAt), gates, [])
  }

  async #follow({ hint, pick, off, gates, answers }: MoveOf<'follow'>): Promise<void> {
    const message = this.#pick(pick)
    const found = hint === 'sent' ? pickOf(this.#world.hints, pick) : message && this.#nextHint(message)
    if (found) await this.#work({ ...found, attempt: found.attempt + off }, gates, answers)
  }

  #nextHint({ id, attempts }: Message): Hint {
    return { account: this.#world.account, id: id as RowId, attempt: attempts + 1 }
  }

  async #work(hint: Hint, gates: Gates, answers: readonly Answer[]): Promise<Pair> {
    return await this.#processes.start(this.#world.work(hint), this.#model.work(hint), gates, answers)
  }

  async #continue(move: MoveOf<'go on' | 'die'>): Promise<void> {
    const pair = pickOf(this.#processes.standing, move.pick)
    if (!pair) return
    if (move.kind === 'die') await this.#processes.die(pair, move.rowsWritten)
    else await this.#processes.advance(pair, move.gates, move.answers)
  }

  async #act({ pick, action, gates }: MoveOf<'act'>): Promise<void> {
    const message = this.#pick(pick)
    if (!message) return
    const { now } = this.#model
    const isAt = action.kind === 'schedule'
    const decree: Decree = {
      id: message.id as RowId,
      action: isAt ? { kind: 'schedule', at: now + action.byMs } : action,
      by: rowIdAt(now, 0),
    }
    this.#decrees.push(decree)
    await this.#carryOut(decree, gates)
  }

  async #repeat({ pick, gates }: MoveOf<'repeat'>): Promise<void> {
    const decree = pickOf(this.#decrees, pick)
    if (decree) await this.#carryOut(decree, gates)
  }

  async #carryOut({ id, action, by }: Decree, gates: Gates): Promise<void> {
    await this.#processes.start(this.#world.act(id, action, by), this.#model.act(id, action, by), gates, [])
  }

  async #sweep(): Promise<readonly Hint[]> {
    const hints = await this.#world.sweep()
    const { must, may } = this.#model.sweep()
    const hinted = hints.map(nameOf)
    const allowed = may.map((message) => nameOf(this.#nextHint(message)))
    assert.equal(new Set(hinted).size, hinted.length, 'a sweep hints a message once')
    for (const message of must) {
      const needed = nameOf(this.#nextHint(message))
      assert.ok(hinted.includes(needed), `the sweep forgets ${needed}`)
    }
    for (const hint of hinted) assert.ok(allowed.includes(hint), `the sweep hints ${hint} without need`)
    return hints
  }

  async #report({ pick, report, by, isKnown }: MoveOf<'report'>): Promise<void> {
    const id = isKnown ? this.#pick(pick)?.id : undefined
    // What is no notification returns no envelope id.
    await this.#world.receive(id as RowId | undefined, report, report === 'unrecognized' ? 'address' : by)
    this.#model.receive(id, report)
  }

  async #overtake({ pick, answers, gates }: MoveOf<'overtake'>): Promise<void> {
    const message = this.#pick(pick)
    if (!message) return
    this.#waitUntilFree(message)
    const slow = await this.#work(this.#nextHint(message), 2, answers)
    this.#waitUntilFree(message)
    await this.#work(this.#nextHint(message), gates, answers)
    await compare(this.#world, this.#model)
    await this.#processes.advance(slow, 'all', answers)
  }

  async #insist({ pick, times, answer, gates }: MoveOf<'insist'>): Promise<void> {
    const message = this.#pick(pick)
    for (let time = 0; time < times && message && message.state !== 'done' && !message.isHeld; time++) {
      this.#waitUntilFree(message)
      await this.#work(this.#nextHint(message), gates, [answer])
      await compare(this.#world, this.#model)
    }
  }

  /** Nothing but the sweep wakes workers now, as if every hint so far were lost; the remote accepts all. */
  async #drain(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const open = [...this.#model.messages.values()].filter(isOpen)
      const uncommitted = [...this.#model.uncommitted.values()]
      if (open.length + uncommitted.length === 0) return
      this.#waitUntil(Math.min(...open.map(actableAt), ...uncommitted.map(({ endsAt }) => endsAt)))
      this.#wait(LEASE)
      for (const hint of await this.#sweep()) await this.#work(hint, 'all', ['accepted'])
      await compare(this.#world, this.#model)
    }
    throw new Error('messages are not done in the end')
  }
}

/** Somebody has something to do about it. */
function isOpen({ state, isHeld, owed }: Message): boolean {
  return owed !== undefined || (state !== 'done' && !isHeld)
}

function actableAt({ owed, nextAt, foundFrom, lease }: Message): number {
  return owed ? 0 : Math.max(nextAt.to, foundFrom, lease?.endsAt ?? 0)
}

function nameOf({ id, attempt }: Hint): string {
  return `attempt ${attempt} of ${id}`
}

function pickOf<Value>(values: readonly Value[], pick: number): Value | undefined {
  return values.length === 0 ? undefined : values.at(-1 - (pick % values.length))
}
