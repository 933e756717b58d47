import assert from 'node:assert/strict'
import { freshOptions } from '../../../shared/account/options.ts'
import { dnsConfiguration } from '../../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../../shared/adapters/net/dns-resolver.ts'
import { policyFetcher } from '../../../shared/adapters/net/policy-fetcher.ts'
import { smtpDialer } from '../../../shared/adapters/net/smtp-dialer.ts'
import { systemClock as clock, wait } from '../../../shared/adapters/system/clock.ts'
import { systemRandom as random } from '../../../shared/adapters/system/random.ts'
import type { DomainName } from '../../../shared/address/domain-name.ts'
import { DAY } from '../../../shared/base/clock.ts'
import type { DirectRequest } from '../../../shared/direct/direct-attempt.ts'
import { directTransport } from '../../../shared/direct/direct-transport.ts'
import { KeptSessions } from '../../../shared/direct/kept-sessions.ts'
import type { StsPolicy } from '../../../shared/mta-sts/policy.ts'
import type { StoredPolicy } from '../../../shared/mta-sts/policy-store.ts'
import type { DeliveryOutcome } from '../../../shared/queue/transport.ts'
import type { TlsSupport } from '../../../shared/tls-results/domain-tls.ts'
import type { TlsResult } from '../../../shared/tls-results/tls-results.ts'
import type { ScriptedServer } from '../../adapters/net/scripted-server.ts'
import { message, outcomeText, reportLines, request } from '../../rooms/direct/arrange.ts'
import { policyHost } from '../policy-host.ts'
import { type Certificates, certificatesFor } from './certificates.ts'
import type { MxScenario, Observed } from './scenario.ts'
import { startServer } from './servers.ts'
import { type Place, wholeName, zonesOf } from './zones.ts'

type Context = { after(end: () => unknown): void }

/** A scenario that has its place: certificates are made, zones are written, nothing listens yet. */
export interface PlacedScenario {
  readonly scenario: MxScenario
  readonly place: Place
  readonly certificates: Certificates
  readonly zones: ReturnType<typeof zonesOf>
}

/** Gives a scenario a domain and addresses of its own, by its number (up to 255): all of 127/8 is loopback. */
export async function placeScenario(
  scenario: MxScenario,
  number: number,
  port: number,
): Promise<PlacedScenario> {
  const domain = `s${number}.test`
  const servers = Object.entries(scenario.servers ?? { mx: {} })
  const addresses = new Map(
    servers.map(([host, server], at) => {
      const isIpv6 = server !== 'down' && server.ipv6
      return [host, isIpv6 ? '::1' : `127.10.${number}.${at + 1}`]
    }),
  )
  const place = { domain, port, addresses }
  const certificates = await certificatesFor(domain, wantedCertificates(scenario))
  return { scenario, place, certificates, zones: zonesOf(scenario, place, certificates) }
}

function wantedCertificates({ servers = { mx: {} }, tlsa = {}, policy }: MxScenario): readonly string[] {
  const shown = Object.values(servers).flatMap((server) =>
    server === 'down' ? [] : (server.chain ?? ['own']),
  )
  const named = Object.values(tlsa)
    .flat()
    .map((text) => text.slice('3 1 1 '.length))
    .filter((name) => !name.startsWith('#'))
  const ofPolicyHost = policy && policy !== 'no host' ? [policy.certificate ?? 'policy host'] : []
  return [...shown, ...named, ...ofPolicyHost]
}

/** A scenario that is played: real servers, real resolver, real sessions. */
export interface MxLab {
  /** Delivers the scenario's message, with what a test changes of it. */
  deliver(changes?: Partial<DirectRequest>): Promise<void>
  /** All that came of deliveries up to now. */
  observed(): Observed
  readonly servers: readonly ScriptedServer[]
}

/** Starts servers and policy host, until the test is over; the resolver asks that DNS server. */
export async function startMxLab(context: Context, placed: PlacedScenario, dns: string): Promise<MxLab> {
  const { place } = placed
  const sessions: string[] = []
  const servers = await startServers(context, placed, sessions)
  const resolver = dnsResolver(dnsConfiguration({ servers: dns, trustsAd: false }), { clock, random })
  const server = await startPolicyHost(context, placed)
  const stored = new Map<string, StoredPolicy>(knownPolicy(placed))
  const results: TlsResult[] = []
  const outcomes: DeliveryOutcome[] = []
  let remembered: TlsSupport | undefined
  const kept = new KeptSessions(wait)
  context.after(() => kept.end())
  const transport = directTransport({
    ...{ resolver, random, clock, wait, kept, port: place.port },
    log: { info() {}, warn() {}, error: (event, error) => assert.fail(`${event} ${error}`) },
    options: { read: async () => freshOptions },
    fetcher: policyFetcher({ resolver, ...(server && { server }) }),
    store: {
      get: async (domain) => stored.get(domain),
      put: async (domain, entry) => void stored.set(domain, entry),
    },
    dialer: smtpDialer({ connectMs: 2000, handshakeMs: 2000, quitMs: 200 }),
    tlsResults: { note: async (noted) => void results.push(...noted) },
    domainTls: {
      note: async (_account, _domain, support) => {
        remembered = support
      },
    },
    whyNotReachable: () => undefined,
  })
  return {
    servers,
    async deliver(changes = {}) {
      outcomes.push(...(await transport.deliver({ ...requestOf(placed), ...changes })))
    },
    observed: () => ({
      outcomes: outcomes.map(outcomeText).map((text) => usual(text, place)),
      sessions: [...sessions],
      reports: reportLines(results).map((text) => usual(text, place)),
      ...(remembered && { remembered: supportText(remembered) }),
    }),
  }
}

function knownPolicy({ scenario, place }: PlacedScenario): readonly (readonly [string, StoredPolicy])[] {
  if (!scenario.isPolicyKnown) return []
  const { domain } = place
  const mx = [`mx.${domain}` as DomainName]
  const policy: StsPolicy = { mode: 'enforce', maxAgeSeconds: 86_400, mx, extensions: [] }
  return [[domain, { recordId: 'one', policy, validUntilAt: clock.now() + DAY }]]
}

async function startServers(
  context: Context,
  { scenario, place, certificates }: PlacedScenario,
  sessions: string[],
): Promise<readonly ScriptedServer[]> {
  const { port, addresses } = place
  const started = Object.entries(scenario.servers ?? { mx: {} }).map(async ([host, server]) => {
    const ipAddress = addresses.get(host) ?? ''
    if (server === 'down') return []
    return [await startServer(context, server, { host, ipAddress, port, sessions }, certificates)]
  })
  return (await Promise.all(started)).flat()
}

async function startPolicyHost(context: Context, { scenario, place, certificates }: PlacedScenario) {
  const { policy } = scenario
  if (policy === undefined || policy === 'no host') return undefined
  const { mode = 'enforce', mx = ['mx'], status, certificate = 'policy host' } = policy
  const patterns = mx.map((pattern) => `mx: ${wholeName(pattern, place)}\n`).join('')
  const text = policy.text ?? `version: STSv1\nmode: ${mode}\n${patterns}max_age: 86400\n`
  const answer = () => ({ text, ...(status !== undefined && { status }) })
  const { address } = await policyHost(context, place.domain, answer, certificates(certificate))
  const [ipAddress = '', port] = address.split(':')
  return { ipAddress, port: Number(port) }
}

function requestOf({ scenario, place }: PlacedScenario): DirectRequest {
  const { recipients = ['bob'], requireTls, smtputf8, earlier = [], onlyFamily } = scenario
  const { addresses } = place
  const attempts = earlier.map(
    ([host, server]) => [wholeName(host, place), addresses.get(server) ?? ''] as const,
  )
  const messages = recipients.map((text) => {
    const [localpart = '', literal] = text.split('@')
    const host = literal && `[${addresses.get(literal.slice(1, -1))}]`
    const at = host ?? wholeName(scenario.domain ?? '@', place)
    return message({ localpart, domain: at as DomainName }, attempts)
  })
  return request({
    messages,
    ...(requireTls !== undefined && { requireTls }),
    ...(smtputf8 && { smtputf8 }),
    ...(onlyFamily && { transport: { kind: 'direct', onlyFamily } }),
  })
}

/** As if the domain were x.test and the port 25; why a resolver fails is for it to say. */
function usual(text: string, { domain, port, addresses }: Place): string {
  const [...hosts] = addresses
  const named = hosts.reduce((all, [host, address]) => all.replaceAll(address, `[${host}]`), text)
  return named
    .replaceAll(domain, 'x.test')
    .replaceAll(String(port), '25')
    .replace(/SERVFAIL.*/s, 'SERVFAIL')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'its day')
}

function supportText({ starttls, requiretls }: TlsSupport): NonNullable<Observed['remembered']> {
  if (!starttls) return 'plain'
  return requiretls ? 'TLS and REQUIRETLS' : 'TLS'
}
