import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'

/** A client that speaks SMTP by hand. */
interface SmtpDialog {
  /** Writes the text and a line end, and answers the next reply, its lines joined by ` | `. */
  say(text: string): Promise<string>
  /** Writes the text as it is. */
  write(text: string | Uint8Array): void
  /** The next reply; empty when the server has hung up. */
  reply(): Promise<string>
  hangUp(): void
}

/** Connects, by TLS if asked, whoever the server is, and hears the greeting. */
export async function smtpDialog(
  t: TestContext,
  port: number,
  host = '127.0.0.1',
  isEncrypted = false,
): Promise<SmtpDialog> {
  const socket = isEncrypted ? connectTls({ port, host, rejectUnauthorized: false }) : connect(port, host)
  t.after(() => void socket.destroy())
  socket.on('error', () => {})
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const reply = async (): Promise<string> => {
    const heard: string[] = []
    for (;;) {
      const { done, value } = await lines.next()
      if (done) return heard.join(' | ')
      heard.push(value)
      if (!/^\d{3}-/.test(value)) return heard.join(' | ')
    }
  }
  await reply()
  return {
    say(text) {
      socket.write(`${text}\r\n`)
      return reply()
    },
    write: (text) => void socket.write(text),
    reply,
    hangUp: () => void socket.destroy(),
  }
}
