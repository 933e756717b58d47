import { type Account, freshAccount, freshOptions, type Options } from '../../../shared/account/options.ts'
import { type Address, formatAddress, parseAddress } from '../../../shared/address/address.ts'
import type { ContentName } from '../../../shared/content/content-store.ts'
import type { QueueStore } from '../../../shared/queue/queue-store.ts'
import type { QueuedMessage } from '../../../shared/queue/queued-message.ts'
import type { MailCommand, RcptCommand } from '../../../shared/smtp/commands.ts'
import type { Refusal } from '../../../shared/smtp/refusal.ts'
import { submissionHooks } from '../../../shared/submission/accept-submissions.ts'
import type { OpenSubmission, SubmissionHooks } from '../../../shared/submission/submission-hooks.ts'
import type { SubmissionPorts } from '../../../shared/submission/submission-ports.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'
import { testCounters } from '../limits/counters.ts'

/** The client has not gone. */
export const HERE = new AbortController().signal
/** What keys of FromIDs are made of here. */
export const FROM_ID_SECRET = 'secret'

/** A message that can be submitted. */
export const MESSAGE =
  'From: Ann <ann@shop.example>\r\nSubject: Order\r\nDate: 1 Jun 2026 12:00:00 +0000\r\nMessage-ID: <m@shop.example>\r\n\r\nHello\r\n'

/** What a test may want different. */
export interface Wishes {
  readonly simulateFailures?: boolean
  readonly account?: Partial<Account>
  readonly options?: Partial<Options>
  /** The user name of the login. */
  readonly login?: string
}

/** Submission over stores in memory. */
export interface Arranged {
  readonly hooks: SubmissionHooks
  readonly rows: readonly QueuedMessage[]
  readonly waits: readonly number[]
  /** Until when chosen FromIDs are taken. */
  readonly takenUntil: readonly number[]
  readonly clock: ReturnType<typeof fakeClock>
  /** The content of the last message that was queued. */
  content(): string
  begin(mail?: Partial<MailCommand>, more?: Partial<OpenSubmission>): OpenSubmission
  /** A whole transaction; answers where it was refused, and how. */
  submit(submitted?: Submitted): Promise<{ readonly stage: string; readonly refusal: Refusal } | undefined>
}

interface Submitted {
  readonly from?: string
  readonly to?: readonly (string | RcptCommand)[]
  readonly message?: string | Uint8Array
  readonly mail?: Partial<MailCommand>
}

/**
 * The account shop has ann and the catchall of many.example, in domains with separators `+` and `--`; bob has bob.
 * off.example is disabled.
 */
export function arrange(wishes: Wishes = {}): Arranged {
  const account = { ...freshAccount, ...wishes.account }
  const options: Options = {
    ...freshOptions,
    hostname: 'mail.shop.example',
    domains: {
      'shop.example': { separators: ['+', '--'], disabled: false },
      'many.example': { separators: [], disabled: false },
      'off.example': { separators: [], disabled: true },
    },
    accounts: { shop: account, bob: freshAccount },
    ...wishes.options,
  }
  const rows: QueuedMessage[] = []
  const contents = new Map<ContentName, Uint8Array>()
  const waits: number[] = []
  const takenUntil: number[] = []
  const clock = fakeClock()
  const ports = memoryPorts({ options, rows, contents, waits, takenUntil, clock })
  const hooks = submissionHooks(ports, { simulateFailures: wishes.simulateFailures ?? false })
  const login = { name: 'shop', account, address: parseAddress(wishes.login ?? 'ann@shop.example') }
  const begin: Arranged['begin'] = (mail = {}, more = {}) => ({
    login,
    client: {
      ipAddress: '192.0.2.7',
      hello: 'laptop.home.example',
      protocol: 'ESMTPSA',
      sessionId: 'session1',
    },
    mail: {
      body: '7BIT',
      smtputf8: false,
      requireTls: false,
      address: parseAddress('ann@shop.example'),
      ...mail,
    },
    recipients: [],
    ...more,
  })
  return {
    hooks,
    rows,
    waits,
    takenUntil,
    clock,
    content: () => Buffer.from([...contents.values()].at(-1) ?? []).toString(),
    begin,
    async submit({ from, to = ['bob@remote.test'], message = MESSAGE, mail } = {}) {
      const open = begin({ ...(from !== undefined && { address: parseAddress(from) }), ...mail })
      const atMail = await hooks.mailFrom(open, HERE)
      if (atMail) return { stage: 'mail', refusal: atMail }
      const recipients: RcptCommand[] = []
      for (const each of to) {
        const recipient = typeof each === 'string' ? { address: parseAddress(each) } : each
        const atRcpt = await hooks.rcptTo({ ...open, recipients }, recipient, HERE)
        if (atRcpt) return { stage: 'rcpt', refusal: atRcpt }
        recipients.push(recipient)
      }
      const atData = await hooks.message({ ...open, recipients }, Buffer.from(message), HERE)
      return atData && { stage: 'data', refusal: atData }
    },
  }
}

interface Memory {
  readonly options: Options
  readonly rows: QueuedMessage[]
  readonly contents: Map<ContentName, Uint8Array>
  readonly waits: number[]
  readonly takenUntil: number[]
  readonly clock: ReturnType<typeof fakeClock>
}

function memoryPorts({ options, rows, contents, waits, takenUntil, clock }: Memory): SubmissionPorts {
  const unused = () => Promise.reject(new Error('not to be called'))
  const known = new Set<string>()
  return {
    options: { read: async () => options },
    directory: {
      find: async (domain, localpart) => ADDRESSES[`${localpart}@${domain}`],
      add: unused,
      move: unused,
      remove: unused,
      list: unused,
    },
    content: {
      create: async (name, bytes) => {
        contents.set(name, bytes)
        return true
      },
      read: unused,
      keep: unused,
      remove: unused,
    },
    queue: memoryQueue(rows, takenUntil),
    deliveries: { send: async () => {}, depth: unused },
    counters: testCounters(),
    knownRecipients: {
      unknown: async (_account, recipients: readonly Address[]) =>
        recipients.filter((recipient) => !known.has(formatAddress(recipient))),
      remember: async (_account, recipients: readonly Address[]) => {
        for (const recipient of recipients) known.add(formatAddress(recipient))
      },
    },
    fromIdSecret: async () => FROM_ID_SECRET,
    clock,
    random: seededRandom(),
    wait: async (milliseconds) => void waits.push(milliseconds),
    log: { info: () => {}, warn: () => {}, error: () => assertNever() },
  }
}

/** A local part of the account that leaves no room for a FromID. */
export const LONG = 'x'.repeat(38)

const ADDRESSES: Readonly<Record<string, string>> = {
  'ann@shop.example': 'shop',
  'mailfrompermerror@shop.example': 'shop',
  'élodie@shop.example': 'shop',
  [`${LONG}@shop.example`]: 'shop',
  'bob@shop.example': 'bob',
  '@@many.example': 'shop',
  'ann@off.example': 'shop',
}

/** Only what submit() asks for. */
function memoryQueue(rows: QueuedMessage[], takenUntil: number[]): QueueStore {
  const sentWithChosen: QueueStore['sentWithChosen'] = async (account, fromId) =>
    rows.find((row) => row.account === account && row.fromId === fromId.toLowerCase())?.id
  const queue: Pick<QueueStore, 'add' | 'addWithChosen' | 'sentWithChosen' | 'noteMessageId' | 'decide'> = {
    async add(added) {
      rows.push(...added)
      return true
    },
    async addWithChosen(row, expiresAt) {
      if ((await sentWithChosen(row.account, row.fromId)) !== undefined) return 'FromID used'
      rows.push(row)
      takenUntil.push(expiresAt)
      return 'added'
    },
    sentWithChosen,
    noteMessageId: async () => {},
    decide: async (_base, decision) => decision,
  }
  return queue as QueueStore
}

function assertNever(): never {
  throw new Error('nothing is to be logged as an error')
}
