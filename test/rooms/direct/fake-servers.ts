import type {
  NoSession,
  OpenSession,
  SessionDialer,
  SessionRequest,
} from '../../../shared/direct/sessions.ts'
import type { Remote } from '../../../shared/queue/evidence.ts'
import type { DeliveryRequest, SmtpOutcome } from '../../../shared/queue/transport.ts'
import type { TlsFailure } from '../../../shared/transport-security/tls-failure.ts'

/** A server as a plain value: one that does all that is asked of it, unless something is said. */
export interface FakeServer {
  /** No address answers. */
  readonly isDown?: boolean
  /** Instead of 220. */
  readonly greeting?: string
  /** STARTTLS is not offered, or fails; or the server says only after the handshake that it did. */
  readonly tls?: 'none' | 'broken' | 'alert'
  /** Certificates (DER). */
  readonly chain?: readonly Uint8Array[]
  /** What WebPKI has against them. */
  readonly webPkiFailure?: TlsFailure
  readonly extensions?: readonly string[]
  /**
   * What it says to the recipients of each message; the last for all that follow, and 250 to whom nothing is said.
   * `closed` ends the session before MAIL is answered, `lost` after the content was sent.
   */
  readonly says?: readonly (readonly string[] | 'closed' | 'lost')[]
}

const handshakeFailure: TlsFailure = {
  resultType: 'validation-failure',
  text: 'the handshake failed',
  reason: 'tls-remote-alert-40-handshake-failure',
}

export const notTrusted: TlsFailure = {
  resultType: 'certificate-not-trusted',
  text: 'the certificate is not trusted',
  reason: '',
}

const withoutTls: TlsFailure = {
  resultType: 'starttls-not-supported',
  text: 'STARTTLS is not offered',
  reason: '',
}

/** A dialer to servers by their host, and what happened there. */
export function fakeServers(servers: Readonly<Record<string, FakeServer>>) {
  /** Every session that was tried: host, what TLS, and the addresses. */
  const dials: string[] = []
  const requests: SessionRequest[] = []
  /** Host and recipients of every transaction. */
  const sent: string[] = []
  const ended: string[] = []
  let closings = 0
  let told = 0
  const dialer: SessionDialer = {
    async open(wanted) {
      dials.push(`${wanted.host} ${wanted.tls} ${wanted.ipAddresses.join(',')}`)
      requests.push(wanted)
      const server = servers[wanted.host] ?? { isDown: true }
      const opened = open(server, wanted)
      if (opened.kind === 'failed') return opened
      const openedAt = closings
      let messages = 0
      let state: 'ready' | 'over' = 'ready'
      let hasTakenMail = false
      return {
        ...opened,
        async send(request) {
          const said = server.says?.[Math.min(told, server.says.length - 1)] ?? []
          told += 1
          messages += 1
          hasTakenMail = said !== 'closed'
          if (typeof said === 'string' || wanted.signal.aborted) state = 'over'
          sent.push(
            `${wanted.host}#${messages} ${request.messages.map(({ recipient }) => recipient.localpart)}`,
          )
          return answers(request, said, opened.remote)
        },
        hasTakenMail: () => hasTakenMail,
        isReusable: () => state === 'ready' && openedAt === closings,
        async end() {
          state = 'over'
          ended.push(wanted.host)
        },
      }
    },
  }
  /** The servers end all sessions. */
  const closeAll = () => void closings++
  return { dialer, dials, requests, sent, ended, closeAll }
}

type Opened = Omit<OpenSession, 'send' | 'hasTakenMail' | 'isReusable' | 'end'>

function open(server: FakeServer, wanted: SessionRequest): Opened | NoSession {
  const [ipAddress = ''] = wanted.ipAddresses
  const remote: Remote = { host: wanted.host, ipAddress }
  if (server.isDown) return none('connection', `connecting to ${wanted.host}: connection refused`)
  if (server.greeting) {
    return { ...none('greeting', server.greeting), code: Number(server.greeting.slice(0, 3)), remote }
  }
  const extensions = new Map([...(server.extensions ?? [])].map((keyword) => [keyword, '']))
  if (wanted.tls === 'none') return { kind: 'open', remote, extensions }
  if (server.tls === 'none' && wanted.tls === 'opportunistic') {
    return { kind: 'open', remote, extensions, withoutTls }
  }
  if (server.tls === 'none') return { ...none('tls', withoutTls.text), remote, failure: withoutTls }
  if (server.tls === 'broken')
    return { ...none('tls', handshakeFailure.text), remote, failure: handshakeFailure }
  const { chain = [], webPkiFailure } = server
  const proof = { chain, ...(webPkiFailure && { webPkiFailure }) }
  const verdict = wanted.judge(proof)
  if (verdict.kind === 'refused') {
    return { ...none('tls', verdict.failure.text), remote, failure: verdict.failure, proof }
  }
  if (server.tls === 'alert') {
    return { ...none('tls', handshakeFailure.text), remote, failure: handshakeFailure, proof }
  }
  const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', isVerified: false }
  return { kind: 'open', remote: { ...remote, tls }, extensions, proof }
}

function none(stage: NoSession['stage'], error: string): NoSession {
  return { kind: 'failed', stage, error, code: 0, enhancedCode: '', reply: '' }
}

function answers(
  request: DeliveryRequest,
  said: readonly string[] | 'closed' | 'lost',
  remote: Remote,
): readonly SmtpOutcome[] {
  return request.messages.map((_, place) => {
    if (typeof said === 'string') {
      return { kind: 'temporary', code: 0, enhancedCode: '', error: 'connection closed', reply: '', remote }
    }
    const [code = '', enhancedCode = '', ...words] = (said[place] ?? '250 2.0.0 ok').split(' ')
    const heard = { code: Number(code), enhancedCode, reply: words.join(' '), remote }
    if (code.startsWith('2')) return { ...heard, kind: 'accepted' }
    return { ...heard, kind: code.startsWith('5') ? 'permanent' : 'temporary', error: words.join(' ') }
  })
}
