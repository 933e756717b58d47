import { LONGEST_AUTH_LINE } from '../../smtp/command-line.ts'
import { extensionLines } from '../../smtp/extensions.ts'
import { parseHello } from '../../smtp/hello.ts'
import type { Reply } from '../../smtp/reply.ts'
import type { SmtpSession } from './smtp-session.ts'

const BAD_HELLO: Reply = { code: 501, enhancedCode: '5.5.4', text: 'say your domain name or address literal' }
const NO_TLS: Reply = { code: 502, enhancedCode: '5.5.1', text: 'there is no TLS here' }
const TLS_ALREADY: Reply = { code: 503, enhancedCode: '5.5.1', text: 'the session is encrypted already' }
const TLS_TOO_LATE: Reply = { code: 503, enhancedCode: '5.5.1', text: 'you have logged in without TLS' }
const TLS_NOW: Reply = { code: 220, enhancedCode: '2.0.0', text: 'go ahead' }
const NO_LOGIN: Reply = { code: 503, enhancedCode: '5.5.1', text: 'nobody logs in at this port' }
const EHLO_FIRST: Reply = { code: 503, enhancedCode: '5.5.1', text: 'say EHLO first' }
const LOGIN_ALREADY: Reply = { code: 503, enhancedCode: '5.5.1', text: 'you have logged in already' }
const LOGIN_TOO_LATE: Reply = { code: 503, enhancedCode: '5.5.1', text: 'a transaction has begun' }
const BAD_AUTH: Reply = {
  code: 501,
  enhancedCode: '5.5.2',
  text: 'syntax: AUTH mechanism [initial response]',
}
const LOGGED_IN: Reply = { code: 235, enhancedCode: '2.7.0', text: 'welcome' }
const LOGIN_FAULT: Reply = { code: 454, enhancedCode: '4.7.0', text: 'temporary failure, try again later' }

/** EHLO (RFC 5321 §4.1.1.1): begins anew, and says what the session offers. */
export async function ehlo(session: SmtpSession, argument: string): Promise<Reply> {
  const { hostname, maxSize, limits } = session.context
  if (!greet(session, argument, true)) return BAD_HELLO
  const offer = {
    isSubmission: session.isSubmission,
    tls: session.tls,
    mechanisms: session.mechanisms,
    maxSize,
    mostRecipients: limits.mostRecipients,
    now: session.context.clock.now(),
  }
  return { code: 250, text: [hostname, ...extensionLines(offer)] }
}

/** HELO: begins anew, without extensions. */
export async function helo(session: SmtpSession, argument: string): Promise<Reply> {
  return greet(session, argument, false) ? { code: 250, text: session.context.hostname } : BAD_HELLO
}

function greet(session: SmtpSession, argument: string, isExtended: boolean): boolean {
  const name = parseHello(argument, session.isSubmission)
  if (name === undefined) return false
  session.endTransaction()
  session.hello = { name, isExtended }
  return true
}

/** STARTTLS (RFC 3207). What came with it in clear text goes with the input that is given up. */
export async function startTls(session: SmtpSession): Promise<Reply | undefined> {
  if (session.tls === 'none') return NO_TLS
  if (session.tls === 'active') return TLS_ALREADY
  if (session.login) return TLS_TOO_LATE
  session.forget()
  session.reply(TLS_NOW)
  await session.connection.startTls()
  return undefined
}

/** AUTH (RFC 4954 §4). */
export async function auth(session: SmtpSession, argument: string): Promise<Reply> {
  const { service, log } = session.context
  const { connection } = session
  if (service.kind === 'smtp') return NO_LOGIN
  if (!session.hello?.isExtended) return EHLO_FIRST
  if (session.login) return LOGIN_ALREADY
  if (session.transaction) return LOGIN_TOO_LATE
  const [whole, mechanism = '', initialResponse] = /^([\w-]{1,20})(?: +(\S+))?$/.exec(argument) ?? []
  if (whole === undefined) return BAD_AUTH
  const exchange = {
    ...session.loginClient(),
    mechanism: mechanism.toUpperCase(),
    ...(initialResponse !== undefined && { initialResponse }),
    challenge: (text: string) => challenge(session, text),
  }
  try {
    const answer = await service.authentication.authenticate(exchange, connection.clientGone)
    if ('code' in answer) {
      session.loginFailures += 1
      return answer
    }
    session.login = answer
    return LOGGED_IN
  } catch (error) {
    log.error('smtp login failed', error, { sessionId: connection.id, ipAddress: connection.remoteAddress })
    return LOGIN_FAULT
  }
}

/** A line that cannot be base64 is no response; the exchange finds that out. */
async function challenge({ connection }: SmtpSession, text: string): Promise<string | undefined> {
  connection.reply({ code: 334, text })
  const line = await connection.line(LONGEST_AUTH_LINE)
  return line && ('text' in line ? line.text : '\u{fffd}')
}
