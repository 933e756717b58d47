import type { OptionsStore } from '../account/options-store.ts'
import type { HintChannel } from '../attempts/hint-channel.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import { conclude, resultOf } from '../queue/conclude.ts'
import { isUnheard } from '../queue/end-unheard.ts'
import { feedbackOf, type News } from '../queue/feedback.ts'
import { hintInLane } from '../queue/lanes.ts'
import type { QueueStore } from '../queue/queue-store.ts'
import type { QueuedMessage } from '../queue/queued-message.ts'
import type { DeliveryOutcome } from '../queue/transport.ts'
import type { SuppressionStore } from '../suppression/suppression-store.ts'
import { callHint, type WebhookCall } from '../webhook/webhook-call.ts'
import type { SesEvent } from './ses-event.ts'
import type { SesEventStore } from './ses-event-store.ts'
import { handed } from './ses-outcome.ts'

export interface SesEventPorts {
  readonly options: Pick<OptionsStore, 'read'>
  readonly queue: Pick<QueueStore, 'read' | 'settleTold'>
  readonly events: SesEventStore
  readonly suppressions: Pick<SuppressionStore, 'standings'>
  readonly deliveries: HintChannel
  readonly webhooks: HintChannel
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const MOST_RACES = 10

/**
 * Writes down what SES tells of a message. Events come late, doubled and in any order, before our own worker has
 * written that SES has the message, and after a later attempt: each is taken for what the message is by now.
 */
export async function takeSesEvent(ports: SesEventPorts, event: SesEvent): Promise<void> {
  for (let race = 0; race < MOST_RACES; race++) {
    const row = await ports.queue.read(event.account, event.id)
    if (!row || event.attempt > row.attempts) {
      const { account, id, attempt } = event
      return ports.log.info('an event of SES is about nothing that is known', { account, id, attempt })
    }
    if (await take(ports, event, row)) return
  }
  throw new Error('a message changed faster than an event of SES could be taken')
}

/** False when the message has changed since it was read, or is to be read again. */
async function take(ports: SesEventPorts, event: SesEvent, row: QueuedMessage): Promise<boolean> {
  const { kind } = event.news
  if (kind === 'complained') return await note(ports, event, row, 'complaint')
  if (event.attempt < row.attempts) return await keepLate(ports, event, row)
  if (row.state === 'done') return await takeLater(ports, event, row)
  if (kind === 'delayed' && row.state === 'handed') return await note(ports, event, row, 'delayed')
  if (kind === 'taken' && row.state === 'handed') return true
  const isSettled = await settle(ports, row, outcomeOf(event))
  return isSettled && kind !== 'delayed'
}

/** The message has ended. A delivery may still come back; that it ended unheard, or badly, may have been wrong. */
async function takeLater(ports: SesEventPorts, event: SesEvent, row: QueuedMessage): Promise<boolean> {
  if (!row.retired?.success) return await keepLate(ports, event, row)
  switch (event.news.kind) {
    case 'bounced':
    case 'rejected':
      return await note(ports, event, row, 'failed')
    case 'delivered':
      return !isUnheard(row) || (await note(ports, event, row, 'delivered'))
    default:
      return true
  }
}

/** Whoever gives up has tried, so that nothing is tried again; who does anything else has the message. */
function outcomeOf({ messageId, news }: SesEvent): Exclude<DeliveryOutcome, { readonly kind: 'unknown' }> {
  const { code, enhancedCode, text } = news
  switch (news.kind) {
    case 'delivered':
      return { kind: 'accepted', code, enhancedCode, reply: text }
    case 'bounced':
    case 'rejected':
      return { kind: 'permanent', code, enhancedCode, error: text, reply: code === 0 ? '' : text }
    default:
      return handed(messageId)
  }
}

async function settle(ports: SesEventPorts, row: QueuedMessage, outcome: DeliveryOutcome): Promise<boolean> {
  const options = await ports.options.read()
  const standings = await ports.suppressions.standings(row.account, [row.recipient])
  const [conclusion] = conclude({
    ...{ rows: [row], outcomes: [outcome], standings, options },
    ...{ now: ports.clock.now(), random: ports.random },
  })
  if (!conclusion) return true
  const { settlement, effects } = conclusion
  const settled = await ports.queue.settleTold(row, settlement, effects)
  if (!settled) return false
  await tell(ports, settled.call)
  // Whoever follows it finds the notice owed.
  if (effects.notice) await ports.deliveries.send([hintInLane(options, row)])
  return true
}

async function note(
  ports: SesEventPorts,
  { news, eventId }: SesEvent,
  row: QueuedMessage,
  action: News['action'],
): Promise<boolean> {
  const options = await ports.options.read()
  const [standing] = await ports.suppressions.standings(row.account, [row.recipient])
  if (!standing) throw new Error('every recipient has a standing')
  const { code, enhancedCode, text } = news
  const feedback = feedbackOf(
    { action, code, enhancedCode, text, source: 'SES', isDsn: false },
    { message: row, standing, account: lookUp(options.accounts, row.account), at: ports.clock.now() },
  )
  const noted = await ports.events.note(feedback, eventId)
  if (noted) await tell(ports, noted.call)
  return noted !== undefined
}

async function tell({ webhooks }: SesEventPorts, call: WebhookCall | undefined): Promise<void> {
  if (call) await webhooks.send([callHint(call)])
}

/** What SES did with an attempt after which we went on is not forgotten. */
async function keepLate(ports: SesEventPorts, event: SesEvent, row: QueuedMessage): Promise<boolean> {
  const before = row.results.find(({ attempt }) => attempt === event.attempt)
  if (before) {
    const outcome = outcomeOf(event)
    await ports.events.keepLate(row, { ...resultOf(before, outcome, ports.clock.now()), late: true })
  }
  return true
}
