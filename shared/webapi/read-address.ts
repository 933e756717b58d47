import { type Address, parseAddress } from '../address/address.ts'
import { AddressSyntaxError } from '../address/domain-name.ts'
import { ApiError } from './api-error.ts'

/** Reads an address of a request; what is none is refused by the name of its field. */
export function readAddress(field: string, address: string): Address {
  try {
    return parseAddress(address)
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new ApiError('badAddress', `${field}: ${error.message}`)
    throw error
  }
}
