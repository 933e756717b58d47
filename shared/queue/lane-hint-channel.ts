import type { DelayedHint, HintChannel } from '../attempts/hint-channel.ts'

/** The channels to the workers that deliver; `direct` is left out where nothing delivers directly. */
export interface LaneChannels {
  readonly function: HintChannel
  readonly direct?: HintChannel
}

/**
 * Sends each hint to the workers of its lane; to the functions where they are the only ones, for them to say so. As many
 * hints wait as in the lane where the fewest do: while one is full, there is room in the other.
 */
export function laneHintChannel(lanes: LaneChannels): HintChannel {
  const { function: functions, direct } = lanes
  if (!direct) return functions
  return {
    async send(hints) {
      await Promise.all([
        functions.send(hints.filter((hint) => !isDirect(hint))),
        direct.send(hints.filter(isDirect)),
      ])
    },
    depth: async () => Math.min(...(await Promise.all([functions.depth(), direct.depth()]))),
  }
}

function isDirect({ lane }: DelayedHint): boolean {
  return lane === 'direct'
}
