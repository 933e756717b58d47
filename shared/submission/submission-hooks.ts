import type { Login } from '../account/log-in.ts'
import type { MailCommand, RcptCommand } from '../smtp/commands.ts'
import type { Refusal } from '../smtp/refusal.ts'
import type { SmtpClient } from '../smtp/smtp-client.ts'

/** A submission that has begun, with the recipients accepted so far. */
export interface OpenSubmission {
  readonly login: Login
  readonly client: SmtpClient
  readonly mail: MailCommand
  readonly recipients: readonly RcptCommand[]
}

/**
 * What an SMTP listener asks at each step of a submission (RFC 6409), after the client has logged in. What a hook
 * throws is a fault of ours, and the client is told to come again. The signal is aborted when the client has gone.
 */
export interface SubmissionHooks {
  /** MAIL FROM. Resolves to undefined when the transaction may go on. */
  mailFrom(submission: OpenSubmission, clientGone: AbortSignal): Promise<Refusal | undefined>
  /** RCPT TO. */
  rcptTo(
    submission: OpenSubmission,
    recipient: RcptCommand,
    clientGone: AbortSignal,
  ): Promise<Refusal | undefined>
  /** The end of the data; resolves to undefined when the message is queued for all recipients. */
  message(
    submission: OpenSubmission,
    content: Uint8Array,
    clientGone: AbortSignal,
  ): Promise<Refusal | undefined>
}
