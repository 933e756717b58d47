/** Works on a batch, and says by `onLong`, once at most, that it takes long. */
type BatchWork = (onLong: () => void) => Promise<void>
/** Does that work for a poller. */
export type WithBatch = (work: BatchWork) => Promise<void>

/** How many pollers, and what they do. */
interface PollersOptions {
  /** Pollers that wait for messages or have some that do not take long. */
  readonly count: number
  /** All pollers, with those whose batch takes long. */
  readonly most: number
  /** Looks for messages once, and works on what it finds through `withBatch`; never throws. */
  readonly turn: (withBatch: WithBatch) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * Keeps `count` pollers at work. Who has a batch that takes long gets a stand-in, so that messages whose work hangs
 * do not hide the others; when such a batch is over, there is one poller too many, and it goes.
 */
export function keepPolling({ count, most, turn, signal }: PollersOptions): void {
  let all = 0
  let quick = 0
  const withBatch: WithBatch = async (work) => {
    let takesLong = false
    const onLong = () => {
      takesLong = true
      quick -= 1
      fill()
    }
    try {
      await work(onLong)
    } finally {
      if (takesLong) quick += 1
    }
  }
  const poll = async () => {
    all += 1
    quick += 1
    while (!signal.aborted && quick <= count) await turn(withBatch)
    all -= 1
    quick -= 1
  }
  const fill = () => {
    while (!signal.aborted && quick < count && all < most) void poll()
  }
  fill()
}
