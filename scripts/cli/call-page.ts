import type { CallResultJson, QueuedCallJson, RetiredCallJson } from '../../shared/admin/call-json.ts'
import { formatDuration } from './duration.ts'
import { fields, printable, table } from './print.ts'

/** Queued webhook calls, one a line. */
export function queuedTable(calls: readonly QueuedCallJson[]): string {
  return table(
    ['ID', 'EVENT', 'MESSAGE', 'URL', 'ATTEMPTS', 'NEXT ATTEMPT', 'HOLD', 'LAST RESULT'],
    calls.map((call) => [...what(call), call.NextAttempt, call.HoldReason || '-', lastResult(call)]),
  )
}

/** Finished webhook calls, one a line. */
export function retiredTable(calls: readonly RetiredCallJson[]): string {
  return table(
    ['ID', 'EVENT', 'MESSAGE', 'URL', 'ATTEMPTS', 'LAST ACTIVITY', 'RESULT', 'LAST RESULT'],
    calls.map((call) => [
      ...what(call),
      call.LastActivity,
      call.Success ? 'success' : 'failure',
      lastResult(call),
    ]),
  )
}

/** Everything about one call. */
export function callPage(call: AnyCallJson): string {
  const [name, event, message, url, attempts] = what(call)
  const page = fields({
    Call: name,
    State: stateOf(call),
    Event: event,
    Message: message,
    URL: url,
    Authorization: call.Authorization ? 'is sent' : 'none',
    Subject: call.Subject,
    'Message-ID': call.MessageID,
    Queued: call.Submitted,
    ...(isRetired(call)
      ? { 'Last activity': call.LastActivity, 'Kept until': call.KeepUntil }
      : { 'Next attempt': call.NextAttempt }),
    Attempts: attempts,
    ...(call.FromID && { FromID: call.FromID }),
    ...(Object.keys(call.Extra).length > 0 && { Extra: JSON.stringify(call.Extra) }),
    Body: call.Payload || 'too large to be shown',
  })
  return [page, attemptsOf(call), ...responseOf(call)].join('\n\n')
}

/** Only a finished call has a last activity. */
export function isRetired(call: AnyCallJson): call is RetiredCallJson {
  return 'LastActivity' in call
}

type AnyCallJson = QueuedCallJson | RetiredCallJson

function what(
  call: AnyCallJson,
): [name: string, event: string, message: string, url: string, attempts: string] {
  return [
    `${call.Account}/${call.ID}`,
    call.IsIncoming ? 'incoming' : call.OutgoingEvent,
    call.QueueMsgID ? `${call.Account}/${call.QueueMsgID}` : '-',
    call.URL,
    String(call.Attempts),
  ]
}

function stateOf(call: AnyCallJson): string {
  if (isRetired(call)) {
    if (call.SupersededByID) return `superseded by ${call.Account}/${call.SupersededByID}`
    return call.Success ? 'made' : 'failed'
  }
  return call.HoldReason ? `on hold: ${call.HoldReason}` : 'waits'
}

function lastResult({ Results }: AnyCallJson): string {
  const last = Results.at(-1)
  return (last && textOf(last)) || '-'
}

function attemptsOf({ Results }: AnyCallJson): string {
  if (Results.length === 0) return 'no attempts yet'
  return table(
    ['START', 'DURATION', 'CODE', 'RESULT'],
    Results.map((result) => [
      result.Start,
      formatDuration(result.Duration),
      result.Code ? String(result.Code) : '-',
      textOf(result),
    ]),
  )
}

function textOf({ Error: error, Success }: CallResultJson): string {
  return error || (Success ? 'success' : '')
}

/** What the application answered last. */
function responseOf({ Results }: AnyCallJson): readonly string[] {
  const answered = Results.findLast(({ Response }) => Response !== '')
  return answered ? [`The answer at ${answered.Start}:\n  ${printable(answered.Response)}`] : []
}
