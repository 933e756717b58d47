import type { Random } from '../base/random.ts'
import { open, seal, sealingKeys } from '../base/sealed.ts'

/** Port: what whoever logs in at a relay needs. */
export interface RelayPasswords {
  /** The password of that `RelayLogin.secretName`; undefined where it is gone. */
  read(secretName: string): Promise<string | undefined>
}

/** Port: where the passwords lie, sealed and never part of the options. */
export interface RelayPasswordStore {
  /** Undefined where there is none. */
  read(secretName: string): Promise<Uint8Array | undefined>
  /** Under a name that is new. */
  keep(secretName: string, sealed: Uint8Array): Promise<void>
  remove(secretName: string): Promise<void>
}

export interface PasswordKeepingPorts {
  readonly relayPasswords: Pick<RelayPasswordStore, 'keep'>
  /** See `shared/base/sealed.ts`. */
  readonly sealingSecret: () => Promise<string>
  readonly random: Random
}

export interface PasswordReadingPorts {
  readonly relayPasswords: Pick<RelayPasswordStore, 'read'>
  readonly sealingSecret: () => Promise<string>
}

const MOST_PASSWORDS = 1000

/**
 * Keeps a password for a transport and answers the name of it. Every password gets a name of its own: until the
 * options say the new one, and wherever they are old, the login is still as it was.
 */
export async function keepRelayPassword(
  { relayPasswords, sealingSecret, random }: PasswordKeepingPorts,
  transportName: string,
  password: string,
): Promise<string> {
  const secretName = `${transportName}#${Buffer.from(random.bytes(12)).toString('base64url')}`
  const keys = sealingKeys(await sealingSecret())
  const sealed = seal(keys, random, sealingContext(secretName), Buffer.from(password))
  await relayPasswords.keep(secretName, sealed)
  return secretName
}

/** Each password is read and opened once: a name never gets another one. */
export function openedRelayPasswords({
  relayPasswords,
  sealingSecret,
}: PasswordReadingPorts): RelayPasswords {
  const opened = new Map<string, string>()
  return {
    async read(secretName) {
      const known = opened.get(secretName)
      if (known !== undefined) return known
      const sealed = await relayPasswords.read(secretName)
      if (!sealed) return undefined
      const keys = sealingKeys(await sealingSecret())
      const password = Buffer.from(open(keys, sealingContext(secretName), sealed)).toString()
      if (opened.size >= MOST_PASSWORDS) opened.clear()
      opened.set(secretName, password)
      return password
    },
  }
}

function sealingContext(secretName: string): string {
  return `relay-password/${secretName}`
}
