import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { freshAccount, freshOptions, type Options } from '../../shared/account/options.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { dynamoFeedbackStore } from '../../shared/adapters/aws/feedback-store.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoNoticeStore } from '../../shared/adapters/aws/notice-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { dynamoWebhookStore } from '../../shared/adapters/aws/webhook-store.ts'
import { parseAddress } from '../../shared/address/address.ts'
import type { Hint, HintChannel } from '../../shared/attempts/hint-channel.ts'
import { sweep } from '../../shared/attempts/sweep.ts'
import { DAY } from '../../shared/base/clock.ts'
import type { Log } from '../../shared/base/log.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { abandonUncommitted } from '../../shared/queue/abandon-uncommitted.ts'
import { actOn, type MessageAction } from '../../shared/queue/act.ts'
import { type AttemptPorts, attempt } from '../../shared/queue/attempt.ts'
import { formatFromId, fromIdKeys } from '../../shared/queue/from-id.ts'
import type { QueueStore } from '../../shared/queue/queue-store.ts'
import { attemptHint, type QueuedMessage } from '../../shared/queue/queued-message.ts'
import { submit } from '../../shared/queue/submit.ts'
import type { DeliveryOutcome } from '../../shared/queue/transport.ts'
import { receive } from '../../shared/reception/receive.ts'
import { type FakeClock, fakeClock } from '../support/fake-clock.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { type Gate, GatedProcess, Killed } from './gated-process.ts'
import type { Plant } from './plants.ts'
import type { Action, Passage } from './queue-model.ts'
import { LEASE, type Report, replies, reports } from './queue-rules.ts'

/** A table, and how often it was written to. */
export interface CountedTable {
  readonly client: DynamoDBClient
  readonly name: string
  writes(): number
}

/** How a real process is let through a gate; `partly` writes so many rows of a Send and dies. */
interface RealPassage extends Pick<Passage, 'answers'> {
  readonly partly?: number
}

/** A process of the product; a Send has drawn ids when it stands before its rows. */
export interface RealProcess {
  readonly process: GatedProcess<RealPassage>
  ids?(): readonly RowId[]
}

export interface SendRequest {
  readonly recipients: readonly string[]
  readonly hasFromId: boolean
  readonly releaseAt: number
}

/** What is stored of an account. */
export type Observed = Awaited<ReturnType<World['read']>>

const SECRET = 'the secret of the FromIDs of this test'
const SENDER = parseAddress('sender@sender.test')
/** Later than anything in a run. */
const END_OF_TIME = Date.UTC(2190, 0, 1)
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** Postern's own code for one account, on a real table, with gates before the writes of its processes. */
export class World {
  readonly account: string
  readonly clock: FakeClock
  /** All hints to workers so far, oldest first. */
  readonly hints: Hint[] = []
  /** The message that a mail gives notice of. */
  readonly noticeOf = new Map<number, RowId>()
  readonly #ports
  readonly #table: CountedTable
  readonly #plant: Plant | undefined
  #last: { readonly key: string; readonly observed: Observed } | undefined

  constructor(
    table: CountedTable,
    start: { readonly account: string; readonly at: number; readonly seed: number },
    plant: Plant | undefined,
  ) {
    this.account = start.account
    this.clock = fakeClock(start.at)
    this.#table = table
    this.#plant = plant
    const random = seededRandom(start.seed)
    const options = optionsOf(start.account)
    const own = { client: table.client, name: table.name, random }
    this.#ports = {
      content: awsContentStore({ table: own, objects: refuse, clock: this.clock }),
      queue: dynamoQueueStore(own, this.clock),
      calls: dynamoWebhookStore(own, this.clock),
      mailboxes: dynamoMailboxStore(own, this.clock),
      suppressions: dynamoSuppressionStore(own),
      notices: dynamoNoticeStore(own, this.clock),
      feedback: dynamoFeedbackStore(own, this.clock),
      options: { read: async () => options, readNewest: async () => options, change: refuse },
      deliveries: channel((hints) => void this.hints.push(...hints)),
      webhooks: channel(() => {}),
      fromIdSecret: async () => SECRET,
      reports: { add: refuse },
      wait: refuse,
      clock: this.clock,
      random,
      log: silent,
    }
  }

  send({ recipients, hasFromId, releaseAt }: SendRequest): RealProcess {
    const { queue, content, deliveries } = this.#ports
    let drawn: readonly RowId[] = []
    const ports = (gate: Gate<RealPassage>) =>
      ({
        ...this.#ports,
        content: { ...content, create: (...all) => gate('content', () => content.create(...all)) },
        queue: {
          ...queue,
          add: async (rows) => {
            drawn = rows.map(({ id }) => id)
            return await gate('rows', async ({ partly }) => {
              const added = await queue.add(rows.slice(0, partly ?? rows.length))
              if (partly !== undefined) throw new Killed()
              return added
            })
          },
          decide: (...all) => gate('commit', () => queue.decide(...all)),
        },
        deliveries: { ...deliveries, send: (...all) => gate('hints', () => deliveries.send(...all)) },
      }) satisfies Parameters<typeof submit>[0]
    const keys = fromIdKeys(SECRET)
    const uniqueMailFrom = (id: RowId) => {
      const fromId = formatFromId(keys, this.account, id)
      return { fromId, mailFrom: { ...SENDER, localpart: `${SENDER.localpart}+${fromId}` } }
    }
    const process = new GatedProcess<RealPassage>((gate) =>
      submit(ports(gate), {
        account: this.account,
        mailFrom: SENDER,
        ...(hasFromId && { uniqueMailFrom }),
        recipients: recipients.map(parseAddress),
        content: Buffer.from('Subject: model\r\nMessage-ID: <model@sender.test>\r\n\r\nx\r\n'),
        messageId: '<model@sender.test>',
        subject: 'model',
        has8bit: false,
        smtputf8: false,
        extra: {},
        ...(releaseAt > this.clock.now() && { futureRelease: { at: releaseAt, request: '' } }),
      }),
    )
    return { process, ids: () => drawn }
  }

  /** A worker, which stops before each claim, the transaction, each outcome and each notice. */
  work(hint: Hint): RealProcess {
    const { notices } = this.#ports
    const queue = this.#plant?.queueOf?.(this.#ports.queue, hint) ?? this.#ports.queue
    const process = new GatedProcess<RealPassage>((gate) => {
      const ports: AttemptPorts = {
        ...this.#ports,
        leaseMs: LEASE,
        queue: {
          ...queue,
          claim: (row, claim) => gate(`claim ${row.id}`, () => queue.claim(row, claim)),
          settle: (row, ...all) => gate(`settle ${row.id}`, () => queue.settle(row, ...all)),
        },
        signer: { sign: async (_, content) => content },
        transport: {
          deliver: ({ messages }) => {
            const names = messages.map(({ recipient }) => `${recipient.localpart}@${recipient.domain}`)
            return gate(`deliver ${names.join(' ')}`, async ({ answers }) =>
              messages.map((_, place) => outcomeOf(answers[place % answers.length] ?? 'none')),
            )
          },
        },
        notices: {
          give: (row, mail) =>
            gate(`notice ${row.id}`, async () => {
              this.noticeOf.set(mail.id, row.id)
              await notices.give(row, mail)
            }),
        },
      }
      return attempt(ports, hint)
    })
    return { process }
  }

  /** An operator, who stops before the write. */
  act(id: RowId, action: Action, by: RowId): RealProcess {
    const { queue } = this.#ports
    const meant: MessageAction =
      action.kind === 'hold' ? { kind: 'hold', reason: 'a test' } : (action as MessageAction)
    const process = new GatedProcess<RealPassage>((gate) => {
      const gated = {
        ...queue,
        edit: (row, ...all) => gate(`write ${row.id}`, () => queue.edit(row, ...all)),
        cancel: (row, ...all) => gate(`write ${row.id}`, () => queue.cancel(row, ...all)),
      } satisfies Partial<QueueStore>
      return actOn({ ...this.#ports, queue: gated }, { account: this.account, id }, meant, by, () => true)
    })
    return { process }
  }

  /** The hints that a sweep sends. */
  async sweep(): Promise<readonly Hint[]> {
    const before = this.hints.length
    const dispose = (row: QueuedMessage) => abandonUncommitted(this.#ports, row)
    const { queue: store, deliveries } = this.#ports
    await sweep({ store, channel: deliveries, hint: attemptHint, dispose }, [this.account], this.clock)
    return this.hints.slice(before)
  }

  /** A message from the Internet: to the FromID of that message, or returning it as envelope id, or neither. */
  async receive(id: RowId | undefined, report: Report, by: 'address' | 'envelope id'): Promise<void> {
    const row = id === undefined ? undefined : await this.#ports.queue.read(this.account, id)
    const fromId = row?.fromId || 'a'.repeat(26)
    const address = by === 'address' ? { ...SENDER, localpart: `${SENDER.localpart}+${fromId}` } : SENDER
    await receive(this.#ports, {
      recipients: [{ account: this.account, address }],
      content: Buffer.from(reportText(report, by === 'address' ? '' : fromId)),
      client: { ipAddress: '127.0.0.1', hello: 'remote.test', protocol: 'ESMTP', sessionId: 'session' },
    })
  }

  /** All that is stored of the account; what was read is still so while nothing is written. */
  async observe(ids: readonly RowId[]): Promise<Observed> {
    const key = `${this.#table.writes()} ${ids.length}`
    if (this.#last?.key !== key) this.#last = { key, observed: await this.read(ids) }
    return this.#last.observed
  }

  /** The same, read anew. */
  async read(ids: readonly RowId[]) {
    const { calls, mailboxes, suppressions } = this.#ports
    const [queued, callRows, mails, listed] = await Promise.all([
      this.#readQueue(ids),
      calls.due(this.account, END_OF_TIME, 10_000),
      mailboxes.list(this.account, 10_000),
      suppressions.list(this.account),
    ])
    return {
      ...queued,
      calls: callRows.map(({ event, body }) => ({
        event,
        json: JSON.parse('json' in body ? body.json : ''),
      })),
      mails: mails.map(({ id, fields }) => ({ noticeOf: this.noticeOf.get(id), subject: fields.subject })),
      suppressed: listed.map(({ baseAddress }) => baseAddress),
    }
  }

  /** The rows of these messages, and the ids of all that the index tells the sweep of. */
  async #readQueue(ids: readonly RowId[]) {
    const { queue } = this.#ports
    const due = await queue.due(this.account, END_OF_TIME, 10_000)
    const found = new Map(due.map((row) => [row.id, row]))
    const rows = await Promise.all(ids.map((id) => found.get(id) ?? queue.read(this.account, id)))
    return { rows, due: [...found.keys()] }
  }
}

function optionsOf(account: string): Options {
  const url = 'http://application.test/'
  return {
    ...freshOptions,
    hostname: 'sender.test',
    domains: { 'sender.test': { separators: ['+'], disabled: false } },
    accounts: {
      [account]: {
        ...freshAccount,
        // Which events are told is this model's, which calls of them are made another's.
        outgoingWebhook: { url, authorization: '', events: [], keepsEveryEvent: true },
        incomingWebhook: { url, authorization: '' },
        keepRetiredMessagesMs: 1000 * DAY,
      },
    },
    transports: { remote: { kind: 'smtp', host: 'remote.test', port: 25, tls: 'none' } },
    routes: [{ fromDomains: [], toDomains: [], minimumAttempts: 0, transport: 'remote' }],
  }
}

function channel(take: (hints: readonly Hint[]) => void): HintChannel {
  return { send: async (hints) => take(hints), depth: async () => 0 }
}

async function refuse(): Promise<never> {
  throw new Error('a run changes no options, and has no bucket')
}

function outcomeOf(answer: Passage['answers'][number]): DeliveryOutcome {
  const outcome = { ...replies[answer], reply: '' }
  return outcome.kind === 'accepted' ? outcome : { ...outcome, error: `the remote said ${answer}` }
}

function reportText(report: Report, envelopeId: string): string {
  if (report === 'unrecognized') return 'From: away@remote.test\r\nSubject: away\r\n\r\nuntil Monday\r\n'
  const { code, text } = reports[report]
  return [
    'From: MAILER-DAEMON@remote.test',
    'Subject: Returned mail',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    ...['', '--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.remote.test'],
    ...(envelopeId === '' ? [] : [`Original-Envelope-Id: ${envelopeId}`]),
    ...['', 'Final-Recipient: rfc822; someone@remote.test', `Action: ${report}`, `Status: ${text}`],
    ...(report === 'failed' ? [`Diagnostic-Code: smtp; ${code} ${text} no such user`] : []),
    ...['', '--b--', ''],
  ].join('\r\n')
}
