import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount, freshOptions, type Options } from '../../../shared/account/options.ts'
import { type Address, parseAddress } from '../../../shared/address/address.ts'
import { acceptRecipient } from '../../../shared/reception/accept-recipient.ts'

const options: Options = {
  ...freshOptions,
  hostname: 'mx.host.example',
  domains: {
    'ours.example': { separators: ['+', '--'], disabled: false },
    'all.example': { separators: [], disabled: false },
    'off.example': { separators: [], disabled: true },
    'host.example': { separators: [], disabled: false },
    'own.example': { separators: [], disabled: false },
  },
  accounts: { ann: freshAccount, bob: freshAccount },
}
const addresses: Record<string, string> = {
  'ann@ours.example': 'ann',
  'bob@ours.example': 'bob',
  '@@all.example': 'bob',
  'gone@ours.example': 'removed',
  'postmaster@host.example': 'ann',
  'postmaster@own.example': 'bob',
}
const ports = {
  options,
  directory: {
    find: async (domain: string, localpart: string) => addresses[`${localpart}@${domain}`],
    add: async () => false,
    move: async () => false,
    remove: async () => false,
    list: async () => [],
  },
}

const cases: readonly [
  rule: string,
  recipient: string,
  catchall: string | undefined,
  from: string,
  got: string | number,
][] = [
  ['an address', 'ann@ours.example', undefined, '', 'ann'],
  ['case does not matter', 'ANN@ours.example', undefined, '', 'ann'],
  ['what follows a separator does not matter', 'ann+shop@ours.example', undefined, '', 'ann'],
  ['the first of several separators counts', 'ann--a+b@ours.example', undefined, '', 'ann'],
  ['the catchall takes the rest of its domain', 'anything@all.example', undefined, '', 'bob'],
  ['nobody has it', 'nobody@ours.example', undefined, '', 550],
  ['its account was removed', 'gone@ours.example', undefined, '', 550],
  ['a domain of others', 'ann@theirs.test', undefined, '', 550],
  ['a disabled domain, for the time being', 'ann@off.example', undefined, '', 451],
  ['the catchall account takes what nobody has', 'x@theirs.test', 'ann', '', 'ann'],
  ['mail of an account comes back to it', 'x@theirs.test', 'ann', 'bob@ours.example', 'bob'],
  [
    'RFC 5321 §4.5.1: the host’s postmaster is that of its domain',
    'Postmaster@mx.host.example',
    undefined,
    '',
    'ann',
  ],
  [
    'RFC 5321 §4.5.1: a domain without postmaster has the host’s',
    'postmaster@ours.example',
    undefined,
    '',
    'ann',
  ],
  ['a domain may have a postmaster of its own', 'postmaster@own.example', undefined, '', 'bob'],
  ['a catchall is a postmaster too', 'postmaster@all.example', undefined, '', 'bob'],
  ['a disabled domain has none', 'postmaster@off.example', undefined, '', 451],
  ['nor have domains of others', 'postmaster@theirs.test', undefined, '', 550],
  ['nobody else is at the host', 'ann@mx.host.example', undefined, '', 550],
  ['an address is stronger than the catchall account', 'bob@ours.example', 'ann', '', 'bob'],
]
for (const [rule, recipient, catchall, from, got] of cases) {
  test(rule, async () => {
    const mailFrom: Address | undefined = from === '' ? undefined : parseAddress(from)
    const answer = await acceptRecipient(ports, catchall, mailFrom, parseAddress(recipient))
    assert.equal('account' in answer ? answer.account : answer.code, got)
  })
}
