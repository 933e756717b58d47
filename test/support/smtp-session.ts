import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type ConnectionOptions, TLSSocket, connect as tlsConnect } from 'node:tls'

/** An SMTP client that says what it is told to, over TLS or not. */
export interface SmtpSession {
  /** The greeting. */
  readonly greeting: string
  /** Writes the line and answers the next reply, its lines joined by ` | `. */
  say(line: string): Promise<string>
  /** Writes the text as it is. */
  write(text: string): void
  /** The next reply; empty when the server has hung up. */
  reply(): Promise<string>
  /** Says STARTTLS and does as it says. `along` is sent together with it, in clear text. */
  startTls(along?: string): Promise<string>
  /** Throws while the session is not encrypted. */
  tlsSocket(): TLSSocket
  /** AUTH with that mechanism; each answer is said to the challenge before it. Answers the last reply. */
  auth(mechanism: string, ...answers: readonly (string | ((challenge: string) => string))[]): Promise<string>
  hangUp(): void
}

interface SessionOptions {
  readonly port: number
  /** From the first octet on. */
  readonly isEncrypted?: boolean
  readonly tls?: ConnectionOptions
  /** Of the loopback, where the client is to be another one. */
  readonly localAddress?: string
}

/** Connects to this machine and hears the greeting. Certificates are not checked unless `tls` says so. */
export async function smtpSession(
  context: { after(end: () => void): void },
  { port, isEncrypted = false, tls = {}, localAddress }: SessionOptions,
): Promise<SmtpSession> {
  const tlsOptions = { rejectUnauthorized: false, servername: 'localhost', ...tls }
  let socket: Socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) })
  context.after(() => void socket.destroy())
  await once(socket, 'connect')
  const encrypt = async () => {
    socket.removeAllListeners('data')
    const encrypted = tlsConnect({ socket, ...tlsOptions })
    socket = encrypted
    await once(encrypted, 'secureConnect')
  }
  if (isEncrypted) await encrypt()
  let replies = repliesOf(socket)
  const say = async (line: string) => {
    socket.write(`${line}\r\n`)
    return await replies.next()
  }
  return {
    greeting: await replies.next(),
    say,
    write: (text) => void socket.write(text),
    reply: () => replies.next(),
    async startTls(along = '') {
      const answer = await say(`STARTTLS\r\n${along}`.replace(/\r\n$/, ''))
      if (!answer.startsWith('220')) return answer
      await encrypt()
      replies = repliesOf(socket)
      return answer
    },
    tlsSocket() {
      if (socket instanceof TLSSocket) return socket
      throw new Error('the session is not encrypted')
    },
    async auth(mechanism, ...answers) {
      let reply = await say(`AUTH ${mechanism}`)
      for (const answer of answers) {
        if (!reply.startsWith('334 ')) return reply
        const challenge = Buffer.from(reply.slice(4), 'base64').toString()
        const response = typeof answer === 'function' ? answer(challenge) : answer
        reply = await say(Buffer.from(response).toString('base64'))
      }
      return reply
    },
    hangUp: () => void socket.destroy(),
  }
}

function repliesOf(socket: Socket): { next(): Promise<string> } {
  const waiting: ((reply: string) => void)[] = []
  const heard: string[] = []
  let unread = ''
  const ended = () => {
    for (const resolve of waiting.splice(0)) resolve('')
    heard.push('')
  }
  socket.on('error', () => {})
  socket.on('close', ended)
  socket.on('data', (bytes) => {
    unread += bytes
    for (let end = endOfReply(unread); end > 0; end = endOfReply(unread)) {
      const reply = unread
        .slice(0, end - 2)
        .split('\r\n')
        .join(' | ')
      unread = unread.slice(end)
      const resolve = waiting.shift()
      if (resolve) resolve(reply)
      else heard.push(reply)
    }
  })
  return {
    next: async () => heard.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve))),
  }
}

function endOfReply(text: string): number {
  const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text)
  return found ? found[0].length : 0
}
