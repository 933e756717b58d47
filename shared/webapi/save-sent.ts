import { flagsIn } from '../mailbox/flags.ts'
import { keepMail } from '../mailbox/keep-mail.ts'
import type { ReceivedEnvelope } from '../mailbox/mail.ts'
import { SENT } from '../mailbox/mailboxes.ts'
import { formatAddressList, formatField, type NamedAddress } from '../message/header-field.ts'
import type { CallContext } from './call-context.ts'

/** A message that was queued. */
export interface SentMessage {
  /** As composed, without trace fields. */
  readonly bytes: Uint8Array
  readonly bcc: readonly NamedAddress[]
  readonly smtputf8: boolean
}

/** Nothing came in by SMTP, and nothing was verified. */
const NO_ENVELOPE: ReceivedEnvelope = {
  mailFrom: '',
  mailFromValidated: false,
  rcptTo: '',
  msgFromValidated: false,
  dkimVerifiedDomains: [],
  remoteIp: '',
}

/**
 * Puts a copy into Sent, which tells of the blind recipients too; false when the account's quota has no room for it.
 * The message is on its way whatever becomes of the copy: a failed call would make its caller send it again, so a
 * failure is only logged.
 */
export async function saveSent({ ports, login }: CallContext, message: SentMessage): Promise<boolean> {
  try {
    const { quotaOctets } = login.account
    const used = quotaOctets === undefined ? 0 : await ports.mailboxes.usedOctets(login.name)
    if (quotaOctets !== undefined && used + message.bytes.length > quotaOctets) return false
    const bytes = Buffer.concat([Buffer.from(bccField(message)), message.bytes])
    const { mail } = await keepMail(ports, {
      account: login.name,
      mailbox: SENT,
      flags: flagsIn(SENT, ['\\seen']),
      envelope: NO_ENVELOPE,
      receivedAt: ports.clock.now(),
      bytesOf: () => bytes,
    })
    await ports.mailboxes.append([{ mail }])
  } catch (error) {
    ports.log.error('the copy of a sent message was not saved', error, { account: login.name })
  }
  return true
}

function bccField({ bcc, smtputf8 }: SentMessage): string {
  return bcc.length === 0 ? '' : formatField('Bcc', formatAddressList(bcc, smtputf8), 'BCC')
}
