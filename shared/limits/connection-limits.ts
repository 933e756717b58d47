import type { Instant } from '../base/clock.ts'
import { clientNetworks } from './client-networks.ts'

/** Of the narrow, the middle and the wide network of a client. */
const MOST_AT_ONCE = [30, 90, 270]
const MOST_PER_MINUTE = [300, 900, 2700]
const MINUTE_MS = 60_000

export interface ConnectionLimitsOptions {
  /** All connections together. */
  readonly most: number
  /** Clients on this machine are counted in the total only: local mode and tests come from one address. */
  readonly exemptsLoopback: boolean
}

/** How many connections a task serves at once and in a minute, in all and for each network. Kept in memory. */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions
  readonly #open = new Map<string, number>()
  #recent = new Map<string, number>()
  #recentSince: Instant = 0
  #total = 0

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options
  }

  /** Whether this connection may stay; if so, {@link leave} is to be called when it ends. */
  enter(ipAddress: string, now: Instant): boolean {
    if (now - this.#recentSince >= MINUTE_MS || now < this.#recentSince) {
      this.#recent = new Map()
      this.#recentSince = now
    }
    const networks = this.#networks(ipAddress)
    // Refused attempts count too: who keeps knocking stays out.
    for (const network of networks) this.#recent.set(network, (this.#recent.get(network) ?? 0) + 1)
    const isTooMany =
      this.#total >= this.#options.most ||
      networks.some(
        (network, at) =>
          (this.#open.get(network) ?? 0) >= (MOST_AT_ONCE[at] ?? 0) ||
          (this.#recent.get(network) ?? 0) > (MOST_PER_MINUTE[at] ?? 0),
      )
    if (isTooMany) return false
    this.#total += 1
    for (const network of networks) this.#open.set(network, (this.#open.get(network) ?? 0) + 1)
    return true
  }

  /** A connection that was let in has ended. */
  leave(ipAddress: string): void {
    this.#total -= 1
    for (const network of this.#networks(ipAddress)) {
      const left = (this.#open.get(network) ?? 0) - 1
      if (left > 0) this.#open.set(network, left)
      else this.#open.delete(network)
    }
  }

  #networks(ipAddress: string): readonly string[] {
    const isExempt = this.#options.exemptsLoopback && /^(?:(?:::ffff:)?127\.|::1$)/i.test(ipAddress)
    return isExempt ? [] : (clientNetworks(ipAddress) ?? [])
  }
}
