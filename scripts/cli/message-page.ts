import type {
  DeliveryResultJson,
  QueuedMessageJson,
  RetiredMessageJson,
} from '../../shared/admin/message-json.ts'
import { formatDuration } from './duration.ts'
import { fields, printable, table } from './print.ts'

/** Queued messages, one a line. */
export function queuedTable(messages: readonly QueuedMessageJson[]): string {
  return table(
    ['ID', 'FROM', 'TO', 'ATTEMPTS', 'NEXT ATTEMPT', 'HOLD', 'LAST RESULT'],
    messages.map((message) => [
      ...who(message),
      message.NextAttempt,
      message.HoldReason || '-',
      lastResult(message),
    ]),
  )
}

/** Finished messages, one a line. */
export function retiredTable(messages: readonly RetiredMessageJson[]): string {
  return table(
    ['ID', 'FROM', 'TO', 'ATTEMPTS', 'LAST ACTIVITY', 'RESULT', 'LAST RESULT'],
    messages.map((message) => [
      ...who(message),
      message.LastActivity,
      message.Success ? 'success' : 'failure',
      lastResult(message),
    ]),
  )
}

/** Everything about one message. */
export function messagePage(message: QueuedMessageJson | RetiredMessageJson): string {
  const [name, from, to] = who(message)
  const page = fields({
    Message: name,
    State: stateOf(message),
    From: from,
    To: to,
    Subject: message.Subject,
    'Message-ID': message.MessageID,
    Size: `${message.Size} bytes`,
    Queued: message.Queued,
    ...timesOf(message),
    Attempts: String(message.Attempts),
    Transport: message.Transport || 'by the routes',
    'Require TLS': message.RequireTLS === null ? 'default' : message.RequireTLS ? 'yes' : 'no',
    ...(message.FutureReleaseRequest && { 'Future release': message.FutureReleaseRequest }),
    ...(message.FromID && { FromID: message.FromID }),
    ...(message.BaseID && { 'Sent with': `${message.SenderAccount}/${message.BaseID}` }),
    ...(Object.keys(message.Extra).length > 0 && { Extra: JSON.stringify(message.Extra) }),
  })
  return [page, attemptsOf(message), ...transcriptOf(message)].join('\n\n')
}

/** Only a finished message has a last activity. */
export function isRetired(message: QueuedMessageJson | RetiredMessageJson): message is RetiredMessageJson {
  return 'LastActivity' in message
}

type AnyMessageJson = QueuedMessageJson | RetiredMessageJson

function who(message: AnyMessageJson): [name: string, from: string, to: string, attempts: string] {
  const { SenderAccount, SenderLocalpart, SenderDomainStr, RecipientLocalpart, RecipientDomainStr } = message
  return [
    `${SenderAccount}/${message.ID}`,
    SenderDomainStr ? `${SenderLocalpart}@${SenderDomainStr}` : '<>',
    `${RecipientLocalpart}@${RecipientDomainStr}`,
    String(message.Attempts),
  ]
}

function lastResult({ Results }: AnyMessageJson): string {
  const last = Results.at(-1)
  return (last && textOf(last)) || '-'
}

function stateOf(message: AnyMessageJson): string {
  if (isRetired(message)) return message.Success ? 'delivered' : 'failed'
  return message.Hold ? `on hold: ${message.HoldReason}` : STATES[message.State]
}

const STATES = {
  waiting: 'waits',
  attempting: 'is being attempted',
  unknown: 'unknown: SES may have it',
  handed: 'handed to SES',
} as const

function timesOf(message: AnyMessageJson): Readonly<Record<string, string>> {
  return isRetired(message)
    ? { 'Last activity': message.LastActivity, 'Kept until': message.KeepUntil }
    : { [message.State === 'handed' ? 'Told until' : 'Next attempt']: message.NextAttempt }
}

function attemptsOf({ Results }: AnyMessageJson): string {
  if (Results.length === 0) return 'no attempts yet'
  return table(
    ['START', 'DURATION', 'CODE', 'SECODE', 'REMOTE', 'TLS', 'RESULT'],
    Results.map((result) => [
      result.Start,
      formatDuration(result.Duration),
      result.Code ? String(result.Code) : '-',
      result.Secode || '-',
      [result.RemoteHost, result.RemoteIP].filter(Boolean).join(' ') || '-',
      result.TLS || '-',
      textOf(result),
    ]),
  )
}

/** What went wrong; where nothing did, what the remote said. */
function textOf({ Error: error, Success, Reply }: DeliveryResultJson): string {
  if (error) return error
  return Reply || (Success ? 'delivered' : '')
}

/** The dialogue of the last attempt that has one. */
function transcriptOf({ Results }: AnyMessageJson): readonly string[] {
  const failed = Results.findLast(({ Transcript }) => Transcript && Transcript.length > 0)
  if (!failed?.Transcript) return []
  return [
    [`The attempt of ${failed.Start}:`, ...failed.Transcript.map((line) => `  ${printable(line)}`)].join(
      '\n',
    ),
  ]
}
