import { MINUTE } from '../base/clock.ts'
import { formatTlsa } from '../dane/tlsa.ts'
import { assessPeer, type PeerAssessment } from '../transport-security/assess-peer.ts'
import { type PolicyProblem, plaintext, type TlsDemands } from '../transport-security/decide-tls.ts'
import type { InformedAttempt } from './direct-attempt.ts'
import { addressOfLiteral } from './find-route.ts'
import type { LiveSession } from './kept-sessions.ts'
import type { KnownHost } from './learn-host.ts'
import { earlierAddresses } from './order-addresses.ts'
import type { NoSession, OpenSession, PeerProof, PeerVerdict, SessionRequest } from './sessions.ts'
import { timeLimit } from './time-limit.ts'

/** Which session is wanted. */
export interface WantedSession {
  readonly known: KnownHost
  readonly demands: TlsDemands
  /** What is wrong with the policies although the host may be called. */
  readonly problems: readonly PolicyProblem[]
  /** Only one that nobody used before. */
  readonly mustBeFresh: boolean
}

/** Connecting, greeting, EHLO twice, STARTTLS, handshake: longer than any takes by itself, and the next host has its turn. */
const OPENING_MS = 3 * MINUTE

/**
 * Opens a session as it is demanded, or takes one that was kept. Where TLS comes to nothing and is not demanded, a second
 * connection goes without (RFC 7435); no report tells of that one.
 */
export async function openSession(
  attempt: InformedAttempt,
  wanted: WantedSession,
): Promise<LiveSession | NoSession> {
  const opened = await takeOrDial(attempt, wanted)
  const mayGoPlain = 'kind' in opened && opened.stage === 'tls' && wanted.demands.mayGoPlain
  if (!mayGoPlain || attempt.signal.aborted) return opened
  const ipAddress = opened.remote?.ipAddress
  const known = ipAddress === undefined ? wanted.known : { ...wanted.known, ipAddresses: [ipAddress] }
  return await takeOrDial(attempt, { ...wanted, known, demands: plaintext })
}

async function takeOrDial(attempt: InformedAttempt, wanted: WantedSession): Promise<LiveSession | NoSession> {
  const { ports } = attempt
  const key = keyOf(attempt, wanted)
  const kept = wanted.mustBeFresh ? undefined : ports.kept.take(key, takeable(attempt, wanted.known))
  if (kept) {
    await rememberTls(attempt, kept.session)
    return kept
  }
  const abort = new AbortController()
  const limit = timeLimit(ports.wait, OPENING_MS, attempt.signal)
  const stop = () => abort.abort()
  if (limit.signal.aborted) stop()
  limit.signal.addEventListener('abort', stop, { once: true })
  try {
    const opened = await ports.dialer.open(sessionRequest(attempt, wanted, abort.signal))
    if (wanted.demands.startTls !== 'none') note(attempt, wanted, opened)
    if (opened.kind === 'failed') return opened
    await rememberTls(attempt, opened)
    return { session: opened, key, abort, messages: 0 }
  } finally {
    limit.signal.removeEventListener('abort', stop)
    limit.clear()
  }
}

/** A message that was tried before has a reason for which address comes first; others take any. */
function takeable({ request }: InformedAttempt, { host, ipAddresses }: KnownHost): readonly string[] {
  const [message] = request.messages
  const isFirst = message === undefined || earlierAddresses(message, host).length === 0
  return isFirst ? ipAddresses : ipAddresses.slice(0, 1)
}

/** Whom a session is with, what is demanded of it, and by what it is judged. */
function keyOf(attempt: InformedAttempt, { known, demands }: WantedSession): string {
  const { host, tlsa, names } = known
  const records = tlsa?.records.map(formatTlsa).toSorted() ?? []
  return JSON.stringify([host, helloOf(attempt), attempt.request.transport, demands, records, names])
}

function sessionRequest(
  attempt: InformedAttempt,
  wanted: WantedSession,
  signal: AbortSignal,
): SessionRequest {
  const { ports, request } = attempt
  const { known, demands } = wanted
  const { transport } = request
  return {
    host: known.host,
    ipAddresses: known.ipAddresses,
    port: ports.port ?? 25,
    hello: helloOf(attempt),
    tls: demands.startTls,
    serverName: known.names[0] ?? known.host,
    judge: (proof) => verdictOf(assess(attempt, wanted, proof)),
    ...(transport.kind === 'socks' && { proxy: transport }),
    signal,
  }
}

function helloOf({ request: { transport, hostname } }: InformedAttempt): string {
  return transport.kind === 'socks' ? transport.hostname : hostname
}

/** What a server's proof is worth for that session. */
export function assess(
  { ports }: InformedAttempt,
  { known, demands }: WantedSession,
  proof: PeerProof,
): PeerAssessment {
  const { host, tlsa, names } = known
  const expectation = { host, demands, records: tlsa?.records ?? [], names, now: ports.clock.now() }
  return assessPeer(expectation, proof)
}

function verdictOf({ refusal, verifiedBy }: PeerAssessment): PeerVerdict {
  if (refusal) return { kind: 'refused', failure: refusal }
  return { kind: 'accepted', ...(verifiedBy && { verifiedBy }) }
}

function note(attempt: InformedAttempt, wanted: WantedSession, opened: OpenSession | NoSession): void {
  const ipAddress = opened.remote?.ipAddress ?? ''
  const assessment = opened.proof && assess(attempt, wanted, opened.proof)
  // A server may say only after the handshake what it has against it; then TLS has failed all the same.
  const failure = opened.kind === 'failed' && !assessment?.refusal ? opened.failure : undefined
  const withoutTls = opened.kind === 'open' ? opened.withoutTls : undefined
  const end = {
    ipAddress,
    ...(failure && { failure }),
    ...(withoutTls && { withoutTls }),
    ...(assessment && { assessment }),
  }
  attempt.notes.session(wanted.known, end, wanted.problems)
}

async function rememberTls({ ports, request, domain }: InformedAttempt, session: OpenSession): Promise<void> {
  const [message] = request.messages
  if (message === undefined || addressOfLiteral(domain) !== undefined) return
  const starttls = session.proof !== undefined
  const requiretls = starttls && session.extensions.has('REQUIRETLS')
  try {
    await ports.domainTls.note(message.account, domain, { starttls, requiretls })
  } catch (error) {
    ports.log.error('what TLS a domain has could not be remembered', error, { domain })
  }
}
