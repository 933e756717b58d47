import type { SmtpOutcome } from '../../queue/transport.ts'

/** A reply of a server that we are a client of (RFC 5321 §4.2), made fit for logs, lists and webhooks. */
interface RelayReply {
  readonly code: number
  /** RFC 3463, as the server gave it; empty when it gave none. */
  readonly enhancedCode: string
  /** Without codes, its lines joined. */
  readonly text: string
}

const MAX_TEXT = 1000

/** Reads a whole reply, `250-first\n250 last`; a text that begins with no code has code 0. */
export function parseReply(reply: string): RelayReply {
  const lines = reply.split(/\r?\n/).map((line) => {
    const [, code = '0', enhancedCode = '', text = ''] =
      /^(?:(\d{3})[ -]?)?(?:([245]\.\d{1,3}\.\d{1,3})(?=\s|$))?(.*)$/s.exec(line) ?? []
    return { code: Number(code), enhancedCode, text: cleanText(text) }
  })
  const text = lines.map((line) => line.text).filter((line) => line !== '')
  return {
    code: lines[0]?.code ?? 0,
    enhancedCode: lines[0]?.enhancedCode ?? '',
    text: text.join('; ').slice(0, MAX_TEXT).toWellFormed(),
  }
}

/** A whole reply as one bounded line, without its code. */
export function replyLine(reply: string): string {
  const { enhancedCode, text } = parseReply(reply)
  return cleanText(`${enhancedCode} ${text}`)
}

/** Makes one bounded line of a text that a stranger chose. */
export function cleanText(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    .trim()
    .slice(0, MAX_TEXT)
    .toWellFormed()
}

/** What a reply means for the recipients it answers. `command` is the one that was answered. */
export function outcomeOfReply(reply: string, command: 'MAIL' | 'RCPT' | 'DATA'): SmtpOutcome {
  const { code, enhancedCode, text } = parseReply(reply)
  const line = replyLine(reply)
  if (code >= 200 && code < 300) return { kind: 'accepted', code, enhancedCode, reply: line }
  // RFC 5321 §4.5.3.1.10: 552 to RCPT is an old way to say 452, too many recipients.
  const isPermanent = code >= 500 && !(command === 'RCPT' && code === 552)
  const error = text || `the server answered ${code} to ${command}`
  return { kind: isPermanent ? 'permanent' : 'temporary', code, enhancedCode, error, reply: line }
}
