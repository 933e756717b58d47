/** Runs `action` every `periodMs` after the last run ended, until it is stopped; an error is reported and forgotten. */
export function repeat(
  periodMs: number,
  action: () => Promise<unknown>,
  onError: (error: unknown) => void,
): { stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const plan = () => {
    if (!stopped) timer = setTimeout(run, periodMs)
  }
  const run = () => void action().catch(onError).finally(plan)
  plan()
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
