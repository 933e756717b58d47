import { setImmediate as othersTurn } from 'node:timers/promises'
import { countReceived } from '../../message/received.ts'
import type { MailCommand } from '../../smtp/commands.ts'
import { DotStuffedData } from '../../smtp/dot-stuffed-data.ts'
import { type ContentMemory, IncomingContent, NO_MEMORY } from '../../smtp/incoming-content.ts'
import { LineEnds } from '../../smtp/line-ends.ts'
import { parseMail } from '../../smtp/mail-parameters.ts'
import { parseRcpt } from '../../smtp/rcpt-parameters.ts'
import type { Refusal } from '../../smtp/refusal.ts'
import type { Reply } from '../../smtp/reply.ts'
import type { Take } from './smtp-input.ts'
import type { Chunks, SmtpSession } from './smtp-session.ts'
import { beginReception, beginSubmission, type Transaction } from './smtp-transaction.ts'

/** RFC 5321 §6.3 asks for at least 100 where loops are counted this way only; real mail makes fewer than 20 hops. */
const MOST_HOPS = 50
/** Everybody reads header sections whole, and as many fields as there are lines; RFC 5322 sets no limit. */
const LONGEST_HEADER = 512_000
/** A message that says nothing of its size is thought to be one of those. */
const USUAL_SIZE = 65_536

const sequence = (text: string): Reply => ({ code: 503, enhancedCode: '5.5.1', text })
const HELLO_FIRST = sequence('say EHLO first')
const NESTED = sequence('a transaction has begun already')
const MAIL_FIRST = sequence('MAIL comes first')
const RCPT_FIRST = sequence('RCPT comes first')
const CHUNKS_BEGAN = sequence('the content has begun to come by BDAT')
const NO_RECIPIENT: Reply = { code: 554, enhancedCode: '5.5.1', text: 'no recipient was accepted' }
const LOGIN_FIRST: Reply = { code: 530, enhancedCode: '5.7.0', text: 'log in first' }
const TLS_FIRST: Reply = { code: 530, enhancedCode: '5.7.0', text: 'begin TLS and log in first' }
const FRUITLESS: Reply = { code: 421, enhancedCode: '4.7.0', text: 'too many transactions came to nothing' }
const TOO_LONG: Reply = { code: 421, enhancedCode: '4.3.2', text: 'the session was long enough, come again' }
const BEGUN: Reply = { code: 250, enhancedCode: '2.1.0', text: 'go on' }
const ADDED: Reply = { code: 250, enhancedCode: '2.1.5', text: 'go on' }
const SEND_DATA: Reply = { code: 354, text: 'end with CRLF.CRLF' }
const BARE_LINE_END: Refusal = {
  code: 550,
  enhancedCode: '5.6.0',
  text: 'the message has a CR or LF that stands alone; lines must end in CRLF',
}
const EMPTY_LINE = Buffer.from('\r\n')
const LONG_HEADER: Refusal = {
  code: 550,
  enhancedCode: '5.6.0',
  text: `the header section has more than ${LONGEST_HEADER} octets`,
}
const LOOP: Refusal = { code: 554, enhancedCode: '5.4.6', text: 'this message has made too many hops' }
/** Where an unreadable chunk ends, and the next command begins, nobody knows. */
const BAD_BDAT: Reply = {
  code: 501,
  enhancedCode: '5.5.4',
  text: 'syntax: BDAT octets [LAST]',
  isLast: true,
}

/** MAIL (RFC 5321 §4.1.1.2). */
export async function mail(session: SmtpSession, argument: string): Promise<Reply> {
  const { context } = session
  const wrongTime = refuseMail(session)
  if (wrongTime) return wrongTime
  const { isSubmission, tls } = session
  const command = parseMail(argument, {
    isSubmission,
    tls,
    maxSize: context.maxSize,
    now: context.clock.now(),
  })
  if ('code' in command) return command
  if (!context.memory.hasRoomFor(command.size ?? USUAL_SIZE)) return NO_MEMORY
  const begun = await begin(session, command)
  if ('code' in begun) {
    session.noteFruitless()
    return begun
  }
  session.transaction = begun
  return BEGUN
}

function refuseMail(session: SmtpSession): Reply | undefined {
  const { limits, clock } = session.context
  if (!session.hello) return HELLO_FIRST
  if (session.isSubmission && !session.login) return session.mechanisms.length > 0 ? LOGIN_FIRST : TLS_FIRST
  if (session.transaction) return NESTED
  if (session.isFruitless) return FRUITLESS
  if (clock.now() - session.startedAt > limits.sessionMs) return TOO_LONG
  return undefined
}

async function begin(session: SmtpSession, command: MailCommand): Promise<Transaction | Refusal> {
  const { service } = session.context
  const { clientGone } = session.connection
  const client = session.client(command.smtputf8)
  if (service.kind === 'smtp') return await beginReception(service.hooks, client, command, clientGone)
  if (!session.login) return LOGIN_FIRST as Refusal
  return await beginSubmission(service.hooks, client, session.login, command, clientGone)
}

/** RCPT (RFC 5321 §4.1.1.3). */
export async function rcpt(session: SmtpSession, argument: string): Promise<Reply> {
  const { transaction, isSubmission, context } = session
  if (!transaction) return MAIL_FIRST
  if (session.chunks) return CHUNKS_BEGAN
  const { smtputf8 } = transaction.mail
  const command = parseRcpt(argument, { isSubmission, hostname: context.hostname, smtputf8 })
  if ('code' in command) return command
  if (transaction.has(command)) return ADDED
  const { mostRecipients } = context.limits
  if (transaction.recipientCount >= mostRecipients) return tooManyRecipients(mostRecipients)
  session.hasTriedRecipient = true
  return (await transaction.add(command, session.connection.clientGone)) ?? ADDED
}

/** RFC 5321 §4.5.3.1.10: the client sends the others in a further transaction. */
function tooManyRecipients(most: number): Reply {
  return { code: 452, enhancedCode: '4.5.3', text: `a transaction has at most ${most} recipients` }
}

/** RSET (RFC 5321 §4.1.1.5). */
export async function rset(session: SmtpSession): Promise<Reply> {
  session.endTransaction()
  return { code: 250, enhancedCode: '2.0.0', text: 'forgotten' }
}

/** DATA (RFC 5321 §4.1.1.4); undefined when the client went away in the middle of it. */
export async function data(session: SmtpSession): Promise<Reply | undefined> {
  const { transaction, context } = session
  const wrongTime = refuseContent(session) ?? (session.chunks && CHUNKS_BEGAN)
  if (wrongTime || !transaction) return wrongTime ?? MAIL_FIRST
  const content = newContent(context)
  session.reply(SEND_DATA)
  try {
    const dots = new DotStuffedData()
    if (!(await session.connection.content(context.limits.contentMs, takeData(dots, content))))
      return undefined
    return await deliver(session, transaction, content)
  } finally {
    content.release()
    session.endTransaction()
  }
}

function takeData(dots: DotStuffedData, into: IncomingContent): Take<true> {
  return (unread) => {
    const { content, taken, isDone } = dots.read(unread)
    if (dots.hasBareLineEnd) into.refuse(BARE_LINE_END)
    into.append(content)
    return { taken, ...(isDone && { result: true }) }
  }
}

/**
 * BDAT (RFC 3030 §2). The octets are read whatever the reply is, or they would be taken for commands; once a chunk
 * was refused, all that follow are, until the last or RSET.
 */
export async function bdat(session: SmtpSession, argument: string): Promise<Reply | undefined> {
  const [whole, digits, last] = /^(\d{1,15})(?: +(LAST))?$/i.exec(argument) ?? []
  if (whole === undefined) return BAD_BDAT
  const octets = Number(digits)
  const { transaction } = session
  const wrongTime = refuseContent(session)
  const chunks = wrongTime ? undefined : openChunks(session)
  const withinMs = chunks
    ? Math.max(0, chunks.endsAt - session.context.clock.now())
    : session.context.limits.contentMs
  if (octets > 0 && !(await session.connection.content(withinMs, takeChunk(octets, chunks)))) return undefined
  if (!chunks || !transaction) return wrongTime ?? MAIL_FIRST
  if (chunks.lineEnds.hasBare(last !== undefined)) chunks.content.refuse(BARE_LINE_END)
  if (last === undefined) {
    return chunks.content.refusal ?? { code: 250, enhancedCode: '2.0.0', text: `${octets} octets taken` }
  }
  try {
    return await deliver(session, transaction, chunks.content)
  } finally {
    session.endTransaction()
  }
}

function openChunks(session: SmtpSession): Chunks {
  session.chunks ??= {
    content: newContent(session.context),
    lineEnds: new LineEnds(),
    endsAt: session.context.clock.now() + session.context.limits.contentMs,
  }
  return session.chunks
}

function takeChunk(octets: number, chunks: Chunks | undefined): Take<true> {
  let left = octets
  return (unread) => {
    const piece = unread.subarray(0, left)
    left -= piece.length
    chunks?.lineEnds.read(piece)
    chunks?.content.append(piece)
    return { taken: piece.length, ...(left === 0 && { result: true }) }
  }
}

function refuseContent({ transaction, hasTriedRecipient }: SmtpSession): Reply | undefined {
  if (!transaction) return MAIL_FIRST
  if (transaction.recipientCount > 0) return undefined
  return hasTriedRecipient ? NO_RECIPIENT : RCPT_FIRST
}

function newContent({ memory, maxSize }: { memory: ContentMemory; maxSize: number }): IncomingContent {
  return new IncomingContent(memory, maxSize)
}

async function deliver(
  session: SmtpSession,
  transaction: Transaction,
  content: IncomingContent,
): Promise<Reply> {
  const whole = await content.whole(othersTurn)
  if ('code' in whole) return whole
  if (hasLongHeader(whole)) return LONG_HEADER
  if (countReceived(whole) > MOST_HOPS) return LOOP
  const refusal = await transaction.finish(whole, session.connection.clientGone)
  if (refusal) return refusal
  session.hasAcceptedMessage = true
  return { code: 250, enhancedCode: '2.6.0', text: `accepted (${session.connection.id})` }
}

function hasLongHeader(content: Buffer): boolean {
  if (content.length <= LONGEST_HEADER || content.subarray(0, 2).equals(EMPTY_LINE)) return false
  return !content.subarray(0, LONGEST_HEADER).includes('\r\n\r\n')
}
