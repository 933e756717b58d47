import { Argument, type Command, InvalidArgumentError } from 'commander'
import { parseDuration } from '../../shared/base/duration.ts'

/** Gives a command the argument `<duration>`, which may be negative, as the API takes it. */
export function addPostponement<Options>(
  command: Command,
  run: (by: string, options: Options) => Promise<void>,
): Command {
  return (
    command
      .addArgument(new Argument('<duration>', 'how much later, or -10m earlier').argParser(readDuration))
      // To commander -10m is an option that it does not know.
      .allowUnknownOption()
      .action(run)
  )
}

function readDuration(text: string): string {
  if (text.startsWith('--')) throw new InvalidArgumentError('There is no such option.')
  if (parseDuration(text) !== undefined) return text
  throw new InvalidArgumentError('Durations look like 72h, 1h30m or -10m.')
}
