import { loginLogIn, type PasswordPorts, plainLogIn } from './password-log-in.ts'
import type { ChannelBindings, SaslMechanism, SaslStep } from './sasl.ts'
import { type ScramPorts, scramLogIn } from './scram-log-in.ts'

/** What logins of all mechanisms need. */
export interface SaslPorts extends PasswordPorts, ScramPorts {}

/** Begins a login with what the client says first, which it may have sent along already (RFC 4422 §3.3). */
export async function beginSasl(
  ports: SaslPorts,
  mechanism: SaslMechanism,
  bindings: ChannelBindings,
  initialResponse: Uint8Array | undefined,
): Promise<SaslStep> {
  const take = (message: Uint8Array) => takeFirst(ports, mechanism, bindings, message)
  if (initialResponse) return await take(initialResponse)
  return { kind: 'challenge', text: mechanism === 'LOGIN' ? 'Username:' : '', answer: take }
}

async function takeFirst(
  ports: SaslPorts,
  mechanism: SaslMechanism,
  bindings: ChannelBindings,
  message: Uint8Array,
): Promise<SaslStep> {
  if (mechanism === 'PLAIN') return await plainLogIn(ports, message)
  if (mechanism === 'LOGIN') return loginLogIn(ports, message)
  return await scramLogIn(ports, { isPlus: mechanism === 'SCRAM-SHA-256-PLUS', bindings }, message)
}
