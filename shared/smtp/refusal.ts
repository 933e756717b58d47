/** What an SMTP client is told when we do not do what it asked (RFC 5321 §4.2, RFC 3463). The text is public. */
export interface Refusal {
  readonly code: number
  readonly enhancedCode: string
  readonly text: string
}
