import { localSeed } from '../../scripts/local-postern.ts'
import { smtpSession } from './smtp-session.ts'

/** What a mail program hands in. */
export interface MailToSubmit {
  readonly port: number
  /** The user name; each spelling of an address of the seeded account is one. */
  readonly login?: string
  /** What stands behind `MAIL FROM:`, parameters included. */
  readonly from?: string
  /** What stands behind `RCPT TO:`, parameters included. */
  readonly to: readonly string[]
  /** With CRLF. */
  readonly message?: string
  /** How long an answer may take before it counts as silence. */
  readonly patienceMs?: number
}

/** Where the server did not do what was asked. */
export interface Refused {
  readonly stage: 'mail' | 'rcpt' | 'data'
  /** `silence` when there was none in time. */
  readonly reply: string
}

/** A login whose messages have no unique reverse-paths. */
const PLAIN_LOGIN = 'postern+x@localhost'

/** Hands in a message over SMTP (RFC 6409); resolves to undefined when it is queued. */
export async function submitMessage(submitted: MailToSubmit): Promise<Refused | undefined> {
  const { port, login = PLAIN_LOGIN, from = '<postern@localhost>', to, patienceMs = 10_000 } = submitted
  const { message = 'From: postern@localhost\r\nSubject: Submitted\r\n\r\nhello\r\n' } = submitted
  const ends: (() => void)[] = []
  const session = await smtpSession({ after: (end) => void ends.push(end) }, { port })
  const say = async (line: string) => {
    const silence = new Promise<string>((resolve) => void setTimeout(resolve, patienceMs, 'silence').unref())
    return await Promise.race([session.say(line), silence])
  }
  try {
    await say('EHLO laptop.test')
    const loggedIn = await session.auth('PLAIN', `\0${login}\0${localSeed.password}`)
    if (!loggedIn.startsWith('235')) throw new Error(`the login was refused: ${loggedIn}`)
    const atMail = await say(`MAIL FROM:${from}`)
    if (!atMail.startsWith('250')) return { stage: 'mail', reply: atMail }
    for (const recipient of to) {
      const atRcpt = await say(`RCPT TO:${recipient}`)
      if (!atRcpt.startsWith('250')) return { stage: 'rcpt', reply: atRcpt }
    }
    await say('DATA')
    const atData = await say(`${message}.`)
    return atData.startsWith('250') ? undefined : { stage: 'data', reply: atData }
  } finally {
    for (const end of ends) end()
  }
}
