import { createHmac } from 'node:crypto'
import type { LoginMechanism } from './options.ts'
import type { SaslClient } from './sasl.ts'
import { type ScramBinding, scramClient } from './scram-client.ts'

/** Whom to log in as, and by what. */
export interface SaslLogin {
  readonly mechanism: LoginMechanism
  readonly username: string
  readonly password: string
  /** Printable ASCII without commas, never used before. */
  readonly nonce: string
  /** How the login is bound to its channel; -PLUS mechanisms need `p`. */
  readonly binding: ScramBinding
}

/** Begins a login. */
export function saslClient(login: SaslLogin): SaslClient {
  const { mechanism, username, password } = login
  switch (mechanism) {
    case 'SCRAM-SHA-256-PLUS':
    case 'SCRAM-SHA-256':
      return scramClient({ ...login, hash: 'sha256' })
    case 'SCRAM-SHA-1-PLUS':
    case 'SCRAM-SHA-1':
      return scramClient({ ...login, hash: 'sha1' })
    case 'CRAM-MD5':
      return inTurn([(challenge) => `${username} ${md5Hmac(password, challenge)}`])
    case 'PLAIN':
      return { ...inTurn([]), initial: Buffer.from(`\0${username}\0${password}`) }
    case 'LOGIN':
      return inTurn([() => username, () => password])
  }
}

/** Answers so many challenges, each by one of these. */
function inTurn(answers: readonly ((challenge: Uint8Array) => string)[]): SaslClient {
  let given = 0
  return {
    answer(challenge) {
      const answer = answers[given++]
      return answer ? { response: Buffer.from(answer(challenge)) } : { problem: 'the server asks for more' }
    },
    missing: () => (given < answers.length ? 'the server did not ask for the password' : undefined),
  }
}

/** RFC 2195 §2. */
function md5Hmac(password: string, challenge: Uint8Array): string {
  return createHmac('md5', password).update(challenge).digest('hex')
}
