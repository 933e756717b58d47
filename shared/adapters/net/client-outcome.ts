import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { SmtpOutcome } from '../../queue/transport.ts'
import { cleanText } from './client-reply.ts'
import { isTimeUp } from './client-tls.ts'
import { connectionReason } from './connection-reason.ts'
import { ProxyError } from './proxy-error.ts'

/** We found out ourselves that the server cannot take this. */
export function permanent(enhancedCode: string, error: string): SmtpOutcome {
  return { kind: 'permanent', code: 0, enhancedCode, error, reply: '' }
}

/** The session came to nothing, and says nothing of the recipient. */
export function temporary(error: string, reply = ''): SmtpOutcome {
  return { kind: 'temporary', code: 0, enhancedCode: '', error, reply }
}

/** Host and port, as errors name them. */
export function formatPlace({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** What ended a session, in public words. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown fault'
  if (cause instanceof ProxyError) return cause.message
  if (isTimeUp(cause)) return 'timed out'
  const { code = '', originalCode = '', response } = cause as SMTPConnection.SMTPError
  if (response !== undefined) return `the server answered ${cleanText(response.replace(/\r?\n/g, '; '))}`
  if (code === 'ECONNECTION') return 'connection closed'
  return connectionReason(originalCode) ?? connectionReason(code) ?? cleanText(cause.message)
}
