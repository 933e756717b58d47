import type { OptionsStore } from '../account/options-store.ts'
import type { HintChannel } from '../attempts/hint-channel.ts'
import type { Clock } from '../base/clock.ts'
import { callHint } from '../webhook/webhook-call.ts'
import { currentResult } from './conclude.ts'
import { callAbout, retiredNow } from './ending.ts'
import type { Effects, QueueStore } from './queue-store.ts'
import { type QueuedMessage, wantsNotice } from './queued-message.ts'

/** What the result of such a message says. */
const UNHEARD = 'no event from SES within 26 hours'

/** Whether a message counts as delivered because nobody said otherwise. */
export function isUnheard(row: QueuedMessage): boolean {
  return row.state === 'done' && currentResult(row)?.error === UNHEARD
}

/**
 * Ends a message whose next hop has told nothing for longer than it tries to deliver: it took the message, and that
 * is all that is known. Nothing happens before that time, nor when the message is no longer as it was read.
 */
export async function endUnheard(
  ports: {
    readonly options: Pick<OptionsStore, 'read'>
    readonly queue: Pick<QueueStore, 'settleTold'>
    readonly webhooks: HintChannel
    readonly clock: Clock
  },
  row: QueuedMessage,
): Promise<void> {
  const now = ports.clock.now()
  const handed = currentResult(row)
  if (row.state !== 'handed' || row.nextAt > now || !handed) return
  const options = await ports.options.read()
  const told = { suppressing: false, smtpCode: 0, smtpEnhancedCode: '', error: UNHEARD }
  const effects: Effects = {
    ...callAbout(options, row, now, { event: 'relayed', ...told }),
    ...(wantsNotice(row, 'relayed') && { notice: 'relayed' }),
  }
  const result = { ...handed, status: 'success', error: UNHEARD } as const
  const retired = retiredNow(options, row, true, now)
  const settled = await ports.queue.settleTold(row, { kind: 'retire', result, retired }, effects)
  if (settled?.call) await ports.webhooks.send([callHint(settled.call)])
}
