import type { SesDelivery } from '../account/options.ts'
import { formatAddress } from '../address/address.ts'
import { type Clock, type Instant, MINUTE, SECOND } from '../base/clock.ts'
import { inGroups } from '../base/in-groups.ts'
import type { Log } from '../base/log.ts'
import { LARGEST_ON_SES } from '../queue/submission-limits.ts'
import type { DeliveryOutcome, DeliveryRequest, RequestedMessage, Transport } from '../queue/transport.ts'
import type { SesClient, SesEmail } from './ses-client.ts'
import { sesContent, sesSender } from './ses-content.ts'
import { sesOutcome } from './ses-outcome.ts'
import type { SesRate } from './ses-rate.ts'
import { sesTags } from './ses-tags.ts'

interface SesPorts {
  readonly client: Pick<SesClient, 'send'>
  readonly rate: Pick<SesRate, 'takeTurn' | 'pause'>
  readonly clock: Clock
  readonly wait: (milliseconds: number) => Promise<void>
  readonly log: Log
}

/** Turns of one transaction that are taken ahead. */
const AT_ONCE = 10
/** Of these calls; each has the message four times in memory, as it is, in base64, in JSON and as it is sent. */
const MOST_OCTETS_AT_ONCE = 67_108_864
/** What has no turn by then comes again: a function has a minute. */
const TURNS_END_AFTER = 30 * SECOND
/** A process that was kept from its turn does not make several calls in the place of one. */
const TURN_LASTS_MS = 500
/** Where turns cannot be taken. */
const FAULT_LASTS = MINUTE

/** Delivers through SES: one call for each recipient, each at a turn of its own, and none twice. */
export function sesTransport(ports: SesPorts): Transport<SesDelivery> {
  return {
    async deliver(request) {
      const email = emailOf(request)
      if ('kind' in email) return request.messages.map(() => email)
      const lastTurnAt = ports.clock.now() + TURNS_END_AFTER
      const fit = Math.floor(MOST_OCTETS_AT_ONCE / email.content.length)
      const atOnce = Math.max(1, Math.min(AT_ONCE, fit))
      return await inGroups(request.messages, atOnce, (message) => hand(ports, email, message, lastTurnAt))
    },
  }
}

/** What goes to every recipient, or why SES cannot have it. */
function emailOf(request: DeliveryRequest): Pick<SesEmail, 'from' | 'content'> | DeliveryOutcome {
  if (request.requireTls === true) {
    return permanent(
      '5.7.30',
      'SES cannot promise verified TLS all the way, which the message demands (RFC 8689)',
    )
  }
  if (request.smtputf8) return permanent('5.6.7', 'SES does not take internationalized mail (SMTPUTF8)')
  const content = sesContent(request.content)
  if (content.length > LARGEST_ON_SES) {
    return permanent('5.3.4', `SES takes no message of ${content.length} bytes`)
  }
  const from = sesSender(content)
  if (!from) return permanent('5.6.0', 'the message has no From with an address, which SES wants')
  return { from: formatAddress(from), content }
}

async function hand(
  ports: SesPorts,
  email: Pick<SesEmail, 'from' | 'content'>,
  { account, id, attempts, recipient }: RequestedMessage,
  lastTurnAt: Instant,
): Promise<DeliveryOutcome> {
  const late = await awaitTurn(ports, lastTurnAt).catch((error: unknown) => withoutTurn(ports, error))
  if (late) return late
  const tags = sesTags({ account, id, attempt: attempts })
  const answer = await ports.client.send({ ...email, to: formatAddress(recipient), tags })
  const { outcome, pauseUntil } = sesOutcome(answer, ports.clock.now())
  if (pauseUntil !== undefined) await pause(ports, pauseUntil)
  return outcome
}

/** The outcome is known, whether the others hear of it or hear it from SES themselves. */
async function pause({ rate, log }: SesPorts, until: Instant): Promise<void> {
  try {
    await rate.pause(until)
  } catch (error) {
    log.error('a pause of SES could not be noted', error)
  }
}

/** SES was not asked: thrown, this would leave the message, and those beside it, for half an hour to what SES may tell. */
function withoutTurn({ clock, log }: SesPorts, cause: unknown): DeliveryOutcome {
  log.error('no turn of SES could be taken', cause)
  return postponed('no turn of SES could be taken', clock.now() + FAULT_LASTS)
}

function postponed(error: string, until: Instant): DeliveryOutcome {
  return { kind: 'postponed', code: 0, enhancedCode: '', error, reply: '', until }
}

/** Waits for a turn, and for another one when that was missed; an outcome where there is none in time. */
async function awaitTurn(
  { rate, clock, wait }: SesPorts,
  lastTurnAt: Instant,
): Promise<DeliveryOutcome | undefined> {
  for (;;) {
    const turnAt = await rate.takeTurn()
    if (turnAt > lastTurnAt) return postponed('the rate that SES grants left no turn for it', turnAt)
    const aheadMs = turnAt - clock.now()
    if (aheadMs > 0) await wait(aheadMs)
    if (clock.now() - turnAt < TURN_LASTS_MS) return undefined
  }
}

/** We know ourselves that SES cannot take this. */
function permanent(enhancedCode: string, error: string): DeliveryOutcome {
  return { kind: 'permanent', code: 0, enhancedCode, error, reply: '' }
}
