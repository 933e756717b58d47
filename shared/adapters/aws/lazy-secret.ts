import { type Clock, MINUTE } from '../../base/clock.ts'

const KEPT_FOR = 5 * MINUTE

/** Reads a secret on first use and keeps it for five minutes, so that a new key is soon known. */
export function lazySecret(arn: string, clock: Clock): () => Promise<string> {
  let known: { readonly text: Promise<string>; readonly until: number } | undefined
  return () => {
    if (!known || known.until <= clock.now()) {
      const text = import('./secret-text.ts').then(({ secretText }) => secretText(arn)())
      known = { text, until: clock.now() + KEPT_FOR }
      text.catch(() => {
        known = undefined
      })
    }
    return known.text
  }
}
