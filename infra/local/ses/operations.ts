import type { JsonObject } from '../gateway/json-service.ts'

/** A call of SES's API v2, as its model names it. */
export interface SesCall {
  readonly operation: string
  /** The members of the body, and those that lie in the path. */
  readonly input: JsonObject
}

/** Method and path of each operation that is known here (Amazon SES API v2 Reference, "Operations"). */
const routes: readonly (readonly [operation: string, method: string, path: string])[] = [
  ['SendEmail', 'POST', '/v2/email/outbound-emails'],
  ['GetAccount', 'GET', '/v2/email/account'],
  ['PutAccountSendingAttributes', 'PUT', '/v2/email/account/sending'],
  ['CreateConfigurationSet', 'POST', '/v2/email/configuration-sets'],
  [
    'CreateConfigurationSetEventDestination',
    'POST',
    '/v2/email/configuration-sets/{ConfigurationSetName}/event-destinations',
  ],
  [
    'UpdateConfigurationSetEventDestination',
    'PUT',
    '/v2/email/configuration-sets/{ConfigurationSetName}/event-destinations/{EventDestinationName}',
  ],
  ['CreateEmailIdentity', 'POST', '/v2/email/identities'],
  ['GetEmailIdentity', 'GET', '/v2/email/identities/{EmailIdentity}'],
  ['DeleteEmailIdentity', 'DELETE', '/v2/email/identities/{EmailIdentity}'],
  ['PutEmailIdentityMailFromAttributes', 'PUT', '/v2/email/identities/{EmailIdentity}/mail-from'],
]

const compiled = routes.map(([operation, method, path]) => {
  const expression = path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return { operation, method, path: new RegExp(`^${expression}/?$`) }
})

/** Which operation a request asks for; undefined for one that is not known here. */
export function readSesCall(method: string, url: string, body: JsonObject): SesCall | undefined {
  const [path = ''] = url.split('?')
  for (const route of compiled) {
    const match = method === route.method ? route.path.exec(path) : null
    if (match === null) continue
    const labels = Object.entries(match.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)])
    return { operation: route.operation, input: { ...body, ...Object.fromEntries(labels) } }
  }
  return undefined
}
