import { lookup } from 'node:dns/promises'
import type { Relay } from '../../account/options.ts'
import { SECOND } from '../../base/clock.ts'
import type { NoSession, PeerProof, PeerVerdict } from '../../direct/sessions.ts'
import type { RelayPasswords } from '../../queue/relay-passwords.ts'
import type { DeliveryRequest, SmtpOutcome, Transport } from '../../queue/transport.ts'
import type { ClientLimits } from './client-connection.ts'
import { LACKS_SMTPUTF8, openSessionOf } from './client-delivery.ts'
import { Dialogue } from './client-dialogue.ts'
import { logIn } from './client-login.ts'
import { formatPlace, permanent, reasonOf, temporary } from './client-outcome.ts'
import { type ClientSession, noSession, openClientSession, type SessionTerms } from './client-session.ts'

/** How long a delivery may take, in milliseconds. */
interface RelayLimits extends ClientLimits {
  /** The whole call. */
  readonly totalMs: number
}

const LIMITS: RelayLimits = {
  connectMs: 10 * SECOND,
  greetingMs: 10 * SECOND,
  handshakeMs: 10 * SECOND,
  inactivityMs: 30 * SECOND,
  contentMs: 30 * SECOND,
  quitMs: SECOND,
  totalMs: 50 * SECOND,
}

/** A transaction with a relay. */
type RelayRequest = DeliveryRequest<Relay>

/** What a delivery has besides its request. */
interface Means {
  readonly limits: RelayLimits
  readonly passwords: RelayPasswords | undefined
  readonly dialogue: Dialogue
  readonly signal: AbortSignal
}

interface RelayMeans {
  /** Left out: none are stored. */
  readonly passwords?: RelayPasswords
  readonly limits?: Partial<RelayLimits>
}

/** Delivers to a relay over SMTP, in one session for each call; where it wants a login, with the password stored. */
export function relayTransport({ passwords, limits }: RelayMeans = {}): Transport<Relay> {
  return {
    async deliver(request) {
      const known = { ...LIMITS, ...limits }
      const overall = new AbortController()
      const timedOut = new Error(`timed out after ${known.totalMs / SECOND} s`)
      const timer = setTimeout(() => overall.abort(timedOut), known.totalMs)
      try {
        const dialogue = new Dialogue()
        return await deliver(request, { limits: known, passwords, dialogue, signal: overall.signal })
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

async function deliver(request: RelayRequest, means: Means): Promise<readonly SmtpOutcome[]> {
  const relay = { ...request.transport, tls: tlsFor(request) }
  const session = await openRelaySession(relay, request.hostname, means)
  if (session.kind === 'failed') return forAll(request, means.dialogue, outcomeOfFailure(session, request))
  const open = openSessionOf(session)
  try {
    const problem = relay.login && (await logIn(session, relay.login, await passwordOf(relay, means)))
    if (problem) return forAll(request, means.dialogue, problem)
    return (await open.send(request)).map(ofOnlyServer)
  } finally {
    await open.end()
  }
}

/**
 * RFC 8689: what the sender of the message wants of TLS goes before what the operator wants. But whom the password of the
 * relay is told is not the sender's to say.
 */
function tlsFor({ transport: relay, requireTls }: RelayRequest): Relay['tls'] {
  if (requireTls === true) return 'required'
  return requireTls === false && relay.tls === 'required' && !relay.login ? 'opportunistic' : relay.tls
}

/** Where encryption is opportunistic and TLS fails, a second connection goes without (RFC 7435). */
async function openRelaySession(
  relay: Relay,
  hello: string,
  means: Means,
): Promise<ClientSession | NoSession> {
  const { dialogue, limits, signal } = means
  const ipAddresses = await addressesOf(relay, limits)
  if ('error' in ipAddresses) return noSession(dialogue, 'connection', ipAddresses.error)
  const terms: SessionTerms = {
    host: relay.host,
    ipAddresses,
    port: relay.port,
    hello,
    tls: relay.kind === 'submissions' ? 'implicit' : relay.tls === 'unverified' ? 'required' : relay.tls,
    serverName: relay.host,
    judge: (proof) => verdictFor(relay, proof),
    signal,
    limits,
    dialogue,
  }
  const session = await openClientSession(terms)
  const mayGoWithout = terms.tls === 'opportunistic' && session.kind === 'failed' && session.stage === 'tls'
  return mayGoWithout && !signal.aborted ? await openClientSession({ ...terms, tls: 'none' }) : session
}

/** The system's resolver knows names that are in no public DNS. */
async function addressesOf(
  { host, port }: Relay,
  { connectMs }: RelayLimits,
): Promise<readonly string[] | { readonly error: string }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the host name could not be looked up in time')), connectMs)
  })
  try {
    const found = await Promise.race([lookup(host, { all: true }), late])
    return found.map(({ address }) => address)
  } catch (error) {
    return { error: `connecting to ${formatPlace({ host, port })}: ${reasonOf(error)}` }
  } finally {
    clearTimeout(timer)
  }
}

function verdictFor({ tls }: Relay, { webPkiFailure }: PeerProof): PeerVerdict {
  if (!webPkiFailure) return { kind: 'accepted', verifiedBy: 'WebPKI' }
  return tls === 'required' ? { kind: 'refused', failure: webPkiFailure } : { kind: 'accepted' }
}

async function passwordOf({ login }: Relay, { passwords }: Means): Promise<string | undefined> {
  return login && (await passwords?.read(login.secretName))
}

function outcomeOfFailure(failed: NoSession, { requireTls }: RelayRequest): SmtpOutcome {
  if (requireTls !== true || !lacksTls(failed)) return temporary(failed.error, failed.reply)
  const error = `${failed.error}; the message demands TLS with a verified certificate (RFC 8689)`
  return { ...permanent('5.7.30', error), reply: failed.reply }
}

/** The server has no TLS, or none with a certificate that we trust; another try would find the same. */
function lacksTls({ stage, code, failure }: NoSession): boolean {
  const isPassing = /^(?:io-timeout|connection-closed)-/.test(failure?.reason ?? '')
  return stage === 'tls' && (code === 0 ? !isPassing : code >= 500)
}

/** What this server does not take, no other of the route will. */
function ofOnlyServer(outcome: SmtpOutcome): SmtpOutcome {
  const lacksSmtputf8 =
    outcome.kind === 'temporary' && outcome.code === 0 && outcome.enhancedCode === LACKS_SMTPUTF8
  return lacksSmtputf8 ? { ...outcome, kind: 'permanent', enhancedCode: '5.6.7' } : outcome
}

function forAll(
  { messages }: RelayRequest,
  dialogue: Dialogue,
  outcome: SmtpOutcome,
): readonly SmtpOutcome[] {
  return messages.map(() => ({ ...outcome, ...dialogue.evidence(false) }))
}
