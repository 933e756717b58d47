import { formatAddress } from '../address/address.ts'
import type { Instant } from '../base/clock.ts'
import { formatDateTime } from '../message/date-time.ts'
import type { DsnNotice, DsnOutcome } from './notice.ts'
import { breakWords, oneLine } from './one-line.ts'
import { returnedMessage } from './returned-message.ts'

/** The notice in words, for people; lines end in LF and have at most 998 octets. */
export function explain(notice: DsnNotice): string {
  const { hostname, original, lastAttemptAt, recipient } = notice
  return [
    wrap(`This is the mail system of ${oneLine(hostname, MAX_NAME)}.`, ''),
    wrap(`A message that you sent at ${formatDateTime(original.arrivedAt)} to`, ''),
    wrap(formatAddress(recipient), INDENT),
    wrap(ENDINGS[notice.action], ''),
    ...(notice.action === 'relayed' ? [] : reason(notice.outcome)),
    wrap(`That was at ${formatDateTime(lastAttemptAt)}.`, ''),
    ...(notice.action === 'delayed' ? outlook(notice) : []),
    wrap(
      `${returnedMessage(notice) ? 'Your message' : 'The header section of your message'} is attached.`,
      '',
    ),
  ].join('\n')
}

const ENDINGS = {
  failed: 'could not be delivered. It will not be tried again.',
  delayed: 'has not been delivered yet. You need not send it again: it is still in the queue.',
  relayed: 'was accepted by the next server, which was not asked to tell what becomes of it.',
} as const

const INDENT = '    '
const MAX_NAME = 255
const MAX_LINE = 1000
const MAX_LINES = 20
const MAX_TIMES = 20

function reason({ code, enhancedCode, error, remoteHost }: DsnOutcome): readonly string[] {
  const host = oneLine(remoteHost ?? '', MAX_NAME)
  const codes = code === 0 ? [] : [String(code), oneLine(enhancedCode, MAX_NAME)]
  const lines = error
    .split('\n', MAX_LINES)
    .map((line) => [...codes, oneLine(line, MAX_LINE)].filter((text) => text !== '').join(' '))
    .filter((line) => line !== '')
  const quoted = lines.map((line) => wrap(line, INDENT)).join('')
  if (code !== 0) return [wrap(`${host || 'The receiving server'} answered:`, ''), quoted]
  return [wrap(host === '' ? 'The reason:' : `The reason, at ${host}:`, ''), quoted]
}

/** What the caller knows of the future, and no more. */
function outlook({ nextAttempts = [], willRetryUntil }: DsnNotice): readonly string[] {
  const until = 'If it cannot be delivered, it is given up at about this time, and you get another notice:'
  return [
    ...(nextAttempts.length === 0
      ? []
      : ['It will be tried again at about these times:\n', times(nextAttempts)]),
    ...(willRetryUntil === undefined ? [] : [wrap(until, ''), times([willRetryUntil])]),
  ]
}

function times(instants: readonly Instant[]): string {
  return instants
    .slice(0, MAX_TIMES)
    .map((at) => wrap(formatDateTime(at), INDENT))
    .join('')
}

/** Breaks the line at spaces; each piece is indented and ends in LF. */
function wrap(line: string, indent: string): string {
  return breakWords(line).replace(/(.{1,72}|[^ ]+)(?: +|$)/gu, `${indent}$1\n`)
}
