import { formatAddress } from '../../address/address.ts'
import type { OpenSession } from '../../direct/sessions.ts'
import type { DeliveryRequest, SmtpOutcome } from '../../queue/transport.ts'
import { permanent, temporary } from './client-outcome.ts'
import { largestMessage, needsSmtputf8 } from './client-parameters.ts'
import { type ClientSession, endClientSession } from './client-session.ts'
import { broken, reset, type TransactionResult, transact } from './client-transaction.ts'

/** What became of the recipients, by address as it was sent. */
type Fates = ReadonlyMap<string, SmtpOutcome>

/** The session as those see it who have messages for it. */
export function openSessionOf(session: ClientSession): OpenSession {
  const { remote, extensions, proof, withoutTls } = session
  let hasSent = false
  return {
    kind: 'open',
    remote,
    extensions,
    ...(proof && { proof }),
    ...(withoutTls && { withoutTls }),
    async send(request) {
      // The way to the first message is part of its evidence.
      if (hasSent) session.dialogue.restart()
      hasSent = true
      session.connection.hasTakenMail = false
      return await deliverOver(session, request)
    },
    hasTakenMail: () => session.connection.hasTakenMail,
    isReusable: () => isUsable(session),
    end: () => endClientSession(session),
  }
}

/**
 * Delivers a message: one transaction (RFC 5321 §3.3), unless the server takes fewer recipients at a time. One outcome
 * for each recipient, in their order.
 */
async function deliverOver(
  session: ClientSession,
  request: DeliveryRequest,
): Promise<readonly SmtpOutcome[]> {
  const texts = request.messages.map(({ recipient }) => formatAddress(recipient))
  // The library refuses the whole transaction for such an address, which is a legal one.
  const sendable = [...new Set(texts.filter((text) => !/[<>]/.test(text)))]
  const problem = incapability(request, session)
  const fates = problem ? shared(sendable, problem) : await transactions(session, request, sendable)
  return request.messages.map(({ dsn }, place) => {
    const fate = fates.get(texts[place] ?? '')
    if (!fate) return UNWRITABLE
    // RFC 3461 §5.2.1: whoever was asked gives the notices.
    const givesNotices = dsn?.notify !== undefined && session.extensions.has('DSN')
    const isAccepted = fate.kind === 'accepted'
    return {
      ...fate,
      ...(isAccepted && givesNotices && { givesNotices }),
      ...session.dialogue.evidence(isAccepted),
    }
  })
}

const UNWRITABLE = permanent('5.1.3', 'an address with < or > in it cannot be delivered to')

/**
 * What a server does not offer, we do not try; only 8-bit content mostly passes anyway. Another server of the domain
 * may take internationalized mail (a relay has no others, and makes this permanent).
 */
function incapability(request: DeliveryRequest, session: ClientSession): SmtpOutcome | undefined {
  const { place, extensions } = session
  const size = request.content.length
  if (request.requireTls === true && !(session.proof && extensions.has('REQUIRETLS'))) {
    return permanent('5.7.30', `${place} does not offer REQUIRETLS, which the message demands (RFC 8689)`)
  }
  if (needsSmtputf8(request) && !extensions.has('SMTPUTF8')) {
    const outcome = temporary(`${place} does not take internationalized mail (SMTPUTF8)`)
    return { ...outcome, enhancedCode: LACKS_SMTPUTF8 }
  }
  if (size <= largestMessage(extensions)) return undefined
  return permanent('5.3.4', `${place} takes no message of ${size} bytes`)
}

/** RFC 6531 §3.5, of a temporary failure. */
export const LACKS_SMTPUTF8 = '4.6.7'

/**
 * Has one transaction after the other until each recipient has its fate. Every one decides about somebody: where
 * nobody is accepted, nobody is left over for another.
 */
async function transactions(
  session: ClientSession,
  request: DeliveryRequest,
  recipients: readonly string[],
): Promise<Fates> {
  const fates = new Map<string, SmtpOutcome>()
  let waiting = recipients
  for (let isFirst = true; waiting.length > 0; isFirst = false) {
    const hindrance = await hindranceBefore(session)
    if (hindrance) return new Map([...shared(waiting, hindrance), ...fates])
    const group = waiting.slice(0, session.rcptMax)
    const result = await transact(session, request, group)
    const end = !isFirst && result.isMailRefused ? ofSession(result.end) : result.end
    for (const recipient of group) fates.set(recipient, result.refused.get(recipient) ?? end)
    waiting = [...waiting.slice(group.length), ...result.tooMany]
    if (endsAll({ ...result, end })) return new Map([...shared(waiting, end), ...fates])
  }
  return fates
}

/** The server took the same MAIL before: that it refuses it now is about the session, not about the sender. */
function ofSession(outcome: SmtpOutcome): SmtpOutcome {
  return outcome.kind === 'accepted' ? outcome : { ...outcome, kind: 'temporary' }
}

/** Whether those who wait share this end. */
function endsAll({ isMailRefused, end }: TransactionResult): boolean {
  return isMailRefused || (end.kind === 'temporary' && end.code === 0)
}

/** Why no transaction can follow in the session; undefined when one can. */
async function hindranceBefore(session: ClientSession): Promise<SmtpOutcome | undefined> {
  if (session.transactions >= session.mailMax) {
    return temporary('the server takes no more messages in this session (MAILMAX)')
  }
  if (session.signal.aborted) return broken(session, session.signal.reason)
  if (!isUsable(session)) return broken(session, new Error('connection closed'))
  return session.isUnfinished ? await reset(session) : undefined
}

function isUsable({ connection, signal, transactions, mailMax, isSpent }: ClientSession): boolean {
  const { _socket: socket, destroyed } = connection
  const isOpen = socket ? socket.writable && !destroyed : false
  return isOpen && !isSpent && !signal.aborted && transactions < mailMax
}

function shared(recipients: readonly string[], outcome: SmtpOutcome): Fates {
  return new Map(recipients.map((recipient) => [recipient, outcome]))
}
