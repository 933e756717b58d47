import type { Login } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import { type Address, isAsciiLocalpart } from '../address/address.ts'
import { explainLimit, withinDailyLimits } from '../limits/daily-limits.ts'
import type { DsnRequest } from '../queue/queued-message.ts'
import { largestMessage } from '../queue/submission-limits.ts'
import { FromIdUsedError, type Submission, submit } from '../queue/submit.ts'
import { tooLarge } from '../smtp/mail-parameters.ts'
import type { Refusal } from '../smtp/refusal.ts'
import { checkOwner } from './check-mail.ts'
import { completeMessage } from './complete-message.ts'
import { readSubmittedMessage, type SubmittedMessage } from './read-message.ts'
import { FROM_ID_USED, reversePath } from './reverse-path.ts'
import type { OpenSubmission } from './submission-hooks.ts'
import type { SubmissionPorts } from './submission-ports.ts'

const ONE_RECIPIENT_ONLY: Refusal = {
  code: 554,
  enhancedCode: '5.5.3',
  text: 'MAIL FROM: with a unique part of its own it is for one recipient only',
}

/** Queues a message for all of its recipients, or says why for none. */
export async function acceptMessage(
  ports: SubmissionPorts,
  options: Options,
  login: Login,
  submission: OpenSubmission,
  content: Uint8Array,
): Promise<Refusal | undefined> {
  const message = readSubmittedMessage(content)
  if ('code' in message) return message
  const notAuthor = await checkAuthor(ports, options, login, message)
  if (notAuthor) return notAuthor
  const path = await reversePath(ports, options, login, submission.mail.address)
  if ('code' in path) return path
  const recipients = submission.recipients.map(({ address }) => address)
  if (path.chosenFromId !== undefined && recipients.length > 1) return ONE_RECIPIENT_ONLY

  const { mail, client } = submission
  const completed = completeMessage(message, {
    hostname: options.hostname,
    client,
    ...(mail.address && { mailFrom: mail.address }),
    recipients,
    at: ports.clock.now(),
    random: ports.random,
  })
  const most = largestMessage(options, { account: login.name, ...path, recipients })
  if (completed.bytes.length > most) return tooLarge(most)
  return await queueIt(ports, login, {
    account: login.name,
    ...path,
    recipients,
    content: completed.bytes,
    messageId: completed.messageId,
    ...pickFacts(message, submission, recipients),
  })
}

async function checkAuthor(
  ports: SubmissionPorts,
  options: Options,
  login: Login,
  { from, sender }: SubmittedMessage,
): Promise<Refusal | undefined> {
  const known = { options, directory: ports.directory }
  const refusal = await checkOwner(known, login.name, 'From', from)
  return refusal ?? (sender && (await checkOwner(known, login.name, 'Sender', sender)))
}

type Facts = 'subject' | 'extra' | 'has8bit' | 'smtputf8' | 'requireTls' | 'futureRelease' | 'dsn'

/** What the message and its envelope need is what they have, whatever the client has declared. */
function pickFacts(
  message: SubmittedMessage,
  { mail, recipients }: OpenSubmission,
  addresses: readonly Address[],
): Pick<Submission, Facts> {
  const { subject, extra, has8bit, hasUtf8Header } = message
  const isAsciiEnvelope = [...addresses, ...(mail.address ? [mail.address] : [])].every(isAsciiLocalpart)
  // RFC 8689 §4.1: REQUIRETLS outweighs the header field.
  const requireTls = mail.requireTls ? true : message.tlsRequiredNo ? false : undefined
  const dsn = recipients.map(({ notify, originalRecipient }) =>
    dsnRequest({
      ...(mail.envelopeId !== undefined && { envelopeId: mail.envelopeId }),
      ...(mail.return && { return: mail.return }),
      ...(notify && { notify }),
      ...(originalRecipient !== undefined && { originalRecipient }),
    }),
  )
  return {
    subject,
    extra,
    has8bit,
    smtputf8: hasUtf8Header || !isAsciiEnvelope,
    ...(requireTls !== undefined && { requireTls }),
    ...(mail.futureRelease && { futureRelease: mail.futureRelease }),
    dsn,
  }
}

function dsnRequest(asked: DsnRequest): DsnRequest | undefined {
  return Object.keys(asked).length > 0 ? asked : undefined
}

async function queueIt(
  ports: SubmissionPorts,
  login: Login,
  submission: Submission,
): Promise<Refusal | undefined> {
  try {
    const isRefusal = (error: unknown) => error instanceof FromIdUsedError
    const accept = () => submit(ports, submission)
    const accepted = await withinDailyLimits(ports, login, submission.recipients, accept, isRefusal)
    if (accepted.kind === 'accepted') return undefined
    return { code: 451, enhancedCode: '4.7.1', text: explainLimit(accepted) }
  } catch (error) {
    if (error instanceof FromIdUsedError) return FROM_ID_USED
    throw error
  }
}
