/** A reply to a command (RFC 5321 §4.2, RFC 2034); a refusal is one too. */
export interface Reply {
  readonly code: number
  /** Left out of the greeting, the replies to HELO and EHLO, and 3yz (RFC 2034 §4). */
  readonly enhancedCode?: string
  /** One text for each line. */
  readonly text: string | readonly string[]
  /** The connection ends with it; 421 always does that. */
  readonly isLast?: boolean
}

/** RFC 5321 §4.5.3.1.5, less the code, the enhanced code and CRLF. */
const LONGEST_TEXT = 490

/** The lines of a reply without code and CRLF, each with the enhanced code; what a text must not hold becomes a space. */
export function replyLines({ enhancedCode, text }: Reply): readonly string[] {
  const prefix = enhancedCode === undefined ? '' : `${enhancedCode} `
  return (typeof text === 'string' ? [text] : text).map(
    (line) => prefix + line.replace(/[^ -~\u00a0-\uffff]/g, ' ').slice(0, LONGEST_TEXT),
  )
}
