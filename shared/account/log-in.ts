import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import type { AddressDirectory } from './address-directory.ts'
import type { Account, AccountName, Options } from './options.ts'
import type { PasswordVerifier } from './password-verifier.ts'
import { resolveAddress } from './resolve-address.ts'

/** Who called: the account, and the address that was given as user name (it decides the default From). */
export interface Login {
  readonly name: AccountName
  readonly account: Account
  readonly address: Address
}

/** A login, or the public text of its refusal. */
export type LoginResult =
  | { readonly kind: 'login'; readonly login: Login }
  | { readonly kind: 'refused'; readonly reason: string }

const BAD_CREDENTIALS: LoginResult = { kind: 'refused', reason: 'bad user name or password' }

/** The user name is any address of the account; the refusal does not tell which of the two was wrong. */
export async function logIn(
  ports: {
    readonly options: Options
    readonly directory: AddressDirectory
    readonly passwords: PasswordVerifier
  },
  userName: string,
  password: string,
): Promise<LoginResult> {
  const address = readAddress(userName)
  if (!address) return BAD_CREDENTIALS
  const found = await resolveAddress(ports, address)
  const account = found.kind === 'account' ? lookUp(ports.options.accounts, found.account) : undefined
  if (found.kind !== 'account' || !account) return BAD_CREDENTIALS
  if (!(await ports.passwords.verify(found.account, password))) return BAD_CREDENTIALS
  if (account.loginDisabled) return { kind: 'refused', reason: `login disabled: ${account.loginDisabled}` }
  return { kind: 'login', login: { name: found.account, account, address } }
}

function readAddress(text: string): Address | undefined {
  try {
    return parseAddress(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}
