import type { SMTPServerAddress, SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import { directoryKey } from '../../account/resolve-address.ts'
import { parseAddress } from '../../address/address.ts'
import { countReceived } from '../../message/received.ts'
import type { AcceptedRecipient } from '../../reception/accept-recipient.ts'
import type { OpenTransaction, ReceptionHooks } from '../../reception/reception-hooks.ts'
import type { Refusal } from '../../smtp/refusal.ts'
import type { SmtpClient } from '../../smtp/smtp-client.ts'
import { isPostmaster } from './smtp-connection.ts'

export interface TransactionPorts {
  readonly hooks: ReceptionHooks
  readonly hostname: string
}

/** A mail transaction that has begun (RFC 5321 §3.3). */
export interface Transaction extends OpenTransaction {
  readonly smtputf8: boolean
  readonly recipients: AcceptedRecipient[]
}

/** RFC 5321 §6.3 asks for at least 100 where loops are counted this way only; real mail makes fewer than 20 hops. */
const MOST_HOPS = 50

const NEEDS_SMTPUTF8: Refusal = { code: 553, enhancedCode: '5.6.7', text: 'this address needs SMTPUTF8' }
const UNKNOWN_PARAMETER: Refusal = { code: 555, enhancedCode: '5.5.4', text: 'a parameter is not supported' }
const LOOP: Refusal = { code: 554, enhancedCode: '5.4.6', text: 'this message has made too many hops' }

/** Begins a transaction, or says why not. */
export async function beginTransaction(
  ports: TransactionPorts,
  { address, args }: SMTPServerAddress,
  peerGone: AbortSignal,
): Promise<Transaction | Refusal> {
  const parameters = args || {}
  if (Object.keys(parameters).some((keyword) => !['SIZE', 'BODY', 'SMTPUTF8'].includes(keyword))) {
    return UNKNOWN_PARAMETER
  }
  const smtputf8 = parameters.SMTPUTF8 !== undefined
  if (!smtputf8 && !isAscii(address)) return NEEDS_SMTPUTF8
  const mailFrom = address === '' ? undefined : parseAddress(address)
  const refusal = await ports.hooks.mailFrom(mailFrom, peerGone)
  return refusal ?? { ...(mailFrom && { mailFrom }), smtputf8, recipients: [] }
}

/** Adds a recipient, or says why not. One that is there already is not added again. */
export async function addRecipient(
  ports: TransactionPorts,
  transaction: Transaction,
  { address, args }: SMTPServerAddress,
  peerGone: AbortSignal,
): Promise<Refusal | undefined> {
  if (args) return UNKNOWN_PARAMETER
  if (!transaction.smtputf8 && !isAscii(address)) return NEEDS_SMTPUTF8
  const recipient = parseAddress(isPostmaster(address) ? `${address}@${ports.hostname}` : address)
  const key = directoryKey(recipient)
  if (transaction.recipients.some((accepted) => directoryKey(accepted.address) === key)) return undefined
  const answer = await ports.hooks.rcptTo(transaction, recipient, peerGone)
  if ('code' in answer) return answer
  transaction.recipients.push(answer)
  return undefined
}

/** Reads the data and hands the message on. An oversized message is read and dropped; the library refuses it. */
export async function receiveData(
  ports: TransactionPorts,
  { mailFrom, smtputf8, recipients }: Transaction,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  peerGone: AbortSignal,
): Promise<Refusal | undefined> {
  const content = await readContent(stream)
  if (!content) return undefined
  if (countReceived(content) > MOST_HOPS) return LOOP
  const client = clientOf(session, smtputf8)
  const message = { ...(mailFrom && { mailFrom }), recipients, content, client }
  return await ports.hooks.message(message, peerGone)
}

/** Undefined when the message is too large, or the peer went away in the middle of it. */
async function readContent(stream: SMTPServerDataStream): Promise<Buffer | undefined> {
  let chunks: Buffer[] = []
  try {
    for await (const chunk of stream) {
      if (stream.sizeExceeded) chunks = []
      else chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return stream.sizeExceeded ? undefined : Buffer.concat(chunks)
}

function clientOf(session: SMTPServerSession, smtputf8: boolean): SmtpClient {
  // RFC 6531 §4.3 for UTF8SMTP, RFC 5321 §4.4 for the others.
  const protocol = smtputf8 ? 'UTF8SMTP' : session.openingCommand === 'EHLO' ? 'ESMTP' : 'SMTP'
  const hello = session.hostNameAppearsAs.replace(/[\x00-\x1f\x7f-\x9f]/g, '').slice(0, 255)
  return { ipAddress: session.remoteAddress, hello, protocol, sessionId: session.id }
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text)
}
