import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const [USERNAME, SALT, ITERATIONS] = ['relay-user', 'c2FsdHNhbHRzYWx0', 4_096] as const

/** What a server of logins is like, where it is not usual. */
export interface SaslServerTerms {
  readonly password?: string
  /** Signs as if it knew another password. */
  readonly signsAs?: string
  /** Says 235 before it has signed. */
  readonly skipsProof?: boolean
}

/**
 * The other end of AUTH (RFC 4954) for a scripted server, written from the RFCs and sharing no code with what it tries:
 * answers a command or the next answer of an exchange; undefined for what is not about a login. `relay-user` may
 * log in.
 */
export function saslServer({ password = 'secret', signsAs = password, skipsProof }: SaslServerTerms = {}) {
  let next: ((response: string) => string) | undefined
  const challenge = (text: string, answer: (response: string) => string) => {
    next = answer
    return `334 ${Buffer.from(text).toString('base64')}`
  }
  const end = (isRight: boolean) => (isRight ? '235 2.7.0 welcome' : '535 5.7.8 wrong password')
  const begin: Record<string, (socket: Socket, isPlus: boolean, hash: string) => string> = {
    PLAIN: () => challenge('', (said) => end(said === `\0${USERNAME}\0${password}`)),
    LOGIN: () =>
      challenge('Username:', (name) =>
        challenge('Password:', (said) => end(name === USERNAME && said === password)),
      ),
    'CRAM-MD5': () =>
      challenge('<1@mx.example>', (said) => {
        const digest = createHmac('md5', password).update('<1@mx.example>').digest('hex')
        return end(said === `${USERNAME} ${digest}`)
      }),
    SCRAM: (socket, isPlus, hash) =>
      challenge('', (first) =>
        scram({ first, socket, isPlus, hash, password, signsAs, skipsProof, challenge, end }),
      ),
  }
  return (command: string, socket: Socket): string | undefined => {
    const [, mechanism, initial] = /^AUTH (\S+)(?: (\S+))?$/.exec(command) ?? []
    if (mechanism !== undefined) {
      const isScram = mechanism.startsWith('SCRAM')
      const hash = mechanism.includes('256') ? 'sha256' : 'sha1'
      const asked = begin[isScram ? 'SCRAM' : mechanism]?.(socket, mechanism.endsWith('PLUS'), hash)
      return initial === undefined ? asked : answer(initial)
    }
    return next && answer(command)
  }
  function answer(line: string): string {
    const given = next
    next = undefined
    if (line === '*' || !given) return '501 5.7.0 cancelled'
    return given(Buffer.from(line, 'base64').toString('binary'))
  }
}

interface ScramTerms {
  readonly first: string
  readonly socket: Socket
  readonly isPlus: boolean
  readonly hash: string
  readonly password: string
  readonly signsAs: string
  readonly skipsProof: boolean | undefined
  readonly challenge: (text: string, answer: (response: string) => string) => string
  readonly end: (isRight: boolean) => string
}

/** RFC 5802 §3. */
function scram(terms: ScramTerms): string {
  const { first, socket, isPlus, hash, password, signsAs, skipsProof, challenge, end } = terms
  const [, gs2 = '', binding, bare = '', name, nonce] =
    /^((?:n|y|p=([a-z-]+)),,)(n=([^,]*),r=(.*))$/.exec(first) ?? []
  if (name !== USERNAME || isPlus !== (binding !== undefined)) return end(false)
  const mac = (key: Uint8Array, text: string) => createHmac(hash, key).update(text).digest()
  const salted = (secret: string) =>
    pbkdf2Sync(secret, Buffer.from(SALT, 'base64'), ITERATIONS, hash === 'sha1' ? 20 : 32, hash)
  const serverFirst = `r=${nonce}${randomBytes(6).toString('hex')},s=${SALT},i=${ITERATIONS}`
  return challenge(serverFirst, (final) => {
    const [, withoutProof = '', channel = '', proof = ''] = /^(c=([^,]+),r=[^,]+),p=(.+)$/.exec(final) ?? []
    const seen = Buffer.concat([Buffer.from(gs2), bindingOf(socket, binding)]).toString('base64')
    const said = `${bare},${serverFirst},${withoutProof}`
    const stored = createHash(hash)
      .update(mac(salted(password), 'Client Key'))
      .digest()
    const mask = mac(stored, said)
    const key = Buffer.from(proof, 'base64').map((octet, place) => octet ^ (mask[place] ?? 0))
    const isRight = channel === seen && createHash(hash).update(key).digest().equals(stored)
    if (!isRight || skipsProof) return end(isRight)
    const signature = mac(mac(salted(signsAs), 'Server Key'), said).toString('base64')
    return challenge(`v=${signature}`, (empty) => end(empty === ''))
  })
}

function bindingOf(socket: Socket, name: string | undefined): Buffer {
  if (name === undefined || !(socket instanceof TLSSocket)) return Buffer.of()
  if (name === 'tls-exporter') {
    return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.of())
  }
  return createHash('sha256')
    .update(socket.getX509Certificate()?.raw ?? '')
    .digest()
}
