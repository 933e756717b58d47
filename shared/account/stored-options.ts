import { freshAccount, freshOptions, type Options, type Relay, relayKindAt } from './options.ts'

/** Options as some version of Postern wrote them, this one or an earlier one. */
export type StoredOptions = Omit<Options, 'transports'> & {
  /** Once all were relays, and TLS began with the first octet at port 465. */
  readonly transports: Readonly<Record<string, Options['transports'][string] | Omit<Relay, 'kind'>>>
}

/** A snapshot that an earlier version wrote lacks what came later; an upgrade changes nothing by itself. */
export function withDefaults(stored: StoredOptions): Options {
  const accounts = Object.entries(stored.accounts).map(([name, account]) => [
    name,
    { ...freshAccount, ...account },
  ])
  const transports = Object.entries(stored.transports).map(([name, transport]) => [
    name,
    'kind' in transport ? transport : { kind: relayKindAt(transport.port), ...transport },
  ])
  return {
    ...freshOptions,
    ...stored,
    accounts: Object.fromEntries(accounts),
    transports: Object.fromEntries(transports),
  }
}
