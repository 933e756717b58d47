import { createHash } from 'node:crypto'
import type { Instant } from '../../base/clock.ts'
import { formatInstant, parseInstant } from '../../base/clock.ts'
import { formatRowId, type RowId } from '../../base/row-id.ts'
import type { ContentName } from '../../content/content-store.ts'

/** The primary key of an item. */
export interface Key {
  readonly pk: string
  readonly sk: string
}

/** The kinds of rows that are attempted, as the indexes name them. */
export type RowKind = 'mail' | 'hook'

/** One account's rows are spread over this many partitions, so that it can write more than one takes. */
const SHARDS = 8

/** Every key of the table, in one place. What lies under them: ARCHITECTURE.md, "Data". */
export const keys = {
  message: (account: string, id: RowId): Key => ({ pk: `M#${account}#${id % SHARDS}`, sk: formatRowId(id) }),
  call: (account: string, id: RowId): Key => ({ pk: `H#${account}#${id % SHARDS}`, sk: formatRowId(id) }),
  content: (name: ContentName): Key => ({ pk: `B#${name}`, sk: 'content' }),
  decision: (base: RowId): Key => ({ pk: `B#queue/${base}`, sk: 'commit' }),
  optionsVersion: (): Key => ({ pk: 'CFG', sk: 'VER' }),
  options: (version: number): Key => ({ pk: 'CFG', sk: String(version).padStart(16, '0') }),
  address: (domain: string, localpart: string): Key => ({ pk: `AD#${domain}`, sk: localpart }),
  password: (holder: string): Key => ({ pk: `K#${holder}`, sk: 'password' }),
  certificate: (): Key => ({ pk: 'TLS', sk: 'certificate' }),
  stsPolicy: (domain: string): Key => ({ pk: 'STS', sk: domain }),
  // Before all domains, none of which begins so.
  stsRefresh: (): Key => ({ pk: 'STS', sk: '#refresh' }),
  tlsResults: (day: string, recipientDomain: string, policyDomain: string): Key => ({
    pk: `TR#${day}`,
    sk: `${recipientDomain}#${policyDomain}`,
  }),
  domainTls: (account: string, domain: string): Key => ({ pk: `DT#${account}`, sk: domain }),
  signingSecret: (account: string, direction: string): Key => ({ pk: `W#${account}`, sk: direction }),
  dkimKey: (domain: string, publicKey: string): Key => ({ pk: `DK#${domain}`, sk: shortened(publicKey) }),
  relayPassword: (secretName: string): Key => ({ pk: 'TP', sk: secretName }),
  failing: (account: string, direction: string, url: string): Key => ({
    pk: `F#${account}`,
    sk: shortened(`${direction}#${url}`),
  }),
  suppression: (account: string, baseAddress: string): Key => ({ pk: `S#${account}`, sk: baseAddress }),
  recipient: (account: string, address: string): Key => ({ pk: `R#${account}`, sk: address }),
  keyedSend: (account: string, key: string): Key => ({ pk: `I#${account}`, sk: key }),
  messageId: (account: string, messageId: string): Key => ({ pk: `P#${account}`, sk: shortened(messageId) }),
  // A Message-ID begins with an angle bracket.
  chosenFromId: (account: string, fromId: string): Key => ({
    pk: `P#${account}`,
    sk: `FromID ${fromId.toLowerCase()}`,
  }),
  report: (kind: string, domain: string, endAt: Instant, digest: string): Key => ({
    pk: `RP#${kind}#${domain}`,
    sk: `${formatInstant(endAt)}#${digest}`,
  }),
  sesRate: (): Key => ({ pk: 'SE', sk: 'rate' }),
  operation: (id: RowId): Key => ({ pk: 'OP', sk: formatRowId(id) }),
  upload: (account: string, id: string): Key => ({ pk: `UP#${account}`, sk: id }),
  counter: (subject: string, since: Instant): Key => ({ pk: `T#${subject}`, sk: formatInstant(since) }),
  mailbox: (account: string, mailbox: string): Key => ({ pk: `MB#${account}`, sk: mailbox }),
  mail: (account: string, id: RowId): Key => ({ pk: `N#${account}`, sk: formatRowId(id) }),
  uid: (account: string, mailbox: string, uid: number): Key => ({
    pk: `U#${account}#${mailbox}`,
    sk: String(uid).padStart(10, '0'),
  }),
  mailboxChange: (account: string, mailbox: string, modseq: number): Key => ({
    pk: `C#${account}#${mailbox}`,
    sk: String(modseq).padStart(16, '0'),
  }),
} as const

/** A sort key has at most 1024 octets (DynamoDB, "Service, account, and table quotas"). */
function shortened(text: string): string {
  return Buffer.byteLength(text) <= 900 ? text : createHash('sha256').update(text).digest('base64url')
}

/** Partition of both indexes: one kind of rows of one account; those on hold lie apart, where no sweep meets them. */
export function indexPartition(kind: RowKind, account: string, isHeld = false): string {
  return `${isHeld ? 'held-' : ''}${kind}#${account}`
}

/** Partition of the `due` index that holds the operations that run. */
export const RUNNING_OPERATIONS = 'operation#running'

/** Sort key of both indexes: time, then id. */
export function indexSort(at: Instant, id: RowId): string {
  return `${formatInstant(at)}#${formatRowId(id)}`
}

/** The inverse of {@link indexSort}. */
export function parseIndexSort(text: string): { readonly at: Instant; readonly id: RowId } {
  const [time = '', id = ''] = text.split('#')
  return { at: parseInstant(time), id: Number(id) as RowId }
}

/** DynamoDB's time to live wants seconds; it deletes days late, so readers compare too. */
export function expiresAtSeconds(at: Instant): number {
  return Math.ceil(at / 1000)
}
