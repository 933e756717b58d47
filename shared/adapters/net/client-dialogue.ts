import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { Evidence, Remote } from '../../queue/evidence.ts'
import { cleanText } from './client-reply.ts'

/** What the library tells its logger with `transactionLog`: commands, replies, and how much content it sent. */
interface LogEntry {
  readonly tnx?: string
  readonly outByteCount?: number
}

/** Of a transcript, with a line end for each line. */
const MOST_CHARACTERS = 4096
const LEFT_OUT = '…'
/** A server may say anything, for as long as an attempt takes: more than this is not even remembered. */
const MOST_LINES = 200

/**
 * Writes down what we and a server say in one delivery, on one connection after the other, or in a later one on the
 * same connection. Content is counted only, and of authentication no more is kept than the mechanism and how it ended.
 */
export class Dialogue {
  /** The server of the latest connection. */
  remote: Remote | undefined
  #startedAt = performance.now()
  #lines: string[] = []
  #isCut = false
  #isAuthenticating = false

  /** For the library's options. */
  get loggerOptions(): Pick<SMTPConnection.Options, 'logger' | 'transactionLog'> {
    const debug = ({ tnx, outByteCount }: LogEntry, text = '') => {
      if (tnx === 'client') this.said(text)
      else if (tnx === 'server') this.heard(text)
      else if (outByteCount !== undefined) this.said(`(${outByteCount} octets of content)`)
    }
    // The library sends to the one level there is what it has for the others.
    return { transactionLog: true, logger: { debug } }
  }

  /** Another delivery begins. */
  restart(): void {
    this.#startedAt = performance.now()
    this.#lines = []
    this.#isCut = false
  }

  said(command: string): void {
    const [, authentication] = /^(AUTH \S+)/i.exec(command) ?? []
    const isSecret = authentication !== undefined || this.#isAuthenticating
    if (authentication !== undefined) this.#isAuthenticating = true
    this.#note('C', isSecret ? `${authentication ?? ''} ***` : command)
  }

  heard(reply: string): void {
    // RFC 4954 §4: 334 asks for more of the exchange, anything else ends it.
    const isChallenge = this.#isAuthenticating && reply.startsWith('334')
    if (!isChallenge) this.#isAuthenticating = false
    for (const line of isChallenge ? ['334 ***'] : reply.split(/\r?\n/)) this.#note('S', line)
  }

  /** What an attempt that ended so leaves; a success needs no transcript. */
  evidence(isSuccess: boolean): Omit<Evidence, 'reply'> {
    const { remote } = this
    const hasTranscript = !isSuccess && this.#lines.length > 0
    return {
      ...(remote && { remote }),
      ...(hasTranscript && { transcript: withoutMiddle(this.#remembered()) }),
    }
  }

  #note(speaker: 'C' | 'S', line: string): void {
    const elapsedMs = Math.round(performance.now() - this.#startedAt)
    this.#lines.push(`${elapsedMs} ${speaker}: ${cleanText(line)}`)
    if (this.#lines.length <= MOST_LINES) return
    this.#lines.splice(MOST_LINES / 2, 1)
    this.#isCut = true
  }

  #remembered(): readonly string[] {
    return this.#isCut ? this.#lines.toSpliced(MOST_LINES / 2, 0, LEFT_OUT) : this.#lines
  }
}

/** How a session begins and how it ends tells most. */
function withoutMiddle(lines: readonly string[]): readonly string[] {
  if (countCharacters(lines) <= MOST_CHARACTERS) return [...lines]
  const most = Math.floor((MOST_CHARACTERS - countCharacters([LEFT_OUT])) / 2)
  return [...firstLines(lines, most), LEFT_OUT, ...firstLines(lines.toReversed(), most).toReversed()]
}

function firstLines(lines: readonly string[], mostCharacters: number): readonly string[] {
  const end = lines.findIndex((_, at) => countCharacters(lines.slice(0, at + 1)) > mostCharacters)
  return lines.slice(0, end)
}

function countCharacters(lines: readonly string[]): number {
  return lines.reduce((count, line) => count + line.length + 1, 0)
}
