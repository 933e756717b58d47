import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'
import { lookUp } from '../base/look-up.ts'
import type { AddressDirectory } from './address-directory.ts'
import type { Account, AccountName, Options } from './options.ts'
import type { PasswordVerifier } from './password-verifier.ts'
import { baseLocalpart, directoryKey, resolveAddress } from './resolve-address.ts'

/** Who called: the account, and the address that was given as user name (it decides the default From). */
export interface Login {
  readonly name: AccountName
  readonly account: Account
  readonly address: Address
}

/** A login, or the public text of its refusal; `disabled` is told only to those who know the password. */
export type LoginResult =
  | { readonly kind: 'login'; readonly login: Login }
  | { readonly kind: 'refused' | 'disabled'; readonly reason: string }

/** Where a user name is looked up. */
export interface LoginPorts {
  readonly options: Options
  readonly directory: AddressDirectory
}

/** The refusal does not tell which of the two was wrong. */
export const BAD_CREDENTIALS: LoginResult = { kind: 'refused', reason: 'bad user name or password' }

/** Whoever there is not; no account can have this name. */
const NOBODY = '@nobody'

/** The user name is any address of the account. Who does not exist is refused as late as who has another password. */
export async function logIn(
  ports: LoginPorts & { readonly passwords: PasswordVerifier },
  userName: string,
  password: string,
): Promise<LoginResult> {
  const login = await findLogin(ports, userName)
  const isRight = await ports.passwords.verify(login?.name ?? NOBODY, password)
  return login && isRight ? conclude(login) : BAD_CREDENTIALS
}

/** The login that a user name asks for, of whoever does; undefined when there is no such account. */
export async function findLogin(ports: LoginPorts, userName: string): Promise<Login | undefined> {
  const address = readAddress(userName)
  if (!address) return undefined
  const found = await resolveAddress(ports, address)
  const account = found.kind === 'account' ? lookUp(ports.options.accounts, found.account) : undefined
  return found.kind === 'account' && account ? { name: found.account, account, address } : undefined
}

/** What becomes of a login whose password was right. */
export function conclude(login: Login): LoginResult {
  const { loginDisabled } = login.account
  if (loginDisabled) return { kind: 'disabled', reason: `login disabled: ${loginDisabled}` }
  return { kind: 'login', login }
}

/** The same for user names that reach the same account by their separators and case, whether it exists or not. */
export function userNameKey({ domains }: Options, userName: string): string {
  const address = readAddress(userName)
  if (!address) return userName
  const separators = lookUp(domains, address.domain)?.separators ?? []
  return directoryKey({ ...address, localpart: baseLocalpart(address.localpart, separators) })
}

function readAddress(text: string): Address | undefined {
  try {
    return parseAddress(text)
  } catch (error) {
    if (error instanceof AddressSyntaxError) return undefined
    throw error
  }
}
