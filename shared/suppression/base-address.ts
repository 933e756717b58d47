import { type Address, formatUnicodeAddress } from '../address/address.ts'

/**
 * The form under which an address is suppressed: the local part in lower case, cut at the first `+`, then at the
 * first `-`, without dots; the domain in Unicode. It is mox's fixed rule, whatever the domain's own separators,
 * so that one person's variants count as one; `first-last@` is cut too.
 */
export function baseAddress(address: Address): string {
  const [beforePlus = ''] = address.localpart.split('+', 1)
  const [beforeDash = ''] = beforePlus.split('-', 1)
  const localpart = beforeDash.replaceAll('.', '').toLowerCase()
  return formatUnicodeAddress({ ...address, localpart })
}
