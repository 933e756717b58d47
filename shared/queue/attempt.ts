import type { Options, TransportSettings } from '../account/options.ts'
import { attemptsBefore } from '../attempts/attempt-row.ts'
import { beginAttempt } from '../attempts/begin-attempt.ts'
import type { Hint, HintChannel, Lane } from '../attempts/hint-channel.ts'
import { type Instant, MINUTE } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { queueContent } from '../content/content-store.ts'
import type { MessageSigner } from '../dkim/message-signer.ts'
import type { Standing, Suppression } from '../suppression/suppression.ts'
import type { SuppressionStore } from '../suppression/suppression-store.ts'
import { callHint } from '../webhook/webhook-call.ts'
import { chooseTransport, type Mistake } from './choose-transport.ts'
import { asSettled, conclude, type Outcomes, retryHints } from './conclude.ts'
import { endUnheard } from './end-unheard.ts'
import { gatherDue } from './gather-due.ts'
import { giveNotice, type NoticePorts } from './give-notice.ts'
import { hintInLane, laneOf, nextHintsInLane } from './lanes.ts'
import type { Pacing } from './pacing.ts'
import type { QueueStore } from './queue-store.ts'
import { contentKeptUntil, type QueuedMessage } from './queued-message.ts'
import type { DeliveryOutcome, Suppressed, Transport } from './transport.ts'

export interface AttemptPorts extends NoticePorts {
  readonly queue: QueueStore
  readonly suppressions: Pick<SuppressionStore, 'standings'>
  readonly signer: MessageSigner
  readonly transport: Transport
  /** Left out: everything may go at once. */
  readonly pacing?: Pacing
  /** The transports that this worker has; left out, all of them. */
  readonly lane?: Lane
  readonly deliveries: HintChannel
  readonly webhooks: HintChannel
  /** How long a claim holds; longer than the function may run. */
  readonly leaseMs: number
  readonly log: Log
}

/**
 * Follows a hint: one attempt to deliver that message, and with it those for other recipients of the same Send
 * and domain. The attempt is written down before it is made. What the remote does is an outcome; what throws is
 * a fault of ours, and its rows are tried again when their lease is over.
 */
export async function attempt(ports: AttemptPorts, hint: Hint): Promise<void> {
  const hinted = await ports.queue.read(hint.account, hint.id)
  if (hinted?.owed) await giveNotice(ports, hinted)
  if (hinted?.state === 'handed') return await endUnheard(ports, hinted)
  const options = await ports.options.read()
  const due = await gatherDue(ports, options, hint, hinted)
  const [head] = due
  if (!head) return

  const transport = chooseTransport(options, head, attemptsBefore(head))
  if (ports.lane && laneOf(transport) !== ports.lane) {
    return await ports.deliveries.send([hintInLane(options, head)])
  }
  const isPaced = ports.pacing !== undefined && transport.kind !== 'mistake'
  const admission = isPaced ? await ports.pacing.admit(transport, due) : ALWAYS
  if (admission.kind === 'later') return await putOff(ports, options, due, admission.at)
  const heard: DeliveryOutcome[] = []
  try {
    const claimed = await claimEach(ports, due, transport)
    const standings = await standingsOf(ports, claimed)
    const outcomes = await deliver(ports, { options, transport, heard }, claimed, standings)
    await settleEach(ports, options, claimed, outcomes, standings)
    logUnknown(ports.log, claimed, outcomes)
  } finally {
    admission.ended(heard)
  }
}

const ALWAYS = { kind: 'go', ended: () => {} } as const

/**
 * Nothing was begun: whoever looks at the rows is to do so when it is their turn. Who finds them put off already hints
 * nothing, or the hints of one row would become more and more.
 */
async function putOff(
  ports: AttemptPorts,
  options: Options,
  rows: readonly QueuedMessage[],
  at: Instant,
): Promise<void> {
  const isPutOff = await Promise.all(rows.map((row) => ports.queue.lookAgain(row, at)))
  const head = rows.find((_, place) => isPutOff[place])
  if (head) await ports.deliveries.send(nextHintsInLane(options, { ...head, nextAt: at }, ports.clock.now()))
}

function logUnknown(log: Log, rows: readonly QueuedMessage[], outcomes: Outcomes['outcomes']): void {
  for (const [place, { account, id }] of rows.entries()) {
    const outcome = outcomes[place]
    if (outcome?.kind !== 'unknown') continue
    log.warn('it is unknown whether a message was taken', { account, id, error: outcome.error })
  }
}

async function standingsOf(
  { suppressions }: AttemptPorts,
  claimed: readonly QueuedMessage[],
): Promise<readonly Standing[]> {
  const [first] = claimed
  if (!first) return []
  const recipients = claimed.map((row) => row.recipient)
  return await suppressions.standings(first.account, recipients)
}

async function claimEach(
  ports: AttemptPorts,
  rows: readonly QueuedMessage[],
  { kind }: Way['transport'],
): Promise<readonly QueuedMessage[]> {
  const claims = rows.map((row) =>
    beginAttempt(
      { ...ports, store: ports.queue },
      row,
      ports.leaseMs,
      (begun) => ({ ...begun, status: 'running', enhancedCode: '', reply: '' }),
      kind === 'ses' ? TOLD_BY_SES_WITHIN : 0,
    ),
  )
  const claimed = await Promise.all(claims)
  for (const row of rows.filter((before, place) => claimed[place] && before.lease?.workerEndsAt)) {
    ports.log.warn('possible duplicate', { account: row.account, id: row.id, attempt: row.attempts + 1 })
  }
  return claimed.filter((row) => row !== undefined)
}

/** SES tells by events what it was given, also where the worker that gave it did not live to write that down. */
const TOLD_BY_SES_WITHIN = 30 * MINUTE

/** What the messages of an attempt go by. */
interface Way {
  readonly options: Options
  readonly transport: TransportSettings | Mistake
  /** Gets what the transport says, and nothing that was decided without it. */
  readonly heard: DeliveryOutcome[]
}

/** Delivers to those whom the account may send to; for the others nobody is asked. */
async function deliver(
  ports: AttemptPorts,
  way: Way,
  claimed: readonly QueuedMessage[],
  standings: readonly Standing[],
): Promise<Outcomes['outcomes']> {
  const suppressed = standings.map(({ suppression }) => suppression && suppressedBy(suppression))
  const wanted = claimed.filter((_, place) => !suppressed[place])
  const outcomes = [...(await transact(ports, way, wanted))]
  return suppressed.map((outcome) => outcome ?? outcomes.shift())
}

function suppressedBy({ baseAddress, reason }: Suppression): Suppressed {
  const error = `${baseAddress} is on the suppression list of the account: ${reason}`
  return { kind: 'suppressed', code: 0, enhancedCode: '', error }
}

/** RFC 3463 §3.5: delivery time expired. */
const TOO_OLD: DeliveryOutcome = {
  kind: 'permanent',
  code: 0,
  enhancedCode: '5.4.7',
  reply: '',
  error: 'the message waited so long that its content is no longer kept',
}

async function transact(
  ports: AttemptPorts,
  { options, transport, heard }: Way,
  claimed: readonly QueuedMessage[],
): Promise<readonly DeliveryOutcome[]> {
  const [first] = claimed
  if (!first) return []
  if (transport.kind === 'mistake') return claimed.map(() => postponed(transport))
  const content = await ports.content.read(queueContent(first.base))
  if (!content && ports.clock.now() > contentKeptUntil({ ...first, nextAt: first.queuedAt })) {
    return claimed.map(() => TOO_OLD)
  }
  if (!content) throw new Error(`the content of message ${first.account}/${first.id} is missing`)
  // SES signs for itself, and refuses mail with two signatures of one domain.
  const signed = transport.kind === 'ses' ? content : await ports.signer.sign(options, content)
  if ('mistake' in signed) return claimed.map(() => postponed(signed))
  const outcomes = await ports.transport.deliver({
    transport,
    hostname: options.hostname,
    ...(first.mailFrom && { mailFrom: first.mailFrom }),
    messages: claimed,
    content: signed,
    has8bit: first.has8bit,
    smtputf8: first.smtputf8,
    ...(first.requireTls !== undefined && { requireTls: first.requireTls }),
  })
  heard.push(...outcomes)
  return outcomes
}

/** What only an operator can mend. */
function postponed({ mistake }: { readonly mistake: string }): DeliveryOutcome {
  return { kind: 'temporary', code: 0, enhancedCode: '', error: mistake, reply: '' }
}

async function settleEach(
  ports: AttemptPorts,
  options: Options,
  claimed: readonly QueuedMessage[],
  outcomes: Outcomes['outcomes'],
  standings: readonly Standing[],
): Promise<void> {
  const now = ports.clock.now()
  const conclusions = conclude({ rows: claimed, outcomes, standings, options, now, random: ports.random })
  const settled = await Promise.all(
    conclusions.map(({ row, settlement, effects }) => ports.queue.settle(row, settlement, effects)),
  )
  await Promise.all([
    ports.deliveries.send(retryHints(options, conclusions, now)),
    ...conclusions
      .filter((_, place) => settled[place]?.kind === 'settled')
      .map((conclusion) => giveNotice(ports, asSettled(conclusion))),
    ports.webhooks.send(
      settled.flatMap((end) => (end.kind === 'settled' && end.call ? [callHint(end.call)] : [])),
    ),
  ])
}
