import { createHash, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { readBase64 } from '../base/base64.ts'
import type { SaslAnswer, SaslClient } from './sasl.ts'
import { equal, exclusiveOr, hmac, type ScramHash } from './scram.ts'

/**
 * RFC 5802 §6. `n`: the client cannot bind the login to its channel. `y`: it could, and the server does not offer it.
 * `p`: it does, by what it sees of the channel.
 */
export type ScramBinding =
  | { readonly flag: 'n' | 'y' }
  | { readonly flag: 'p'; readonly name: string; readonly data: Uint8Array }

interface ScramLogin {
  readonly hash: ScramHash
  readonly username: string
  readonly password: string
  readonly nonce: string
  readonly binding: ScramBinding
}

/** RFC 5802 §5.1 asks for 4096; with fewer a server could guess the password from our proof. */
const FEWEST_ITERATIONS = 4_096
/** A server must not keep us busy: some seconds of work. */
const MOST_ITERATIONS = 10_000_000

const SERVER_FIRST = /^r=(?<nonce>[^,]+),s=(?<salt>[^,]+),i=(?<iterations>[1-9]\d{0,8})(?:,[A-Za-z]=[^,]*)*$/

const pbkdf2Async = promisify(pbkdf2)

/**
 * The client's side of SCRAM (RFC 5802 §3, RFC 7677): it proves that it knows the password without telling it, and
 * has the server prove that it knows the password's keys.
 */
export function scramClient(login: ScramLogin): SaslClient {
  const { username, nonce, binding } = login
  const gs2Header = `${binding.flag === 'p' ? `p=${binding.name}` : binding.flag},,`
  const bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  let serverFinal: string | undefined
  let isProved = false
  return {
    initial: Buffer.from(`${gs2Header}${bare}`),
    async answer(challenge) {
      const text = Buffer.from(challenge).toString()
      if (serverFinal === undefined) {
        const proof = await proofOf(login, { gs2Header, bare }, text)
        if ('problem' in proof) return proof
        serverFinal = proof.serverFinal
        return proof
      }
      isProved = !isProved && equal(Buffer.from(text), Buffer.from(serverFinal))
      return isProved
        ? { response: Buffer.of() }
        : { problem: 'the server does not know the password itself' }
    },
    missing: () => (isProved ? undefined : 'the server has not proved that it knows the password'),
  }
}

/** RFC 5802 §3: the client's last message, and the one that a server can answer it with that knows the keys. */
async function proofOf(
  { hash, password, nonce, binding }: ScramLogin,
  { gs2Header, bare }: { readonly gs2Header: string; readonly bare: string },
  serverFirst: string,
): Promise<
  (SaslAnswer & { readonly response: Uint8Array; readonly serverFinal: string }) | { problem: string }
> {
  const said = SERVER_FIRST.exec(serverFirst)?.groups
  const salt = readBase64(said?.salt ?? '')
  const iterations = Number(said?.iterations)
  if (!said?.nonce?.startsWith(nonce) || said.nonce === nonce || !salt) {
    return { problem: 'the server’s challenge is none of SCRAM (RFC 5802)' }
  }
  if (iterations < FEWEST_ITERATIONS || iterations > MOST_ITERATIONS) {
    return {
      problem: `the server asks for ${iterations} iterations, not ${FEWEST_ITERATIONS} to ${MOST_ITERATIONS}`,
    }
  }
  const length = hash === 'sha1' ? 20 : 32
  const salted = await pbkdf2Async(password.normalize('NFKC'), salt, iterations, length, hash)
  const channel = Buffer.concat([
    Buffer.from(gs2Header),
    ...(binding.flag === 'p' ? [Buffer.from(binding.data)] : []),
  ])
  const withoutProof = `c=${channel.toString('base64')},r=${said.nonce}`
  const authMessage = `${bare},${serverFirst},${withoutProof}`
  const clientKey = hmac(salted, 'Client Key', hash)
  const storedKey = createHash(hash).update(clientKey).digest()
  const proof = exclusiveOr(clientKey, hmac(storedKey, authMessage, hash))
  const signature = hmac(hmac(salted, 'Server Key', hash), authMessage, hash)
  return {
    response: Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`),
    serverFinal: `v=${signature.toString('base64')}`,
  }
}
