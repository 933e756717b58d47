import { isUtf8 } from 'node:buffer'
import { createHmac } from 'node:crypto'
import { lookUp } from '../base/look-up.ts'
import type { Random } from '../base/random.ts'
import type { CredentialStore } from './credential-store.ts'
import { BAD_CREDENTIALS, conclude, findLogin, type LoginPorts, userNameKey } from './log-in.ts'
import { SCRAM_ITERATIONS, type ScramKeys } from './password.ts'
import { type ChannelBindings, isItself, NOT_ITSELF, type SaslStep } from './sasl.ts'
import { type ClientFirst, checkClientFinal, readClientFirst, writeServerFirst } from './scram.ts'

/** What logins by SCRAM need. */
export interface ScramPorts extends LoginPorts {
  readonly credentials: CredentialStore
  readonly random: Random
  /** What the salts of users that do not exist are made of. */
  readonly saltSecret: () => Promise<string>
}

const MALFORMED: SaslStep = { kind: 'malformed', reason: 'not a message of SCRAM (RFC 5802)' }
const UNBOUND: SaslStep = { kind: 'unbound', reason: 'the channel binding is not that of this connection' }

/**
 * SCRAM-SHA-256 (RFC 7677): the client proves that it knows the password, and we that we know its keys. With -PLUS
 * both prove that they see the same TLS connection. A user that does not exist gets a salt like any other.
 */
export async function scramLogIn(
  ports: ScramPorts,
  channel: { readonly isPlus: boolean; readonly bindings: ChannelBindings },
  message: Uint8Array,
): Promise<SaslStep> {
  const clientFirst = isUtf8(message) ? readClientFirst(Buffer.from(message).toString()) : undefined
  if (!clientFirst) return MALFORMED
  const { userName, authorizationId } = clientFirst
  const problem = bindingProblem(clientFirst, channel)
  if (problem !== undefined) return { kind: 'unbound', reason: problem }
  if (!isItself(authorizationId, userName)) return NOT_ITSELF
  const login = await findLogin(ports, userName)
  const stored = login && (await ports.credentials.password(login.name))
  const keys = stored?.scramSha256 ?? (await madeUpKeys(ports, userName))
  const nonce = clientFirst.nonce + Buffer.from(ports.random.bytes(18)).toString('base64')
  const serverFirst = writeServerFirst(nonce, keys)
  const channelBinding = lookUp(channel.bindings, clientFirst.bindingName) ?? new Uint8Array()
  return {
    kind: 'challenge',
    text: serverFirst,
    answer(response) {
      const dialogue = { clientFirst, serverFirst, nonce, channelBinding }
      const proof = checkClientFinal(dialogue, keys, Buffer.from(response).toString())
      if (proof.kind === 'malformed') return MALFORMED
      if (proof.kind === 'unbound') return UNBOUND
      if (!login || proof.kind !== 'proved') return BAD_CREDENTIALS
      const end = conclude(login)
      if (end.kind !== 'login') return end
      // RFC 5802 §5: the client answers our proof with nothing.
      return {
        kind: 'challenge',
        text: proof.serverFinal,
        answer: ({ length }) => (length === 0 ? end : MALFORMED),
      }
    },
  }
}

/** RFC 5802 §6. Who believes that we cannot bind although we said so was told otherwise by somebody between us. */
function bindingProblem(
  { flag, bindingName }: ClientFirst,
  { isPlus, bindings }: { readonly isPlus: boolean; readonly bindings: ChannelBindings },
): string | undefined {
  if (isPlus !== (flag === 'p')) {
    return isPlus ? 'this mechanism wants channel binding' : 'channel binding goes with SCRAM-SHA-256-PLUS'
  }
  if (flag === 'y' && Object.keys(bindings).length > 0) return 'this server does support channel binding'
  if (flag === 'p' && !lookUp(bindings, bindingName))
    return 'this kind of channel binding is not supported here'
  return undefined
}

/** The same each time, and for every spelling that would reach the same account. */
async function madeUpKeys({ options, saltSecret }: ScramPorts, userName: string): Promise<ScramKeys> {
  const digest = createHmac('sha256', await saltSecret())
    .update(`salt ${userNameKey(options, userName)}`)
    .digest()
  const salt = digest.subarray(0, 16).toString('base64')
  return { salt, iterations: SCRAM_ITERATIONS, storedKey: '', serverKey: '' }
}
