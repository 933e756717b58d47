import type { SesClient } from '../../ses/ses-client.ts'

/** Loads the client of SES on first use: it is large, and not every deployment delivers through SES. */
export function lazySes(configurationSet: string): SesClient {
  let loading: Promise<SesClient> | undefined
  const load = () => {
    loading ??= import('./ses-client.ts').then(({ awsSesClient }) => awsSesClient(configurationSet))
    return loading
  }
  return {
    send: async (email) => await (await load()).send(email),
    quota: async () => await (await load()).quota(),
  }
}
