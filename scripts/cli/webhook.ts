import type { Command } from 'commander'
import type { QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import { type Act, type ActOptions, act, addActOptions } from './act.ts'
import { callPage, isRetired, queuedTable, retiredTable } from './call-page.ts'
import { CliError } from './cli-error.ts'
import { addPostponement } from './postponement.ts'
import { addFilter } from './row-filter.ts'
import { addListOptions, type RowListOptions, showList } from './row-list.ts'
import { rowPath } from './row-path.ts'
import type { Session } from './session.ts'
import { addWebhookTest } from './webhook-test.ts'

const webhookHelp = `
What acts on calls needs to know which: some that options choose, or --all.

Examples:
  postern webhook list --account shop
  postern webhook schedule now --account shop`

const listHelp = `
Examples:
  postern webhook list --account shop --event failed
  postern webhook list --submitted '<-1h' --json`

const printHelp = `
Example:
  postern webhook print shop/115318000123904`

const releaseHelp = `
A call comes on hold when five attempts in a row were interrupted.

Example:
  postern webhook release --all`

const scheduleHelp = `
TIME is now, a duration from now, or RFC 3339.

Examples:
  postern webhook schedule now --account shop
  postern webhook schedule 2h --event delayed`

const postponeHelp = `
DURATION may be negative: the next attempt comes earlier.

Example:
  postern webhook postpone 30m --account shop`

const cancelHelp = `
The application is never told.

Example:
  postern webhook cancel --account shop --event delayed --dry-run`

const replayHelp = `
Each is made anew: the same body to the same URL, under an ID of its own, with attempts of its own. Left alone are
calls that a later one superseded, tests, and those whose large body is no longer kept. The finished call stays as it
ended: what is replayed twice is told twice.

Examples:
  postern webhook replay --account shop --last-activity '>-24h' --result failure --dry-run
  postern webhook replay --ids shop/115318000123904`

const retiredHelp = `
Example:
  postern webhook retired list --event incoming --last-activity '>-1h'`

/** Adds `postern webhook …`. */
export function addWebhookCommands(program: Command, session: Session): void {
  const webhook = program
    .command('webhook')
    .description('webhook calls that wait to be made')
    .addHelpText('after', webhookHelp)
  const list = webhook.command('list').description('list queued calls, the next attempt first')
  addListOptions(addFilter(list, 'webhooks'), ['NextAttempt', 'Submitted'])
    .addHelpText('after', listHelp)
    .action(async (options: RowListOptions) => {
      await showList<QueuedCallJson>(session, '/webhooks', options, queuedTable)
    })
  webhook
    .command('print <id>')
    .description('show everything about a call, queued or finished')
    .addHelpText('after', printHelp)
    .action(async (id: string) => {
      const call = await readCall(session, id)
      session.show(call, callPage(call))
    })
  addActions(webhook, session)
  addWebhookTest(webhook, session)
  addRetiredCommands(webhook, session)
}

function addActions(webhook: Command, session: Session): void {
  acting(webhook.command('release').description('let calls on hold be made'), releaseHelp).action(
    async (options: ActOptions) => await run(session, { Action: 'release' }, options),
  )
  acting(
    webhook.command('schedule <time>').description('set the time of the next attempt'),
    scheduleHelp,
  ).action(async (At: string, options: ActOptions) => {
    await run(session, { Action: 'schedule', At }, options)
  })
  const postpone = webhook.command('postpone').description('move the next attempt to a later time')
  addPostponement(acting(postpone, postponeHelp), async (By, options: ActOptions) => {
    await run(session, { Action: 'postpone', By }, options)
  })
  const replay = webhook.command('replay').description('make finished calls once more')
  addActOptions(replay, { list: 'retiredWebhooks' })
    .addHelpText('after', replayHelp)
    .action(async (options: ActOptions) => await run(session, { Action: 'replay' }, options))
  acting(webhook.command('cancel').description('give calls up'), cancelHelp, true).action(
    async (options: ActOptions) => await run(session, { Action: 'cancel' }, options, true),
  )
}

function addRetiredCommands(webhook: Command, session: Session): void {
  const retired = webhook.command('retired').description('finished calls that are kept')
  const list = retired.command('list').description('list finished calls, the last activity first')
  addListOptions(addFilter(list, 'retiredWebhooks'), ['LastActivity', 'Submitted'])
    .addHelpText('after', retiredHelp)
    .action(async (options: RowListOptions) => {
      await showList<RetiredCallJson>(session, '/webhooks/retired', options, retiredTable)
    })
  retired
    .command('print <id>')
    .description('show everything about a finished call')
    .action(async (id: string) => {
      const call = await readCall(session, id)
      if (!isRetired(call)) throw new CliError(`${id} is not finished: see postern webhook print ${id}`)
      session.show(call, callPage(call))
    })
}

function acting(command: Command, help: string, isFinal = false): Command {
  return addActOptions(command, { list: 'webhooks', isFinal }).addHelpText('after', help)
}

async function run(session: Session, body: Act['body'], options: ActOptions, isFinal = false): Promise<void> {
  await act(session, { queue: 'webhooks', body, isFinal }, options)
}

async function readCall(session: Session, id: string): Promise<QueuedCallJson | RetiredCallJson> {
  return await (await session.client()).get(`/webhooks/${rowPath(id)}`)
}
