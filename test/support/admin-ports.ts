import type { DirectoryEntry } from '../../shared/account/address-directory.ts'
import { freshOptions, type Options } from '../../shared/account/options.ts'
import type { StoredPassword } from '../../shared/account/password.ts'
import { passwordVerifier } from '../../shared/account/password-verifier.ts'
import type { AdminPorts } from '../../shared/admin/admin-ports.ts'
import { adminApi } from '../../shared/admin/api.ts'
import type { SesIdentities } from '../../shared/admin/ses-identities.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { ContentName } from '../../shared/content/content-store.ts'
import type { Mail } from '../../shared/mailbox/mail.ts'
import type { Operation } from '../../shared/operations/operation.ts'
import type { QueuedMessage } from '../../shared/queue/queued-message.ts'
import type { Report } from '../../shared/reports/report.ts'
import type { Suppression } from '../../shared/suppression/suppression.ts'
import type { DayResults } from '../../shared/tls-results/day-results.ts'
import type { WebhookName } from '../../shared/webhook/failing-webhook.ts'
import type { SigningSecret } from '../../shared/webhook/signing-secret.ts'
import type { WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { fakeClock } from './fake-clock.ts'
import { listsOver } from './row-lists.ts'
import { seededRandom } from './seeded-random.ts'

/** What the generated secret is in tests. */
export const INITIAL_PASSWORD = 'generated-secret'

/** The admin API over plain values, which a test may read and replace. */
export interface TestAdmin {
  readonly app: ReturnType<typeof adminApi>
  readonly ports: AdminPorts
  readonly state: {
    options: Options
    entries: readonly DirectoryEntry[]
    queued: readonly QueuedMessage[]
    calls: readonly WebhookCall[]
    mails: readonly Mail[]
    suppressions: readonly Suppression[]
    reports: readonly Report[]
    tlsResults: readonly DayResults[]
    contents: Readonly<Record<ContentName, Uint8Array>>
    readonly operations: Map<RowId, Operation>
    readonly passwords: Map<string, StoredPassword>
    /** By `account/direction`. */
    readonly signingSecrets: Map<string, SigningSecret>
    /** Sealed, by public key. */
    readonly dkimKeys: Map<string, Uint8Array>
    /** Sealed, by name. */
    readonly relayPasswords: Map<string, Uint8Array>
    /** Webhooks whose failures were forgotten. */
    readonly forgotten: WebhookName[]
    /** Domains that SES knows; `failing` is thrown by every call where set. */
    readonly ses: { readonly domains: Set<string>; failing?: Error }
    readonly errors: unknown[]
  }
  /** Calls a path below `/admin/api` as the administrator. */
  call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly json: unknown }>
  /** The same for something that must succeed. */
  done(method: string, path: string, body?: unknown): Promise<unknown>
}

/** A fresh installation, with the options that a test gives. */
export function testAdmin(options: Partial<Options> = {}): TestAdmin {
  const state: TestAdmin['state'] = {
    options: { ...freshOptions, ...options },
    entries: [],
    queued: [],
    calls: [],
    mails: [],
    suppressions: [],
    reports: [],
    tlsResults: [],
    contents: {},
    operations: new Map(),
    passwords: new Map(),
    signingSecrets: new Map(),
    dkimKeys: new Map(),
    relayPasswords: new Map(),
    forgotten: [],
    ses: { domains: new Set() },
    errors: [],
  }
  const ports = portsOver(state)
  const app = adminApi(ports)
  const call: TestAdmin['call'] = async (method, path, body) => {
    const answer = await app.request(`/admin/api${path}`, {
      method,
      headers: {
        Authorization: basic('admin', INITIAL_PASSWORD),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, json: await answer.json() }
  }
  return {
    app,
    ports,
    state,
    call,
    async done(method, path, body) {
      const { status, json } = await call(method, path, body)
      if (status === 200) return json
      throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`)
    },
  }
}

/** The Authorization header of HTTP Basic. */
export function basic(userName: string, password: string): string {
  return `Basic ${Buffer.from(`${userName}:${password}`).toString('base64')}`
}

function portsOver(state: TestAdmin['state']): AdminPorts {
  const random = seededRandom()
  const clock = fakeClock()
  const credentials: AdminPorts['credentials'] = {
    password: async (holder) => state.passwords.get(holder),
    setPassword: async (holder, password) => void state.passwords.set(holder, password),
    remove: async (holder) => void state.passwords.delete(holder),
  }
  return {
    options: {
      // What the real store may do: answer a version that somebody else has replaced meanwhile.
      read: async () => freshOptions,
      readNewest: async () => state.options,
      async change(edit) {
        state.options = { ...edit(state.options), version: state.options.version + 1 }
        return state.options
      },
    },
    directory: directoryOver(state),
    credentials,
    passwords: passwordVerifier({ credentials, clock, random }),
    initialPassword: async () => INITIAL_PASSWORD,
    messageLists: listsOver(() => state.queued),
    callLists: listsOver(() => state.calls),
    queue: { read: unused, edit: unused, cancel: unused, keepDecision: unused },
    calls: { read: unused, edit: unused, cancel: unused, add: unused, replay: unused },
    dkimKeys: {
      read: async (_, publicKey) => state.dkimKeys.get(publicKey),
      keep: async (_, publicKey, sealed) => void state.dkimKeys.set(publicKey, sealed),
      remove: async (_, publicKey) => void state.dkimKeys.delete(publicKey),
    },
    relayPasswords: {
      keep: async (name, sealed) => void state.relayPasswords.set(name, sealed),
      remove: async (name) => void state.relayPasswords.delete(name),
    },
    sealingSecret: async () => 'sealing secret',
    content: { read: async (name) => state.contents[name], keep: unused },
    largeAnswers: { linkTo: async (name) => `https://bucket.example/${name}` },
    operations: operationsOver(state),
    deliveries: { send: unused, depth: unused },
    webhooks: { send: unused, depth: unused },
    mailboxes: {
      list: async (account, limit) => state.mails.filter((mail) => mail.account === account).slice(0, limit),
    },
    failing: { forget: async (webhook) => void state.forgotten.push(webhook) },
    signingSecrets: signingSecretsOver(state),
    suppressions: suppressionsOver(state),
    reports: {
      list: async (kind, domain, sinceAt, limit) =>
        state.reports
          .filter((each) => each.kind === kind && each.domain === domain && each.endAt >= sinceAt)
          .sort((one, other) => other.endAt - one.endAt)
          .slice(0, limit),
      find: async (kind, domain, endAt, digest) =>
        state.reports.find(
          (each) =>
            each.kind === kind && each.domain === domain && each.endAt === endAt && each.digest === digest,
        ),
    },
    tlsResults: {
      list: async (day, recipientDomain, limit) =>
        state.tlsResults
          .filter((each) => each.day === day && [undefined, each.recipientDomain].includes(recipientDomain))
          .slice(0, limit),
    },
    sesIdentities: sesOver(state),
    clock,
    random,
    pause: async () => {},
    log: { info: () => {}, warn: () => {}, error: (_event, error) => void state.errors.push(error) },
  }
}

async function unused(): Promise<never> {
  throw new Error('no test of the room gets this far: what changes rows is tested on the real stores')
}

function operationsOver({ operations }: TestAdmin['state']): AdminPorts['operations'] {
  return {
    add: async (operation) => void operations.set(operation.id, operation),
    read: async (id) => operations.get(id),
    list: async (limit) => [...operations.values()].sort((one, other) => other.id - one.id).slice(0, limit),
    running: async () => [...operations.values()].filter(({ state }) => state === 'running'),
    async advance(before, after) {
      const found = operations.get(before.id)
      const isAsBefore = found?.state === 'running' && found.progress.steps === before.progress.steps
      if (isAsBefore) operations.set(after.id, after)
      return isAsBefore
    },
  }
}

function signingSecretsOver({ signingSecrets }: TestAdmin['state']): AdminPorts['signingSecrets'] {
  return {
    read: async (account, direction) => signingSecrets.get(`${account}/${direction}`),
    async replace(account, direction, before, after) {
      const isAsBefore = signingSecrets.get(`${account}/${direction}`)?.secret === before?.secret
      if (isAsBefore) signingSecrets.set(`${account}/${direction}`, after)
      return isAsBefore
    },
    remove: async (account, direction) => void signingSecrets.delete(`${account}/${direction}`),
  }
}

function sesOver({ ses }: TestAdmin['state']): SesIdentities {
  const act = (change: () => unknown) => {
    if (ses.failing) throw ses.failing
    change()
  }
  return {
    async ensure(domain, mailFromDomain) {
      act(() => ses.domains.add(domain))
      return {
        region: 'eu-west-1',
        isVerified: false,
        dkim: { status: 'PENDING', tokens: ['one', 'two', 'three'], hostedZone: 'dkim.amazonses.com' },
        mailFrom: { domain: mailFromDomain, status: 'PENDING' },
      }
    },
    remove: async (domain) => act(() => ses.domains.delete(domain)),
  }
}

function directoryOver(state: TestAdmin['state']): AdminPorts['directory'] {
  const find = (domain: string, localpart: string) =>
    state.entries.find((entry) => entry.domain === domain && entry.localpart === localpart)
  return {
    find: async (domain, localpart) => find(domain, localpart)?.account,
    async add(entry) {
      const found = find(entry.domain, entry.localpart)
      if (!found) state.entries = [...state.entries, entry]
      return !found || found.account === entry.account
    },
    async move(entry) {
      const found = find(entry.domain, entry.localpart)
      state.entries = state.entries.map((each) => (each === found ? entry : each))
      return found !== undefined
    },
    async remove(domain, localpart) {
      const found = find(domain, localpart)
      state.entries = state.entries.filter((entry) => entry !== found)
      return found !== undefined
    },
    list: async (domain) => state.entries.filter((entry) => entry.domain === domain),
  }
}

function suppressionsOver(state: TestAdmin['state']): AdminPorts['suppressions'] {
  const find = ({ account, baseAddress }: Pick<Suppression, 'account' | 'baseAddress'>) =>
    state.suppressions.find((each) => each.account === account && each.baseAddress === baseAddress)
  return {
    page: async (account, { after = '', limit }) =>
      state.suppressions
        .filter((each) => each.account === account && each.baseAddress > after)
        .sort((one, other) => (one.baseAddress < other.baseAddress ? -1 : 1))
        .slice(0, limit),
    findAll: async (wanted) => wanted.map(find).filter((each) => each !== undefined),
    async add(suppression) {
      const isNew = find(suppression) === undefined
      if (isNew) state.suppressions = [...state.suppressions, suppression]
      return isNew
    },
    async remove(account, baseAddress) {
      const found = find({ account, baseAddress })
      state.suppressions = state.suppressions.filter((each) => each !== found)
      return found !== undefined
    },
  }
}
