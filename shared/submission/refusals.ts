import type { Refusal } from '../smtp/refusal.ts'

/** The message itself is not as it must be (RFC 3463 §3.7). */
export function badContent(text: string): Refusal {
  return { code: 554, enhancedCode: '5.6.0', text: replyText(text) }
}

/** RFC 3463 §3.2: the sender's address cannot be used as it is. */
export function badSender(text: string): Refusal {
  return { code: 554, enhancedCode: '5.1.7', text: replyText(`MAIL FROM: ${text}`) }
}

/** The account may not send under that name (RFC 6409 §6.1). */
export function notYours(field: string): Refusal {
  return { code: 550, enhancedCode: '5.7.1', text: `${field}: not an address of this account` }
}

export const DOMAIN_DISABLED: Refusal = {
  code: 451,
  enhancedCode: '4.3.0',
  text: 'the domain of the sender sends no mail at present',
}

/** Replies are lines of ASCII (RFC 5321 §4.2), whatever the client has sent. */
export function replyText(text: string): string {
  return text.slice(0, 300).replace(/[^ -~]/gu, '?')
}
