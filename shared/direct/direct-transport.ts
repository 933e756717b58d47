import type { DirectDelivery, SocksDelivery } from '../account/options.ts'
import { MINUTE } from '../base/clock.ts'
import { getPolicy } from '../mta-sts/get-policy.ts'
import type { SmtpOutcome, Transport } from '../queue/transport.ts'
import { whyWaitForPolicy } from '../transport-security/decide-tls.ts'
import {
  type DirectAttempt,
  type DirectRequest,
  type InformedAttempt,
  permanent,
  temporary,
} from './direct-attempt.ts'
import type { DirectPorts } from './direct-ports.ts'
import { addressOfLiteral, findRoute, type Route } from './find-route.ts'
import { inTime, timeLimit } from './time-limit.ts'
import { TlsNotes } from './tls-notes.ts'
import { type HostEnd, tryHost } from './try-host.ts'

/** Less than a lease holds (15 minutes), with time to write down what came of it. */
const WHOLE_MS = 14 * MINUTE
/** RFC 8461 §3.3: a minute to get a policy, and what its questions to the DNS take. */
const POLICY_MS = 2 * MINUTE

/** Delivers to the servers of the recipients' domain (RFC 5321 §5.1), with DANE, MTA-STS and REQUIRETLS. */
export function directTransport(ports: DirectPorts): Transport<DirectDelivery | SocksDelivery> {
  return { deliver: (request) => deliver(ports, request) }
}

async function deliver(ports: DirectPorts, request: DirectRequest): Promise<readonly SmtpOutcome[]> {
  const [first] = request.messages
  if (!first) return []
  const limit = timeLimit(ports.wait, WHOLE_MS)
  const { domain } = first.recipient
  const notes = new TlsNotes(domain, egressAddresses(ports, request))
  const attempt: DirectAttempt = { ports, request, domain, signal: limit.signal, notes }
  try {
    return await deliverToDomain(attempt)
  } finally {
    limit.clear()
    await tell(attempt)
  }
}

async function deliverToDomain(attempt: DirectAttempt): Promise<readonly SmtpOutcome[]> {
  const forAll = (outcome: SmtpOutcome) => attempt.request.messages.map(() => outcome)
  const route = await findRoute(attempt)
  if (route.kind === 'failure') return forAll(route.outcome)
  const informed = await learnPolicy(attempt, route)
  if (informed === undefined) return forAll(temporary('looking up the MTA-STS policy took too long').outcome)
  const { policy, request } = informed
  const whyWait = policy?.kind === 'failed' && whyWaitForPolicy(policy.problem, request.requireTls)
  if (whyWait) return forAll(temporary(whyWait).outcome)
  return await tryHosts(informed, route)
}

/** The policy is that of the recipients' own domain, wherever an alias leads (RFC 8461 §3). */
async function learnPolicy(
  attempt: DirectAttempt,
  { mailHosts }: Route,
): Promise<InformedAttempt | undefined> {
  if (mailHosts === undefined) return attempt
  const { ports, domain, signal, notes } = attempt
  const policy = await inTime(ports.wait, POLICY_MS, signal, () => getPolicy(ports, domain))
  if (policy === undefined) return undefined
  notes.policy(policy)
  return { ...attempt, policy }
}

/** One host after the other, until one has decided. */
async function tryHosts(attempt: InformedAttempt, route: Route): Promise<readonly SmtpOutcome[]> {
  const ends: HostEnd[] = []
  for (const host of route.hosts) {
    if (attempt.signal.aborted) break
    const end = await tryHost(attempt, route, host)
    if (!end.mayGoOn) return end.outcomes
    ends.push(end)
  }
  return attempt.request.messages.map((_, place) => outcomeOfAll(ends, place))
}

/** The last host tells most of an outcome; what was wrong with the others is told as well. */
function outcomeOfAll(ends: readonly HostEnd[], place: number): SmtpOutcome {
  const outcomes = ends.flatMap(({ outcomes: each }) => each[place] ?? [])
  const errors = outcomes.flatMap((outcome) => (outcome.kind === 'accepted' ? [] : outcome.error))
  const error = [...new Set(errors)].join('; ').slice(0, LONGEST_ERROR).toWellFormed()
  const last = outcomes.at(-1)
  if (last === undefined || last.kind === 'accepted') return temporary('the attempt took too long').outcome
  // RFC 8689 §4.2.1: the message is returned where no server can do what it demands.
  if (ends.every(({ lacksRequireTls }) => lacksRequireTls)) {
    return { ...permanent(554, '5.7.30', error).outcome, isOurs: true }
  }
  return { ...last, error }
}

const LONGEST_ERROR = 1000

function egressAddresses(ports: DirectPorts, { transport }: DirectRequest): readonly string[] {
  return transport.kind === 'socks' ? transport.ipAddresses : (ports.egressAddresses ?? [])
}

/** What is lost costs a line of a report; the message has its outcome. */
async function tell({ ports, domain, notes }: DirectAttempt): Promise<void> {
  const results = notes.results()
  if (results.length === 0 || addressOfLiteral(domain) !== undefined) return
  try {
    await ports.tlsResults.note(results)
  } catch (error) {
    ports.log.error('what TLS came to could not be noted', error, { domain })
  }
}
