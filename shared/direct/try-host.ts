import { listsHost } from '../mta-sts/lists-host.ts'
import type { RemoteTls } from '../queue/evidence.ts'
import type { SmtpOutcome } from '../queue/transport.ts'
import { decideTls, type StsFact } from '../transport-security/decide-tls.ts'
import { type InformedAttempt, permanent, temporary } from './direct-attempt.ts'
import type { Route } from './find-route.ts'
import type { LiveSession } from './kept-sessions.ts'
import { learnHost } from './learn-host.ts'
import { assess, openSession, type WantedSession } from './open-session.ts'
import type { NoSession } from './sessions.ts'

/** What came of one host. */
export interface HostEnd {
  /** One for each recipient, in their order. */
  readonly outcomes: readonly SmtpOutcome[]
  /** The next host may do better. */
  readonly mayGoOn: boolean
  /** The message demands what this host cannot do for good: a verified session with REQUIRETLS (RFC 8689). */
  readonly lacksRequireTls: boolean
}

/** Tries to deliver to one host of a domain. */
export async function tryHost(attempt: InformedAttempt, route: Route, host: string): Promise<HostEnd> {
  const known = await learnHost(attempt, route, host)
  if (known.kind === 'unknown') {
    // RFC 3463 §3.2: bad destination system address.
    const failure = known.isForGood ? permanent(0, '5.1.2', known.error) : temporary(known.error)
    return failed(attempt, failure.outcome)
  }
  const sts = stsFact(attempt, host)
  const { requireTls } = attempt.request
  const isAddressLiteral = route.mailHosts === undefined
  const decision = decideTls({ host, dane: known.dane, sts, requireTls, isAddressLiteral })
  const { problems } = decision
  if (decision.kind === 'dial') {
    return await useHost(attempt, { known, demands: decision.demands, problems, mustBeFresh: false })
  }
  attempt.notes.problems(known, problems)
  if (decision.kind === 'unverifiable') return lacksRequireTls(attempt, decision.error)
  return failed(attempt, temporary(decision.error).outcome)
}

/** What the MTA-STS policy of the domain says of a host. */
function stsFact({ policy: answer }: InformedAttempt, host: string): StsFact {
  if (answer?.kind === 'failed') return answer
  if (answer?.kind !== 'found' || answer.policy.mode === 'none') return { kind: 'none' }
  return { kind: answer.policy.mode, listsHost: listsHost(answer.policy, host) }
}

async function useHost(attempt: InformedAttempt, wanted: WantedSession): Promise<HostEnd> {
  const { ports } = attempt
  const live = await openSession(attempt, wanted)
  if ('kind' in live) return failed(attempt, outcomeOf(live))
  const { session } = live
  if (wanted.demands.requireTls && !session.extensions.has('REQUIRETLS')) {
    ports.kept.keep(live)
    const error = `${session.remote.host} does not offer REQUIRETLS, which the message demands (RFC 8689)`
    return lacksRequireTls(attempt, error)
  }
  const outcomes = await sendIn(attempt, live)
  const hasTakenMail = session.hasTakenMail()
  ports.kept.keep({ ...live, messages: live.messages + 1 })
  if (live.messages > 0 && !hasTakenMail && !attempt.signal.aborted) {
    // It was about to end, which is no fault of the message (RFC 5321 §3.8).
    return await useHost(attempt, { ...wanted, mustBeFresh: true })
  }
  const isVerified = verifiedBy(attempt, wanted, live)
  return {
    outcomes: outcomes.map((outcome) => forgiven(attempt, wanted, withVerification(outcome, isVerified))),
    mayGoOn: outcomes.every((outcome) => mayGoOnAfter(outcome, hasTakenMail)),
    lacksRequireTls: false,
  }
}

/** Where a server took the message and fell silent it may have it; another one would deliver it twice. */
function mayGoOnAfter(outcome: SmtpOutcome, hasTakenMail: boolean): boolean {
  return outcome.kind === 'temporary' && (outcome.code !== 0 || !hasTakenMail)
}

async function sendIn(
  { request, signal }: InformedAttempt,
  { session, abort }: LiveSession,
): Promise<readonly SmtpOutcome[]> {
  const stop = () => abort.abort()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await session.send(request)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function verifiedBy(
  attempt: InformedAttempt,
  wanted: WantedSession,
  { session: { proof } }: LiveSession,
): RemoteTls['verifiedBy'] {
  return proof && assess(attempt, wanted, proof).verifiedBy
}

function withVerification(outcome: SmtpOutcome, verifiedBy: RemoteTls['verifiedBy']): SmtpOutcome {
  const { remote } = outcome
  if (!verifiedBy || !remote?.tls) return outcome
  return { ...outcome, remote: { ...remote, tls: { ...remote.tls, isVerified: true, verifiedBy } } }
}

/** RFC 3463 §3.8: policy may be about one of our addresses only; the next attempt comes from the other family. */
function forgiven({ request }: InformedAttempt, { known }: WantedSession, outcome: SmtpOutcome): SmtpOutcome {
  const isPolicy =
    outcome.kind === 'permanent' && outcome.code !== 0 && outcome.enhancedCode.startsWith('5.7.')
  const isFirst = request.messages[0]?.attempts === 1
  return isPolicy && isFirst && known.isDualStack ? { ...outcome, kind: 'temporary' } : outcome
}

/** A server that greets with 554 may be one of several; the message waits for a better one. */
function outcomeOf(ended: NoSession): SmtpOutcome {
  const { error, code, enhancedCode, reply, remote, transcript } = ended
  return {
    kind: 'temporary',
    code,
    enhancedCode,
    error,
    reply,
    ...(remote && { remote }),
    ...(transcript && { transcript }),
  }
}

function failed({ request }: InformedAttempt, outcome: SmtpOutcome): HostEnd {
  const mayGoOn = outcome.kind === 'temporary'
  return { outcomes: request.messages.map(() => outcome), mayGoOn, lacksRequireTls: false }
}

function lacksRequireTls(attempt: InformedAttempt, error: string): HostEnd {
  return { ...failed(attempt, temporary(error).outcome), lacksRequireTls: true }
}
