import { AddressSyntaxError, type DomainName, parseDomainName } from '../../shared/address/domain-name.ts'
import { CliError } from './cli-error.ts'

/** The domain that somebody typed, also with a dot at its end; throws a CliError that names the argument. */
export function readDomain(argument: string, text: string): DomainName {
  try {
    return parseDomainName(text.replace(/\.$/, ''))
  } catch (error) {
    if (error instanceof AddressSyntaxError) throw new CliError(`${argument}: ${error.message}`)
    throw error
  }
}
