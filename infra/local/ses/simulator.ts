/** How a recipient's server answers, and what comes after. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly followedBy?: 'complaint' }
  | {
      readonly kind: 'bounced'
      readonly type: 'Permanent' | 'Transient'
      readonly subType: 'General' | 'Suppressed'
      /** A reply code (RFC 5321 §4.2). */
      readonly code: number
      /** Whether SES says before that it tries again. */
      readonly isDelayed: boolean
    }

/**
 * Decides it by the address: SES's mailbox simulator as its Developer Guide has it, and anywhere the local parts by
 * which Postern's own listener fails (`…permerror`, `…temperror`, `…timeout`, `…550`). Everybody else takes the mail.
 */
export function outcomeFor(address: string): Outcome {
  const at = address.lastIndexOf('@')
  const localpart = address.slice(0, at).toLowerCase()
  if (address.slice(at + 1).toLowerCase() === SIMULATOR) {
    const label = localpart.replace(/\+.*$/, '')
    return Object.hasOwn(simulated, label) ? (simulated[label] ?? delivered) : bounced('Permanent', 550)
  }
  const [, ending = ''] = /(permerror|temperror|timeout|[45]\d\d)$/.exec(localpart) ?? []
  if (ending === '') return delivered
  const code = { permerror: 550, temperror: 451, timeout: 451 }[ending] ?? Number(ending)
  return bounced(code < 500 ? 'Transient' : 'Permanent', code)
}

const SIMULATOR = 'simulator.amazonses.com'

const delivered: Outcome = { kind: 'delivered' }

const simulated: Readonly<Record<string, Outcome>> = {
  success: delivered,
  bounce: bounced('Permanent', 550),
  complaint: { kind: 'delivered', followedBy: 'complaint' },
  // The automatic answer goes to the sender as a mail, and is no event.
  ooto: delivered,
  suppressionlist: { ...bounced('Permanent', 550), subType: 'Suppressed' },
}

function bounced(type: 'Permanent' | 'Transient', code: number): Outcome & { readonly kind: 'bounced' } {
  return { kind: 'bounced', type, subType: 'General', code, isDelayed: type === 'Transient' }
}
