import type { Authentication } from '../authentication/authentication.ts'
import { INBOX, JUNK, type MailboxName } from '../mailbox/mailboxes.ts'
import type { Refusal } from '../smtp/refusal.ts'

/** What becomes of a message: refused, or put into that mailbox. */
export type Judgement = Refusal | { readonly mailbox: MailboxName }

/**
 * Decides by what is known of the sender, without any reputation (RFC 7489 §6.6.2, RFC 7208 §8.4). Only what is
 * certain counts against a message: an error, temporary or not, never does. A bounce, whose reverse-path is null, is
 * not refused for its client's EHLO name.
 */
export function judge({ dmarc, spf }: Authentication): Judgement {
  if (dmarc.result === 'fail' && dmarc.policy === 'reject') {
    const text = `${dmarc.fromDomain} asks to refuse what it does not vouch for (DMARC)`
    return { code: 550, enhancedCode: '5.7.26', text }
  }
  // Where DMARC is undecided the author's domain may yet vouch for the message, as by a signature.
  const mayBeVouchedFor = dmarc.result === 'pass' || dmarc.result === 'temperror'
  if (spf.result === 'fail' && spf.identity === 'mailfrom' && !mayBeVouchedFor) {
    const text = `${spf.domain} does not allow your address to send its mail (SPF)`
    return { code: 550, enhancedCode: '5.7.23', text }
  }
  return { mailbox: dmarc.result === 'fail' && dmarc.policy === 'quarantine' ? JUNK : INBOX }
}
