import { Argument, type Command } from 'commander'
import { type Act, type ActOptions, act, addActOptions } from './act.ts'
import { CliError } from './cli-error.ts'
import { addPostponement } from './postponement.ts'
import type { Session } from './session.ts'

const holdHelp = `
A message on hold is not attempted until it is released; an attempt that runs goes on. Messages that come later are
held by rules: postern holdrules add.

Examples:
  postern queue hold --account shop
  postern queue hold --ids shop/115318000123904,shop/115318000123905`

const releaseHelp = `
What was released is attempted when its time has come, even where a hold rule matches it that is older than the release.

Examples:
  postern queue release --hold true --account shop
  postern queue release --all`

const scheduleHelp = `
TIME is now, a duration from now, or RFC 3339. A message on hold stays on hold.

Examples:
  postern queue schedule now --to @example.org
  postern queue schedule 30m --account shop
  postern queue schedule 2026-12-24T18:00:00Z --ids shop/115318000123904`

const postponeHelp = `
DURATION may be negative: the next attempt comes earlier.

Examples:
  postern queue postpone 2h --to @example.org
  postern queue postpone -10m --all`

const transportHelp = `
The transport takes the place of the routes, from the next attempt on.

Examples:
  postern queue transport relay --to @example.org
  postern queue transport --default --transport relay`

const requireTlsHelp = `
RFC 8689: yes delivers over verified TLS only, no prefers delivery to TLS, default is as the message was submitted
without a wish.

Example:
  postern queue requiretls no --ids shop/115318000123904`

const failHelp = `
The sender gets a notice of the failure, the application the event failed. The content is gone.

Examples:
  postern queue fail --to @example.org --submitted '<-24h'
  postern queue fail --ids shop/115318000123904 --yes`

const dropHelp = `
Nobody but the application is told, by the event canceled. The content is gone.

Examples:
  postern queue drop --from newsletter@example.org --dry-run
  postern queue drop --from newsletter@example.org`

/** Adds the commands that act on queued messages. */
export function addQueueActions(queue: Command, session: Session): void {
  addHolds(queue, session)
  addTimes(queue, session)
  addWays(queue, session)
  addEnds(queue, session)
}

function addHolds(queue: Command, session: Session): void {
  acting(queue.command('hold').description('put messages on hold'), holdHelp).action(
    async (options: ActOptions) => await run(session, { Action: 'hold' }, options),
  )
  acting(
    queue.command('release').alias('unhold').description('let messages on hold be attempted'),
    releaseHelp,
  ).action(async (options: ActOptions) => await run(session, { Action: 'release' }, options))
}

function addTimes(queue: Command, session: Session): void {
  acting(
    queue.command('schedule <time>').description('set the time of the next attempt'),
    scheduleHelp,
  ).action(async (At: string, options: ActOptions) => {
    await run(session, { Action: 'schedule', At }, options)
  })
  const postpone = queue.command('postpone').description('move the next attempt to a later time')
  addPostponement(acting(postpone, postponeHelp), async (By, options: ActOptions) => {
    await run(session, { Action: 'postpone', By }, options)
  })
}

function addWays(queue: Command, session: Session): void {
  acting(
    queue.command('transport [name]').description('choose the transport that takes messages'),
    transportHelp,
  )
    .option('--default', 'follow the routes again')
    .action(async (name: string | undefined, options: ActOptions & { readonly default?: boolean }) => {
      if ((name === undefined) !== (options.default === true)) {
        throw new CliError('give the name of a transport, or --default for the routes')
      }
      await run(session, { Action: 'transport', Transport: name ?? '' }, options)
    })
  acting(queue.command('requiretls').description('set whether TLS is required'), requireTlsHelp)
    .addArgument(new Argument('<wish>', 'what is wished').choices(['yes', 'no', 'default']))
    .action(async (wish: string, options: ActOptions) => {
      const RequireTLS = wish === 'default' ? null : wish === 'yes'
      await run(session, { Action: 'requiretls', RequireTLS }, options)
    })
}

function addEnds(queue: Command, session: Session): void {
  acting(
    queue.command('fail').description('give messages up, and tell their senders'),
    failHelp,
    true,
  ).action(async (options: ActOptions) => await run(session, { Action: 'fail' }, options, true))
  acting(
    queue.command('drop').description('give messages up without a notice to their senders'),
    dropHelp,
    true,
  ).action(async (options: ActOptions) => await run(session, { Action: 'drop' }, options, true))
}

function acting(command: Command, help: string, isFinal = false): Command {
  return addActOptions(command, { list: 'messages', isFinal }).addHelpText('after', help)
}

async function run(session: Session, body: Act['body'], options: ActOptions, isFinal = false): Promise<void> {
  await act(session, { queue: 'messages', body, isFinal }, options)
}
