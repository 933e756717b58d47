import { freshAccount, freshOptions, type Options } from '../../shared/account/options.ts'
import type { Arrival } from '../../shared/mailbox/mailbox-store.ts'
import type { ReceptionPorts } from '../../shared/reception/reception-hooks.ts'
import type { Report } from '../../shared/reports/report.ts'

/** What reception needs, for one account, `you` at y.example; and what it did with it. */
export interface ObservedReception {
  readonly ports: ReceptionPorts
  readonly arrivals: readonly Arrival[]
  readonly reports: readonly Report[]
  /** What was created, by name. */
  readonly contents: ReadonlyMap<string, Uint8Array>
  readonly waits: readonly { readonly milliseconds: number; readonly signal: AbortSignal }[]
}

const OPTIONS: Options = {
  ...freshOptions,
  hostname: 'mx.y.example',
  domains: { 'y.example': { separators: ['+'], disabled: false } },
  accounts: {
    you: {
      ...freshAccount,
      incomingWebhook: { url: 'https://hooks.example/', authorization: '' },
    },
  },
}

/** Ports without a store behind them. */
export function observedReception(): ObservedReception {
  const arrivals: Arrival[] = []
  const reports: Report[] = []
  const contents = new Map<string, Uint8Array>()
  const create = async (name: string, bytes: Uint8Array) => {
    contents.set(name, bytes)
    return true
  }
  const waits: { milliseconds: number; signal: AbortSignal }[] = []
  const unused = () => Promise.reject(new Error('not to be called'))
  const ports: ReceptionPorts = {
    options: { read: async () => OPTIONS, readNewest: unused, change: unused },
    directory: {
      find: async (_domain, localpart) => (localpart === 'you' ? 'you' : undefined),
      add: unused,
      move: unused,
      remove: unused,
      list: unused,
    },
    queue: { read: unused, decision: unused, sentUnder: unused, sentWithChosen: async () => undefined },
    feedback: { take: unused },
    suppressions: { standings: unused },
    reports: { add: async (report) => void reports.push(report) },
    fromIdSecret: unused,
    content: { create, read: unused, keep: unused, remove: unused },
    mailboxes: {
      append: async (arrived) => {
        arrivals.push(...arrived)
        return []
      },
      read: unused,
      change: unused,
      list: unused,
      usedOctets: unused,
    },
    webhooks: { send: async () => {}, depth: unused },
    clock: { now: () => Date.UTC(2026, 5, 1) },
    random: { bytes: (count) => new Uint8Array(count), fraction: () => 0.5 },
    wait: async (milliseconds, signal) => void waits.push({ milliseconds, signal }),
  }
  return { ports, arrivals, reports, contents, waits }
}
