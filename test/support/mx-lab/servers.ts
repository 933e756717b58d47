import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type ScriptedServer, scriptedServer } from '../../adapters/net/scripted-server.ts'
import { identityOf } from '../tls-server.ts'
import type { Certificates } from './certificates.ts'
import type { MxServer, TlsFault } from './scenario.ts'

/** A server at its address, and where it writes down the sessions that it has. */
interface ServerPlace {
  readonly host: string
  readonly ipAddress: string
  readonly port: number
  /** One line each: the host, and how MAIL was said in it, if it was. */
  readonly sessions: string[]
}

/** Starts a server of a scenario, until the test is over. */
export async function startServer(
  context: { after(end: () => unknown): void },
  server: MxServer,
  { host, ipAddress, port, sessions }: ServerPlace,
  certificates: Certificates,
): Promise<ScriptedServer> {
  const { chain = ['own'], tls, greeting, extensions } = server
  const isDemanding = tls === 'late alert'
  const offers = tls === undefined || tls === 'hidden' || isDemanding
  const identity = { ...identityOf(chain.map(certificates)), requestCert: isDemanding }
  const countMail = mailCounter()
  return await scriptedServer(context, {
    ipAddress,
    port,
    ...(greeting !== undefined && { greeting }),
    ...(extensions !== undefined && { extensions }),
    ...(offers && { identity: { ...identity, rejectUnauthorized: isDemanding } }),
    reply(command, socket) {
      const inTls = socket instanceof TLSSocket
      if (command.startsWith('EHLO') && !inTls) sessions.push(host)
      if (command.startsWith('MAIL')) {
        if (countMail(socket) > (server.mostMails ?? Number.POSITIVE_INFINITY)) return null
        sessions.push(`${sessions.pop()?.replace(/ .*/, '')} MAIL in ${inTls ? 'TLS' : 'the clear'}`)
      }
      return replyTo(command, server, socket)
    },
  })
}

/** Says how often MAIL was said on a socket. */
function mailCounter(): (socket: Socket) => number {
  const mails = new WeakMap<Socket, number>()
  return (socket) => {
    const count = (mails.get(socket) ?? 0) + 1
    mails.set(socket, count)
    return count
  }
}

/** What is not usual; undefined otherwise. */
function replyTo(
  command: string,
  { replies = {}, tls }: MxServer,
  socket: Socket,
): string | null | undefined {
  const said = command.endsWith('\r\n.') ? '.' : command
  const scripted = Object.entries(replies).find(([start]) => said.startsWith(start))
  if (scripted) return scripted[1]
  const isBroken = tls !== undefined && tls !== 'late alert' && !(socket instanceof TLSSocket)
  return isBroken ? replyWith(tls, command, socket) : undefined
}

/** What a server says whose TLS is at fault. */
function replyWith(fault: TlsFault, command: string, socket: Socket): string | undefined {
  if (command.startsWith('EHLO')) {
    const isHidden = fault === 'hidden' || fault === 'not offered'
    return isHidden ? '250 mx.example' : '250-mx.example\r\n250 STARTTLS'
  }
  if (command !== 'STARTTLS' || fault === 'hidden') return undefined
  const refusal = refusals[fault]
  if (refusal !== undefined) return refusal
  socket.removeAllListeners('data')
  socket.once('data', () => spoilHandshake(fault, socket))
  return '220 go on'
}

const refusals: Partial<Readonly<Record<TlsFault, string>>> = {
  'not offered': '502 5.5.1 what?',
  refused: '454 4.7.0 not now',
  'refused for good': '554 5.7.0 never',
}

function spoilHandshake(fault: TlsFault, socket: Socket): void {
  if (fault === 'closes') socket.end()
  else if (fault === 'no TLS') socket.write('500 5.5.1 what?\r\n')
  // A fatal alert (RFC 8446 §6), in a record of its own: handshake_failure.
  else socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40]))
}
