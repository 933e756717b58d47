import type { SesIdentities } from '../../admin/ses-identities.ts'

/** Loads the client of SES on first use: few calls of the admin API are about domains. */
export function lazySesIdentities(configurationSet: string): SesIdentities {
  let loading: Promise<SesIdentities> | undefined
  const load = () => {
    loading ??= import('./ses-identities.ts').then(({ awsSesIdentities }) =>
      awsSesIdentities(configurationSet),
    )
    return loading
  }
  return {
    ensure: async (domain, mailFromDomain) => await (await load()).ensure(domain, mailFromDomain),
    remove: async (domain) => await (await load()).remove(domain),
  }
}
