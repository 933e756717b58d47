import { Argument, type Command, InvalidArgumentError } from 'commander'
import { z } from 'zod'
import { CLOCK_PATH } from '../../infra/local/clock-endpoint.ts'
import { CliError } from './cli-error.ts'
import { reach } from './client.ts'
import { formatDuration, parseDuration } from './duration.ts'
import type { Session } from './session.ts'

const help = `
Only the local Postern of npm start has a clock that can be moved. All of it follows: functions, the SMTP listener,
queues and expiries. What becomes due happens at once, so a retry schedule of hours can be watched in seconds. Time
that was moved stays so after a restart.

Examples:
  postern time
  postern time +8m
  postern time +7m30s`

/** Adds `postern time`. */
export function addTimeCommand(program: Command, session: Session): void {
  program
    .command('time')
    .description('show the time of the local Postern, or move it forward')
    .addArgument(new Argument('[+duration]', 'how far to move it').argParser(parseMove))
    .option('--reset', "go back to this machine's time, where no data stands against it")
    .addHelpText('after', help)
    .action(async (advanceMs: number | undefined, { reset }: { readonly reset?: boolean }) => {
      const url = session.url()
      const before = await callClock(url)
      if (reset) refuseReset(before)
      const answer = advanceMs === undefined || reset ? before : await callClock(url, advanceMs)
      session.show(answer, describe(answer))
    })
}

/** Milliseconds. */
function parseMove(text: string): number {
  if (!text.startsWith('+')) throw new InvalidArgumentError('Time only moves forward: +8h, +7m30s or +90s.')
  const milliseconds = Math.round(parseDuration(text.slice(1)) / 1e6)
  if (milliseconds >= 1) return milliseconds
  throw new InvalidArgumentError('Time moves by at least +1ms.')
}

const answerSchema = z.object({ now: z.string(), offsetMs: z.number() })
const errorSchema = z.object({ message: z.string() })
type Answer = z.infer<typeof answerSchema>

async function callClock(url: string, advanceMs?: number): Promise<Answer> {
  const move = advanceMs !== undefined && { method: 'POST', body: JSON.stringify({ advanceMs }) }
  const response = await reach(url, `${url}${CLOCK_PATH}`, { ...move })
  const json: unknown = await response.json().catch(() => undefined)
  const answer = answerSchema.safeParse(json)
  if (response.ok && answer.success) return answer.data
  const error = errorSchema.safeParse(json)
  if (response.status !== 404 && error.success) throw new CliError(error.data.message)
  throw new CliError(`${url} is not a local Postern: only the time of npm start can be moved`)
}

function refuseReset({ offsetMs }: Answer): void {
  if (offsetMs === 0) return
  throw new CliError(
    `time stays ${formatDuration(offsetMs * 1e6)} ahead: the ids and times of the stored data would run backwards; ` +
      'to begin anew, stop npm start and delete its data directory',
  )
}

function describe({ now, offsetMs }: Answer): string {
  return `${now}, ${offsetMs === 0 ? 'not moved' : `${formatDuration(offsetMs * 1e6)} ahead of this machine`}`
}
