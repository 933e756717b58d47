import type { Clock } from '../base/clock.ts'
import type { Pacing } from '../queue/pacing.ts'
import { NEAR_MS, type SesRate } from './ses-rate.ts'

/**
 * Lets as many messages go to SES as have their turn within two seconds; the others come back when it may be theirs.
 * The turn itself is taken just before the call: what lies between would make it late.
 */
export function sesPacing({ rate, clock }: { readonly rate: SesRate; readonly clock: Clock }): Pacing {
  let underWay = 0
  return {
    async admit({ kind }, messages) {
      if (kind !== 'ses') return { kind: 'go', ended: () => {} }
      const prospect = await rate.prospect()
      if (prospect.kind === 'stopped') return { kind: 'later', at: prospect.until }
      if (prospect.at + underWay * prospect.everyMs > clock.now() + NEAR_MS) {
        return { kind: 'later', at: await rate.comeBack(messages.length) }
      }
      underWay += messages.length
      return {
        kind: 'go',
        ended: () => {
          underWay -= messages.length
        },
      }
    },
  }
}
