import type { Options } from '../../../shared/account/options.ts'
import { freshOptions } from '../../../shared/account/options.ts'
import { type Address, parseAddress } from '../../../shared/address/address.ts'
import type { DirectRequest } from '../../../shared/direct/direct-attempt.ts'
import type { DirectPorts } from '../../../shared/direct/direct-ports.ts'
import { directTransport } from '../../../shared/direct/direct-transport.ts'
import { KeptSessions } from '../../../shared/direct/kept-sessions.ts'
import type { Wait } from '../../../shared/direct/time-limit.ts'
import type { FetchedPolicy } from '../../../shared/mta-sts/policy-fetcher.ts'
import type { StoredPolicy } from '../../../shared/mta-sts/policy-store.ts'
import type { DeliveryOutcome } from '../../../shared/queue/transport.ts'
import type { TlsSupport } from '../../../shared/tls-results/domain-tls.ts'
import type { TlsResult } from '../../../shared/tls-results/tls-results.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { type FakeZone, fakeDns } from '../../support/fake-dns.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { type FakeServer, fakeServers } from './fake-servers.ts'

/** The world of a test: the DNS, the servers by their host, and what else is not usual. */
export interface World {
  readonly zone: FakeZone
  readonly servers: Readonly<Record<string, FakeServer>>
  /** The text at the policy host, for domains whose zone has a record. */
  readonly policy?: FetchedPolicy
  readonly options?: Options
  readonly ports?: Partial<DirectPorts>
}

const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** A wait that ends when a test says so, or when it is not wanted any more. */
function manualWait() {
  const waiting = new Set<{ readonly milliseconds: number; readonly end: () => void }>()
  const wait: Wait = (milliseconds, signal) =>
    new Promise((resolve) => {
      const each = { milliseconds, end: resolve }
      waiting.add(each)
      signal.addEventListener('abort', () => {
        waiting.delete(each)
        resolve()
      })
    })
  /** Ends those that wait for so long. */
  const pass = (milliseconds: number) => {
    for (const each of waiting) if (each.milliseconds === milliseconds) each.end()
  }
  return { wait, pass }
}

/** A transport in a world, and all that it did there. */
export function arrange({ zone, servers, policy, options = freshOptions, ports = {} }: World) {
  const { wait, pass } = manualWait()
  const resolver = fakeDns(zone)
  const fake = fakeServers(servers)
  const stored = new Map<string, StoredPolicy>()
  const results: TlsResult[] = []
  const remembered: (TlsSupport & { readonly account: string; readonly domain: string })[] = []
  const kept = new KeptSessions(wait)
  const transport = directTransport({
    resolver,
    random: seededRandom(),
    clock: fakeClock(Date.now()),
    wait,
    log: silent,
    options: { read: async () => options },
    fetcher: { fetch: async () => policy ?? { kind: 'none', problem: 'not found' } },
    store: {
      get: async (domain) => stored.get(domain),
      put: async (domain, entry) => void stored.set(domain, entry),
    },
    dialer: fake.dialer,
    kept,
    tlsResults: { note: async (noted) => void results.push(...noted) },
    domainTls: {
      note: async (account, domain, support) => void remembered.push({ account, domain, ...support }),
    },
    whyNotReachable: () => undefined,
    ...ports,
  })
  return {
    ...fake,
    resolver,
    kept,
    pass,
    results,
    remembered,
    deliver: async (changes: Partial<DirectRequest> = {}): Promise<readonly DeliveryOutcome[]> =>
      await transport.deliver({ ...request(), ...changes }),
  }
}

/** A message for bob@x.example at its first attempt. */
export function request(changes: Partial<DirectRequest> = {}): DirectRequest {
  return {
    transport: { kind: 'direct' },
    hostname: 'postern.example',
    mailFrom: parseAddress('ann@shop.example'),
    messages: [message('bob@x.example')],
    content: Buffer.from('Subject: Hello\r\n\r\nHi\r\n'),
    has8bit: false,
    smtputf8: false,
    ...changes,
  }
}

/** At its first attempt, or after others that came to these addresses of a host. */
export function message(recipient: string | Address, earlier: readonly (readonly [string, string])[] = []) {
  const row = queuedMessage({ attempts: earlier.length + 1 })
  const ended = { startedAt: row.queuedAt, durationMs: 1, code: 0, enhancedCode: '', error: '', reply: '' }
  const results = [
    ...earlier.map(([host, ipAddress], at) => ({
      ...ended,
      attempt: at + 1,
      status: 'temporary' as const,
      remote: { host, ipAddress },
    })),
    { ...ended, attempt: earlier.length + 1, status: 'running' as const },
  ]
  return {
    ...row,
    results,
    recipient: typeof recipient === 'string' ? parseAddress(recipient) : recipient,
  }
}

/** An outcome in one line. */
export function outcomeText(outcome: DeliveryOutcome | undefined): string {
  if (!outcome) return 'nothing'
  const { kind, code, enhancedCode, remote } = outcome
  const secured = remote?.tls ? (remote.tls.verifiedBy ?? 'TLS') : 'plain'
  const where = remote ? ` at ${remote.host}, ${secured}` : ''
  const error = outcome.kind === 'accepted' ? '' : `: ${outcome.error}`
  return `${[kind, code || '', enhancedCode].filter(Boolean).join(' ')}${where}${error}`
}

/** What reports would tell, in one line for each policy: successes, failures, and each detail with its count. */
export function reportLines(results: readonly TlsResult[]): readonly string[] {
  const policies = Map.groupBy(results, ({ policyType, policyDomain, isHost }) =>
    [policyType, ...(isHost ? ['host'] : []), policyDomain].join(' '),
  )
  return [...policies].map(([policy, each]) => {
    const success = each.reduce((sum, result) => sum + result.success, 0)
    const details = each
      .flatMap(({ failures }) => failures)
      .map(({ resultType, reason, count }) =>
        [resultType, reason, count].filter((part) => part !== '').join(' '),
      )
    return [`${policy}: ${success}`, ...details].join('; ')
  })
}
