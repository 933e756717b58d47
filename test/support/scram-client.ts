import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { ScramKeys } from '../../shared/account/password.ts'

/** What a client says of itself, and how it binds to the channel. */
export interface ScramCredentials {
  readonly userName: string
  readonly password: string
  /** `n` or `y`, if it does not bind. */
  readonly flag?: 'n' | 'y'
  readonly authorizationId?: string
  readonly binding?: { readonly name: string; readonly data: Uint8Array }
}

/** A client of SCRAM-SHA-256 (RFC 5802, RFC 7677), written from the RFCs and sharing no code with the server. */
export function scramClient({ userName, password, flag = 'n', authorizationId, binding }: ScramCredentials) {
  const gs2Header = `${binding ? `p=${binding.name}` : flag},${authorizationId ? `a=${authorizationId}` : ''},`
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=${userName.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  let expected = ''
  return {
    first: `${gs2Header}${bare}`,
    final(serverFirst: string): string {
      const [, whole = '', salt = '', iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
      if (!whole.startsWith(nonce)) throw new Error(`not our nonce: ${serverFirst}`)
      const keys = clientKeys(password, salt, Number(iterations))
      const channel = Buffer.concat([Buffer.from(gs2Header), binding?.data ?? Buffer.of()])
      const withoutProof = `c=${channel.toString('base64')},r=${whole}`
      const said = `${bare},${serverFirst},${withoutProof}`
      const signature = hmac(keys.storedKey, said)
      expected = `v=${hmac(keys.serverKey, said).toString('base64')}`
      const proof = keys.clientKey.map((byte, place) => byte ^ (signature[place] ?? 0))
      return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`
    },
    /** Whether the server knows the password too. */
    knows: (serverFinal: string) => serverFinal === expected,
  }
}

/** What a server keeps of a password. */
export function scramKeysOf(password: string, salt: string, iterations: number): ScramKeys {
  const { storedKey, serverKey } = clientKeys(password, salt, iterations)
  return {
    salt,
    iterations,
    storedKey: storedKey.toString('base64'),
    serverKey: serverKey.toString('base64'),
  }
}

function clientKeys(password: string, salt: string, iterations: number) {
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash('sha256').update(clientKey).digest()
  return { clientKey, storedKey, serverKey: hmac(salted, 'Server Key') }
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
