import type { SignedRequest } from '../gateway/signed-request.ts'
import { readAddresses } from '../ses/raw-message.ts'
import type { Call } from './call.ts'
import type { Inventory } from './inventory.ts'

/**
 * The permissions of a call of SES's API v2 (Service Authorization Reference, "Amazon Simple Email Service v2");
 * undefined for an operation that no role may call here. What names a configuration set counts as being about it too.
 */
export function readSesCalls(
  { operation = '', input = {} }: SignedRequest,
  { deployment: { region, accountId } }: Inventory,
): readonly Call[] | undefined {
  const arn = (path: string) => `arn:aws:ses:${region}:${accountId}:${path}`
  const set = input.ConfigurationSetName
  const sets = typeof set === 'string' ? [arn(`configuration-set/${set}`)] : []
  switch (operation) {
    case 'SendEmail': {
      const resources = [arn(`identity/${senderDomain(input)}`), ...sets]
      // A raw message takes the permission of API v1's SendRawEmail: "not authorized to perform `ses:SendRawEmail'".
      const actions = isRaw(input) ? ['ses:SendEmail', 'ses:SendRawEmail'] : ['ses:SendEmail']
      return actions.flatMap((action) => resources.map((resource) => ({ action, resource })))
    }
    case 'GetAccount':
      return [{ action: 'ses:GetAccount', resource: '*' }]
    case 'CreateEmailIdentity':
    case 'GetEmailIdentity':
    case 'DeleteEmailIdentity':
    case 'PutEmailIdentityMailFromAttributes': {
      const resources = [arn(`identity/${String(input.EmailIdentity)}`), ...sets]
      return resources.map((resource) => ({ action: `ses:${operation}`, resource }))
    }
    default:
      return undefined
  }
}

function isRaw({ Content }: NonNullable<SignedRequest['input']>): boolean {
  return typeof Content === 'object' && Content !== null && 'Raw' in Content
}

/** Where the call names no sender the message does, which is not read for this: `identity/` and nothing then. */
function senderDomain({ FromEmailAddress }: NonNullable<SignedRequest['input']>): string {
  const [address = ''] = readAddresses(String(FromEmailAddress ?? ''))
  return address.slice(address.lastIndexOf('@') + 1)
}
