import { type AddressInfo, createServer, type Socket } from 'node:net'
import { TLSSocket, type TLSSocketOptions } from 'node:tls'

/** With what else a server's end of TLS is to have. */
interface Identity extends Pick<TLSSocketOptions, 'requestCert' | 'rejectUnauthorized' | 'maxVersion'> {
  readonly cert: string
  readonly key: string
}

interface Script {
  /** Null says nothing. */
  readonly greeting?: string | null
  /** Lines after the first of the answer to EHLO. */
  readonly extensions?: readonly string[]
  /** The answer to a command, or to the data (`.`); undefined leaves it to the default, null drops the connection. */
  readonly reply?: (command: string, socket: Socket) => string | null | undefined
  /** Offers STARTTLS. */
  readonly identity?: Identity
  readonly implicitTls?: boolean
  readonly port?: number
  /** Where it listens; 127.0.0.1 where this is left out. */
  readonly ipAddress?: string
}

export interface ScriptedServer {
  readonly port: number
  /** What clients said, in order; data as one text. */
  readonly commands: string[]
  connections: number
}

/** An SMTP server that does what a test says. */
export async function scriptedServer(
  t: { after(end: () => void): void },
  script: Script,
): Promise<ScriptedServer> {
  const state = { port: 0, commands: [] as string[], connections: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    state.connections += 1
    socket.setNoDelay(true)
    sockets.add(socket)
    const first = script.implicitTls && script.identity ? secure(socket, script.identity) : socket
    if (script.greeting !== null) first.write(`${script.greeting ?? '220 mx.example ESMTP'}\r\n`)
    converse(first, script, state.commands)
  })
  await new Promise<void>((done, fail) =>
    server.on('error', fail).listen(script.port ?? 0, script.ipAddress ?? '127.0.0.1', done),
  )
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  state.port = (server.address() as AddressInfo).port
  return state
}

function converse(socket: Socket, script: Script, commands: string[]): void {
  let text = ''
  let isData = false
  const answer = (command: string): void => {
    commands.push(command)
    const reply = answerTo(isData ? '.' : command, script, socket)
    isData = reply?.startsWith('354') ?? false
    if (reply === null) socket.destroy()
    else socket.write(`${reply}\r\n`)
    if (command !== 'STARTTLS' || !reply?.startsWith('220') || !script.identity) return
    socket.removeAllListeners('data')
    converse(secure(socket, script.identity), script, commands)
  }
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (;;) {
      const length = isData ? dataLength(text) : text.indexOf('\r\n')
      if (length < 0 || socket.destroyed) return
      const command = text.slice(0, length)
      text = text.slice(command.length + 2)
      answer(command)
    }
  })
}

/** Up to the dot that ends the data; -1 while it has not come. */
function dataLength(text: string): number {
  if (text.startsWith('.\r\n')) return 1
  const end = text.indexOf('\r\n.\r\n')
  return end < 0 ? -1 : end + 3
}

function answerTo(command: string, script: Script, socket: Socket): string | null {
  const scripted = script.reply?.(command, socket)
  if (scripted !== undefined) return scripted
  if (command.startsWith('EHLO')) {
    const offered = [...(script.extensions ?? ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE'])]
    if (script.identity && !(socket instanceof TLSSocket)) offered.push('STARTTLS')
    return ['mx.example', ...offered]
      .map((line, at) => `250${at === offered.length ? ' ' : '-'}${line}`)
      .join('\r\n')
  }
  if (command === 'DATA') return '354 go on'
  if (command === 'QUIT') return '221 bye'
  if (command === 'STARTTLS') return '220 go on'
  return '250 2.0.0 ok'
}

function secure(socket: Socket, identity: Identity): TLSSocket {
  return new TLSSocket(socket, { isServer: true, ...identity })
}
