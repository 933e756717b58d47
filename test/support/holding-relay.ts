import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A relay on loopback that takes a message and keeps its client waiting for the answer. */
export interface HoldingRelay {
  readonly port: number
  /** Resolves when the first message has come in as a whole. */
  readonly received: Promise<void>
  /** Lets all clients have their 250. */
  answer(): void
}

/** Opens such a relay. */
export async function holdingRelay(context: { after(end: () => void): void }): Promise<HoldingRelay> {
  const received = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData: (stream, _session, done) => {
      stream.resume().once('end', () => {
        received.resolve()
        void answered.promise.then(() => done())
      })
    },
  })
  // A client that gives up is not this server's trouble.
  smtp.on('error', () => {})
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    answered.resolve()
    smtp.close()
  })
  const { port } = smtp.server.address() as AddressInfo
  return { port, received: received.promise, answer: () => answered.resolve() }
}
