import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A relay on loopback that takes mail only from whoever logs in (CRAM-MD5, so that no password is sent). */
export interface LoginRelay {
  readonly port: number
  readonly username: string
  readonly password: string
  /** The recipients of the mail that it took. */
  readonly recipients: readonly string[]
}

/** Opens such a relay. */
export async function loginRelay(context: { after(end: () => void): void }): Promise<LoginRelay> {
  const login = { username: 'shop', password: 'correct horse' }
  const recipients: string[] = []
  const smtp = new SMTPServer({
    authMethods: ['CRAM-MD5'],
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onAuth: (auth, _session, done) => {
      const isRight = auth.username === login.username && auth.validatePassword(login.password)
      done(isRight ? null : new Error('wrong'), { user: login.username })
    },
    onData: (stream, { envelope }, done) => {
      stream.resume().once('end', () => {
        recipients.push(...envelope.rcptTo.map(({ address }) => address))
        done()
      })
    },
  })
  // A client that gives up is not this server's trouble.
  smtp.on('error', () => {})
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve))
  context.after(() => smtp.close())
  return { port: (smtp.server.address() as AddressInfo).port, ...login, recipients }
}
