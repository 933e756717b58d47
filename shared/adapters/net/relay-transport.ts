import type { Relay } from '../../account/options.ts'
import { formatAddress } from '../../address/address.ts'
import type { DeliveryOutcome, Transport } from '../../queue/transport.ts'
import { Dialogue } from './relay-dialogue.ts'
import { permanent, type RelayRequest, temporary } from './relay-outcome.ts'
import {
  endSession,
  formatPlace,
  openSession,
  RelayFailure,
  type RelayLimits,
  type RelaySession,
} from './relay-session.ts'
import {
  declareSmtputf8,
  needsSmtputf8,
  reset,
  type TransactionResult,
  transact,
} from './relay-transaction.ts'

/** What became of the recipients, by address as it was sent. */
type Fates = ReadonlyMap<string, DeliveryOutcome>

const LIMITS: RelayLimits = {
  connectMs: 10_000,
  greetingMs: 10_000,
  inactivityMs: 30_000,
  totalMs: 50_000,
}

/**
 * Delivers to a relay over SMTP: one connection for each call, and one transaction (RFC 5321 §3.3) unless the
 * server takes fewer recipients at a time.
 */
export function relayTransport(limits: Partial<RelayLimits> = {}): Transport<Relay> {
  return { deliver: (request) => deliver(request, { ...LIMITS, ...limits }) }
}

async function deliver(request: RelayRequest, limits: RelayLimits): Promise<readonly DeliveryOutcome[]> {
  const texts = request.messages.map(({ recipient }) => formatAddress(recipient))
  // The library refuses the whole transaction for such an address, which is a legal one.
  const sendable = [...new Set(texts.filter((text) => !/[<>]/.test(text)))]
  const dialogue = new Dialogue()
  const fates: Fates =
    sendable.length > 0 ? await deliverInTime(request, sendable, limits, dialogue) : new Map()
  return texts.map((text) => {
    const fate = fates.get(text)
    return fate ? { ...fate, ...dialogue.evidence(fate.kind === 'accepted') } : UNWRITABLE
  })
}

const UNWRITABLE = permanent('5.1.3', 'an address with < or > in it cannot be delivered to')

async function deliverInTime(
  request: RelayRequest,
  recipients: readonly string[],
  limits: RelayLimits,
  dialogue: Dialogue,
): Promise<Fates> {
  const overall = new AbortController()
  const timedOut = new Error(`timed out after ${limits.totalMs / 1000} s`)
  const timer = setTimeout(() => overall.abort(timedOut), limits.totalMs)
  const relay = { ...request.transport, tls: tlsFor(request) }
  try {
    const session = await openSession(relay, request.hostname, limits, overall.signal, dialogue)
    try {
      const problem = incapability(request, session)
      if (problem) return shared(recipients, problem)
      if (needsSmtputf8(request)) declareSmtputf8(session)
      return await deliverOver(session, request, recipients, overall.signal)
    } finally {
      await endSession(session, overall.signal)
    }
  } catch (error) {
    if (!(error instanceof RelayFailure)) throw error
    return shared(recipients, outcomeOfFailure(error, request))
  } finally {
    clearTimeout(timer)
  }
}

/** RFC 8689: what the sender of the message wants of TLS goes before what the operator wants. */
function tlsFor({ transport: relay, requireTls }: RelayRequest): Relay['tls'] {
  if (requireTls === true) return 'required'
  return requireTls === false && relay.tls === 'required' ? 'opportunistic' : relay.tls
}

function outcomeOfFailure(failure: RelayFailure, { requireTls }: RelayRequest): DeliveryOutcome {
  if (requireTls !== true || !failure.lacksTls) return temporary(failure)
  const error = `${failure.message}; the message demands TLS with a verified certificate (RFC 8689)`
  return { ...permanent('5.7.30', error), reply: failure.reply }
}

/** The library does not look whether the server takes what it sends; 8-bit content mostly passes anyway. */
function incapability(request: RelayRequest, { extensions }: RelaySession): DeliveryOutcome | undefined {
  const place = formatPlace(request.transport)
  if (request.requireTls === true && !extensions.includes('REQUIRETLS')) {
    return permanent('5.7.30', `${place} does not offer REQUIRETLS, which the message demands (RFC 8689)`)
  }
  if (!needsSmtputf8(request) || extensions.includes('SMTPUTF8')) return undefined
  return permanent('5.6.7', `${place} does not take internationalized mail (SMTPUTF8)`)
}

/**
 * Has one transaction after the other until each recipient has its fate. Every one decides about somebody: where
 * nobody is accepted, nobody is left over for another.
 */
async function deliverOver(
  session: RelaySession,
  request: RelayRequest,
  recipients: readonly string[],
  signal: AbortSignal,
): Promise<Fates> {
  const fates = new Map<string, DeliveryOutcome>()
  let waiting = recipients
  for (let begun = 1; waiting.length > 0; begun++) {
    const group = waiting.slice(0, session.rcptMax)
    const result = await transact(session, request, group, signal)
    const end = begun > 1 && result.isMailRefused ? ofSession(result.end) : result.end
    for (const recipient of group) fates.set(recipient, result.refused.get(recipient) ?? end)
    waiting = [...waiting.slice(group.length), ...result.tooMany]
    const hindrance =
      waiting.length > 0 && (await hindranceAfter({ ...result, end }, begun, session, request, signal))
    if (hindrance) return new Map([...shared(waiting, hindrance), ...fates])
  }
  return fates
}

/** The server took the same MAIL before: that it refuses it now is about the session, not about the sender. */
function ofSession(outcome: DeliveryOutcome): DeliveryOutcome {
  return outcome.kind === 'accepted' ? outcome : { ...outcome, kind: 'temporary' }
}

/** Why no transaction can follow this one in the session; undefined when one can. */
async function hindranceAfter(
  { isMailRefused, isUnfinished, end }: TransactionResult,
  begun: number,
  session: RelaySession,
  { transport: relay }: RelayRequest,
  signal: AbortSignal,
): Promise<DeliveryOutcome | undefined> {
  const isBroken = end.kind === 'temporary' && end.code === 0
  if (isMailRefused || isBroken) return end
  if (begun >= session.mailMax) {
    return temporary({ message: 'the server takes no more messages in this session (MAILMAX)', reply: '' })
  }
  const cause = session.connection.destroyed
    ? new Error('connection closed')
    : isUnfinished && (await reset(session, signal))
  return cause ? temporary(new RelayFailure('sending to', relay, cause)) : undefined
}

function shared(recipients: readonly string[], outcome: DeliveryOutcome): Fates {
  return new Map(recipients.map((recipient) => [recipient, outcome]))
}
