import type { Login } from '../../account/log-in.ts'
import { directoryKey } from '../../account/resolve-address.ts'
import { formatAddress } from '../../address/address.ts'
import type { AcceptedRecipient } from '../../reception/accept-recipient.ts'
import type { OpenTransaction, ReceptionHooks } from '../../reception/reception-hooks.ts'
import type { MailCommand, RcptCommand } from '../../smtp/commands.ts'
import type { Refusal } from '../../smtp/refusal.ts'
import type { SmtpClient } from '../../smtp/smtp-client.ts'
import type { SubmissionHooks } from '../../submission/submission-hooks.ts'

/** A mail transaction that has begun (RFC 5321 §3.3), whatever its port is for. */
export interface Transaction {
  readonly mail: MailCommand
  /** How many recipients were accepted. */
  readonly recipientCount: number
  /** Whether the recipient is there already; it need not be asked for again. */
  has(recipient: RcptCommand): boolean
  /** Adds a recipient, or says why not. */
  add(recipient: RcptCommand, clientGone: AbortSignal): Promise<Refusal | undefined>
  /** Hands the message on; resolves to undefined when we have taken responsibility for it. */
  finish(content: Uint8Array, clientGone: AbortSignal): Promise<Refusal | undefined>
}

/** Begins to receive a message from another server, or says why not. */
export async function beginReception(
  hooks: ReceptionHooks,
  client: SmtpClient,
  mail: MailCommand,
  clientGone: AbortSignal,
): Promise<Transaction | Refusal> {
  const refusal = await hooks.mailFrom(mail.address, clientGone)
  if (refusal) return refusal
  const recipients: AcceptedRecipient[] = []
  const open: OpenTransaction = { ...(mail.address && { mailFrom: mail.address }), recipients }
  const keys = new Set<string>()
  return {
    mail,
    get recipientCount() {
      return recipients.length
    },
    has: ({ address }) => keys.has(directoryKey(address)),
    async add({ address }, gone) {
      const answer = await hooks.rcptTo(open, address, gone)
      if ('code' in answer) return answer
      recipients.push(answer)
      keys.add(directoryKey(address))
      return undefined
    },
    finish: (content, gone) => hooks.message({ ...open, content, client }, gone),
  }
}

/** Begins to take a message from somebody who has logged in, or says why not. */
export async function beginSubmission(
  hooks: SubmissionHooks,
  client: SmtpClient,
  login: Login,
  mail: MailCommand,
  clientGone: AbortSignal,
): Promise<Transaction | Refusal> {
  const recipients: RcptCommand[] = []
  const submission = { login, client, mail, recipients }
  const refusal = await hooks.mailFrom(submission, clientGone)
  if (refusal) return refusal
  // Only its own domain may fold the case of a recipient (RFC 5321 §2.4).
  const keys = new Set<string>()
  return {
    mail,
    get recipientCount() {
      return recipients.length
    },
    has: ({ address }) => keys.has(formatAddress(address)),
    async add(recipient, gone) {
      const answer = await hooks.rcptTo(submission, recipient, gone)
      if (answer) return answer
      recipients.push(recipient)
      keys.add(formatAddress(recipient.address))
      return undefined
    },
    finish: (content, gone) => hooks.message(submission, content, gone),
  }
}
