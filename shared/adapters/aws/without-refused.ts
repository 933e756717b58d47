import type { Suppression } from '../../suppression/suppression.ts'
import type { WebhookCall } from '../../webhook/webhook-call.ts'
import { renumbered } from './call-items.ts'

/** What is written with a change: a call first, where there is one, and a suppression next. */
interface Effects<Same> {
  readonly call?: WebhookCall
  readonly suppression?: Suppression
  /** Instead, when the recipient is listed by now. */
  readonly otherwise?: Same
}

/**
 * What to write after a transaction refused some of it, by their places, of which the first effect has `first`:
 * another id where the call's was taken; the other effects where the recipient is listed by now.
 */
export function withoutRefused<Same extends Effects<Same>>(
  effects: Same,
  refused: readonly number[],
  first: number,
): Same {
  const { call, suppression, otherwise } = effects
  if (call && refused.includes(first)) return { ...effects, call: renumbered(call) }
  const isListed = suppression !== undefined && refused.includes(call ? first + 1 : first)
  return isListed && otherwise ? otherwise : effects
}
