import type { TLSSocket } from 'node:tls'
import { connectionReason } from './connection-reason.ts'
import { connectOrWhyNot, openSmtp, proofOf, quit, reasonOf } from './tls-dial.ts'

/** Whom to call, and how. */
export interface SmtpDial {
  /** The name or IP address that the certificate should be for. */
  readonly host: string
  /** IP addresses, of which the first that answers is called. */
  readonly addresses: readonly string[]
  readonly port: number
  /** `offered`: STARTTLS where the server offers it; `required`: in any case; `immediate`: TLS from the first octet. */
  readonly tls: 'none' | 'offered' | 'required' | 'immediate'
  /** What EHLO says. */
  readonly hostname: string
  /** For the whole call. */
  readonly timeoutMs: number
}

/** What a server showed of itself, as far as it came. */
export interface SmtpPeer {
  readonly address?: string
  /** The lines of its first reply, with codes. */
  readonly greeting?: readonly string[]
  /** Its last reply to EHLO (or HELO) before STARTTLS, and after TLS began. */
  readonly helloPlain?: readonly string[]
  readonly helloSecured?: readonly string[]
  readonly tls?: {
    /** Such as `TLSv1.3`, and the IANA name. */
    readonly protocol: string
    readonly cipher: string
    /** Certificates (DER) as they were sent, the server's own first. */
    readonly chain: readonly Uint8Array[]
    /** Why the certificate is not one of a trusted authority for the host; left out: it is. */
    readonly distrust?: string
  }
  /** Why there was no session as it was asked for. */
  readonly error?: string
}

/** Calls an SMTP server, begins a session up to EHLO, and takes leave. Whatever the server does is a value. */
export async function dialSmtp(dial: SmtpDial): Promise<SmtpPeer> {
  const signal = AbortSignal.timeout(dial.timeoutMs)
  const answered = await connectOrWhyNot(dial)
  if ('error' in answered) return { error: answered.error }
  const { socket, address } = answered
  const heard = listener(dial.tls === 'immediate')
  const options = {
    ...{ connection: socket, host: dial.host, name: dial.hostname },
    secure: dial.tls === 'immediate',
    ignoreTLS: dial.tls === 'none',
    requireTLS: dial.tls === 'required',
    ...heard.options,
  }
  try {
    const connection = await openSmtp(options, signal)
    const tls = connection.secure ? tlsOf(connection._socket as TLSSocket) : undefined
    await quit(connection)
    return { address, ...heard.replies(), ...(tls && { tls }) }
  } catch (error) {
    return { address, ...heard.replies(), error: reasonOf(error) }
  } finally {
    socket.destroySoon()
  }
}

function tlsOf(socket: TLSSocket): SmtpPeer['tls'] {
  const cipher = socket.getCipher()?.standardName ?? ''
  const { authorized, authorizationError: problem } = socket
  // Node puts the code there, whatever its types say.
  const code = String(problem)
  return {
    ...proofOf(socket),
    cipher,
    ...(!authorized && { distrust: connectionReason(code) ?? code }),
  }
}

/** What the library tells its logger with `transactionLog`. */
interface LogEntry {
  readonly tnx?: string
}

/** Picks the replies that are shown from what the library logs. */
function listener(isSecure: boolean) {
  let command = ''
  let secured = isSecure
  let [greeting, helloPlain, helloSecured]: (readonly string[] | undefined)[] = []
  const said = (text: string) => {
    command = text.split(' ')[0]?.toUpperCase() ?? ''
  }
  const heard = (reply: string) => {
    const lines = reply.split(/\r?\n/)
    if (command === '') greeting ??= lines
    if (command === 'STARTTLS' && reply.startsWith('220')) secured = true
    if (command !== 'EHLO' && command !== 'HELO') return
    if (secured) helloSecured = lines
    else helloPlain = lines
  }
  const debug = ({ tnx }: LogEntry, text = '') => {
    if (tnx === 'client') said(text)
    if (tnx === 'server') heard(text)
  }
  return {
    options: { transactionLog: true, logger: { debug } },
    replies: (): Pick<SmtpPeer, 'greeting' | 'helloPlain' | 'helloSecured'> => ({
      ...(greeting !== undefined && { greeting }),
      ...(helloPlain !== undefined && { helloPlain }),
      ...(helloSecured !== undefined && { helloSecured }),
    }),
  }
}
