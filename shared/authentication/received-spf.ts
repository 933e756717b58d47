import { formatAddress } from '../address/address.ts'
import type { ClaimedMessage, SpfResult } from './authentication.ts'

/**
 * Writes the Received-SPF field (RFC 7208 §9.1), with its CRLF, folded where no word of a stranger can begin a line. It
 * never fails: a trace must not keep mail out.
 */
export function formatReceivedSpf(
  hostname: string,
  { client, mailFrom }: Pick<ClaimedMessage, 'client' | 'mailFrom'>,
  spf: SpfResult,
): string {
  const origin = spf.identity === 'helo' ? ', from ehlo because mailfrom is empty' : ''
  const pairs = [
    ['client-ip', client.ipAddress],
    ['envelope-from', mailFrom ? formatAddress(mailFrom) : ''],
    ['helo', client.hello],
    ['problem', spf.problem],
    ['mechanism', spf.mechanism || (spf.result === 'neutral' ? 'default' : '')],
    ['receiver', hostname],
    ['identity', spf.identity],
  ] as const
  const written = pairs.filter(([key, value]) => value !== '' || key === 'envelope-from')
  const list = written.map(([key, value]) => `${key}=${formatValue(key, value)}`)
  const comment = `domain ${commentText(spf.domain)}${origin}`
  return `Received-SPF: ${spf.result} (${comment})\r\n\t${list.join(';\r\n\t')}\r\n`
}

const DOT_ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i

/** A dot-atom where it can be one; else a quoted-string. A sender that is not ASCII came with SMTPUTF8 (RFC 6532 §3.2). */
function formatValue(key: string, text: string): string {
  if (key === 'envelope-from') return `"${oneLine(text).replace(/["\\]/g, '\\$&')}"`
  return DOT_ATOM.test(text) ? text : `"${asciiText(text).replace(/["\\]/g, '\\$&')}"`
}

function commentText(text: string): string {
  return asciiText(text).replace(/[()\\]/g, '?')
}

/** Nobody's name may end the line or run past it. */
function asciiText(text: string): string {
  return text.slice(0, 255).replace(/[^ -~]/g, '?')
}

function oneLine(text: string): string {
  return text.toWellFormed().replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '?')
}
