import { isUtf8 } from 'node:buffer'
import { type LoginPorts, logIn } from './log-in.ts'
import type { PasswordVerifier } from './password-verifier.ts'
import { isItself, NOT_ITSELF, type SaslStep } from './sasl.ts'

/** What logins that carry the password need. */
export interface PasswordPorts extends LoginPorts {
  readonly passwords: PasswordVerifier
}

/** PLAIN (RFC 4616 §2): whom to act as, who it is, and the password. */
export async function plainLogIn(ports: PasswordPorts, message: Uint8Array): Promise<SaslStep> {
  const [authorizationId = '', userName = '', password = '', ...more] = textOf(message)?.split('\0') ?? []
  if (userName === '' || password === '' || more.length > 0) {
    return { kind: 'malformed', reason: 'not a message of PLAIN (RFC 4616)' }
  }
  if (!isItself(authorizationId, userName)) return NOT_ITSELF
  return await logIn(ports, userName, password)
}

/** LOGIN (draft-murchison-sasl-login §2): old clients know nothing else. */
export function loginLogIn(ports: PasswordPorts, message: Uint8Array): SaslStep {
  const userName = textOf(message)
  if (!userName) return { kind: 'malformed', reason: 'the user name must be UTF-8 and not empty' }
  return {
    kind: 'challenge',
    text: 'Password:',
    async answer(response) {
      const password = textOf(response)
      if (!password) return { kind: 'malformed', reason: 'the password must be UTF-8 and not empty' }
      return await logIn(ports, userName, password)
    },
  }
}

function textOf(message: Uint8Array): string | undefined {
  return isUtf8(message) ? Buffer.from(message).toString() : undefined
}
