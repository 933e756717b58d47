import { type Clock, SECOND } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Admission, Pacing } from './pacing.ts'
import { LARGEST_MESSAGE } from './submission-limits.ts'

interface MemoryPorts {
  readonly clock: Clock
  readonly random: Random
  /** What comes after this, and decides for messages that there is room for. */
  readonly pacing: Pacing
}

/**
 * Octets of content at a time: one message of the largest size. An attempt has it as it was read, as it is stored and
 * signed, and SES's calls have more; a worker has a gigabyte, which the sender shares with its resolver.
 */
const MOST_OCTETS = LARGEST_MESSAGE
/** What is smaller is not counted: workers bound how many there are, and large messages must not wait for all of them. */
const SMALL = 262_144

/**
 * Sees to the memory of a worker, which takes many hints at a time: large messages are put off while others of them are
 * under way. A worker without memory would take all its attempts with it, and after five such ends each is put on hold.
 */
export function withinMemory({ clock, random, pacing }: MemoryPorts): Pacing {
  let octets = 0
  return {
    async admit(transport, messages): Promise<Admission> {
      const size = messages[0]?.size ?? 0
      const counted = size < SMALL ? 0 : size
      const isTooMuch = counted > 0 && octets > 0 && octets + counted > MOST_OCTETS
      if (isTooMuch) {
        return { kind: 'later', at: Math.round(clock.now() + SECOND * (2 + 8 * random.fraction())) }
      }
      octets += counted
      const admission = await pacing.admit(transport, messages).catch((error: unknown) => {
        octets -= counted
        throw error
      })
      if (admission.kind === 'later') {
        octets -= counted
        return admission
      }
      return {
        kind: 'go',
        ended(outcomes) {
          octets -= counted
          admission.ended(outcomes)
        },
      }
    },
  }
}
