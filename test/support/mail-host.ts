import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A server of recipients' domains on loopback, which takes all mail but what a test says. */
export interface MailHost {
  readonly port: number
  /** The recipients of the messages that were taken, in the order in which they came. */
  readonly taken: string[]
  /** The next times that recipient is refused. */
  refuse(recipient: string, replies: readonly { readonly code: number; readonly text: string }[]): void
  /** The next message to that recipient waits for its answer until the result is called. */
  hold(recipient: string): { readonly received: Promise<void>; answer(): void }
}

/** Serves until the test is over. */
export async function mailHost(context: { after(end: () => void): void }): Promise<MailHost> {
  const taken: string[] = []
  const refusals = new Map<string, { readonly code: number; readonly text: string }[]>()
  const held = new Map<string, { received: () => void; answered: Promise<void> }>()
  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onRcptTo: ({ address }, _session, done) => {
      const reply = refusals.get(address)?.shift()
      done(reply ? Object.assign(new Error(reply.text), { responseCode: reply.code }) : null)
    },
    onData: (stream, session, done) => {
      stream.resume().once('end', async () => {
        const recipient = session.envelope.rcptTo[0]?.address ?? ''
        const holding = held.get(recipient)
        held.delete(recipient)
        holding?.received()
        await holding?.answered
        taken.push(recipient)
        done()
      })
    },
  })
  // A client that vanishes is not this server's trouble.
  smtp.on('error', () => {})
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  context.after(() => void smtp.close())
  return {
    port: (smtp.server.address() as AddressInfo).port,
    taken,
    refuse: (recipient, replies) => void refusals.set(recipient, [...replies]),
    hold(recipient) {
      const received = Promise.withResolvers<void>()
      const answered = Promise.withResolvers<void>()
      held.set(recipient, { received: received.resolve, answered: answered.promise })
      return { received: received.promise, answer: answered.resolve }
    },
  }
}
