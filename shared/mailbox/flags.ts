import { INBOX, JUNK, type MailboxName } from './mailboxes.ts'

/** The flags that mean something by themselves, in the order in which they are told (mox's webapi). */
const SYSTEM_FLAGS: readonly string[] = [
  '$forwarded',
  '$junk',
  '$mdnsent',
  '$notjunk',
  '$phishing',
  '\\answered',
  '\\deleted',
  '\\draft',
  '\\flagged',
  '\\seen',
]

/** Octets of one keyword, and keywords of one mail: flags lie in the mail's item, which has bounds. */
const LONGEST_KEYWORD = 100
const MOST_KEYWORDS = 100

/** Something that is no flag, or one keyword too many; the message is for whoever gave it. */
export class FlagError extends Error {}

/**
 * Reads a flag: case does not count (RFC 9051 §2.3.2), so flags are kept in lower case. What is no system flag is
 * a keyword: printable ASCII without `( ) { % * " \ ]`. Throws {@link FlagError}.
 */
export function parseFlag(text: string): string {
  const flag = text.toLowerCase()
  if (SYSTEM_FLAGS.includes(flag)) return flag
  if (flag.startsWith('\\')) throw new FlagError(`${JSON.stringify(text)} is no system flag`)
  if (!/^[!-~]+$/.test(flag) || /[(){%*"\\\]]/.test(flag)) {
    throw new FlagError(
      `${JSON.stringify(text)} is no keyword: printable ASCII without spaces and ( ) { % * " \\ ]`,
    )
  }
  if (flag.length > LONGEST_KEYWORD)
    throw new FlagError(`a keyword has at most ${LONGEST_KEYWORD} characters`)
  return flag
}

/** All of `flags` and `more`, each once: system flags first, then keywords by the alphabet. Throws {@link FlagError}. */
export function withFlags(flags: readonly string[], more: readonly string[]): readonly string[] {
  const all = new Set([...flags, ...more])
  const system = SYSTEM_FLAGS.filter((flag) => all.has(flag))
  const keywords = [...all].filter((flag) => !SYSTEM_FLAGS.includes(flag)).sort()
  if (keywords.length > MOST_KEYWORDS) throw new FlagError(`a message has at most ${MOST_KEYWORDS} keywords`)
  return [...system, ...keywords]
}

/** `flags` without those of `fewer`. */
export function withoutFlags(flags: readonly string[], fewer: readonly string[]): readonly string[] {
  return flags.filter((flag) => !fewer.includes(flag))
}

/**
 * The flags of a mail that is put into a mailbox, whose name tells whether it is junk (mox's automatic junk flags):
 * in Junk it is, in Inbox nobody knows, and who puts it anywhere else does not hold it for junk.
 */
export function flagsIn(mailbox: MailboxName, flags: readonly string[]): readonly string[] {
  const others = withoutFlags(flags, ['$junk', '$notjunk'])
  if (mailbox === INBOX) return others
  return withFlags(others, [mailbox === JUNK ? '$junk' : '$notjunk'])
}
