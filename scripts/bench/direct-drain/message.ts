import { localSeed } from '../../local-postern.ts'

/** A domain of recipients, whose server is the sink. */
export const DOMAIN = 'drain.test'
export const MAIL_FROM: string = localSeed.address

/** One of the messages that both queues are given, each with a recipient of its own. */
export interface BenchMessage {
  readonly recipient: string
  readonly messageId: string
  readonly subject: string
  readonly content: Uint8Array
}

const TEXT = 'A line of a message that no one will read, as most of them are.\r\n'.repeat(15)

/** The message of that number: about 1,200 octets, not signed by DKIM. */
export function benchMessage(place: number): BenchMessage {
  const recipient = `user${place}@${DOMAIN}`
  const messageId = `<${place}@bench.test>`
  const subject = `Message ${place}`
  const header = `From: ${MAIL_FROM}\r\nTo: ${recipient}\r\nSubject: ${subject}\r\nMessage-ID: ${messageId}\r\n`
  return { recipient, messageId, subject, content: Buffer.from(`${header}\r\n${TEXT}`) }
}
