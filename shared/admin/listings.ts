import { Hono } from 'hono'
import * as z from 'zod/mini'
import type { AccountName } from '../account/options.ts'
import type { Address } from '../address/address.ts'
import { formatUnicodeDomain } from '../address/domain-name.ts'
import { countedAttempts } from '../attempts/attempt-row.ts'
import { formatInstant } from '../base/clock.ts'
import type { Mail } from '../mailbox/mail.ts'
import { type WireAddress, wireAddresses, wireTime } from '../message/wire-message.ts'
import type { DeliveryResult, QueuedMessage } from '../queue/queued-message.ts'
import type { AdminPorts } from './admin-ports.ts'
import { answer, RequestError, readQuery } from './request.ts'
import { type DomainNameJson, wireDomain } from './wire-domain.ts'

/** A queued message, field for field as mox's `Msg`; what Postern does not have is empty. */
export interface QueuedMessageJson {
  readonly ID: number
  /** The ID of the Send's first recipient; 0 when there was only one. */
  readonly BaseID: number
  readonly Queued: string
  readonly Hold: boolean
  readonly SenderAccount: AccountName
  readonly SenderLocalpart: string
  readonly SenderDomain: IpDomainJson
  readonly SenderDomainStr: string
  readonly FromID: string
  readonly RecipientLocalpart: string
  readonly RecipientDomain: IpDomainJson
  readonly RecipientDomainStr: string
  /** How many attempts were made in earnest: interrupted ones are not counted. */
  readonly Attempts: number
  /** 0 is the default of eight. */
  readonly MaxAttempts: number
  readonly DialedIPs: null
  readonly NextAttempt: string
  readonly LastAttempt: string | null
  readonly Results: readonly DeliveryResultJson[]
  readonly Has8bit: boolean
  readonly SMTPUTF8: boolean
  readonly IsDMARCReport: boolean
  readonly IsTLSReport: boolean
  readonly Size: number
  readonly MessageID: string
  readonly MsgPrefix: null
  readonly Subject: string
  readonly DSNUTF8: null
  readonly Transport: string
  readonly RequireTLS: null
  readonly FutureReleaseRequest: string
  readonly Extra: Readonly<Record<string, string>>
}

/** One attempt, as mox's `MsgResult`. */
interface DeliveryResultJson {
  readonly Start: string
  /** Nanoseconds. */
  readonly Duration: number
  readonly Success: boolean
  readonly Code: number
  /** Without the class digit: `1.1`. */
  readonly Secode: string
  readonly Error: string
}

interface IpDomainJson {
  readonly IP: string
  readonly Domain: DomainNameJson
}

/** A stored mail in the list. */
export interface MailJson {
  readonly MsgID: number
  readonly Account: AccountName
  readonly MailboxName: string
  readonly UID: number
  readonly Received: string
  readonly Size: number
  readonly MailFrom: string
  readonly RcptTo: string
  readonly From: readonly WireAddress[]
  readonly Subject: string
  readonly MessageID: string
  readonly Flags: readonly string[]
}

const MOST_ROWS = 1000
const NANOSECONDS = 1_000_000
/** What mox writes where the attempt is not over. */
const RUNNING = 'delivering...'

const listQuery = z.strictObject({
  account: z.optional(z.string()),
  limit: z._default(
    z.string().check(z.refine(isLimit, `must be a whole number from 1 to ${MOST_ROWS}`)),
    '100',
  ),
})

/** The queue and the stored mail of one account, or of all. */
export function listingRoutes(ports: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/queue', async (context) => {
    const { account, limit } = readQuery(context, listQuery)
    const names = await accountNames(ports, account)
    const rows = await Promise.all(names.map((name) => ports.queue.list(name, Number(limit))))
    const first = rows.flat().sort((one, other) => one.nextAt - other.nextAt || one.id - other.id)
    return answer(context, first.slice(0, Number(limit)).map(queuedMessageJson))
  })
  routes.get('/mail', async (context) => {
    const { account, limit } = readQuery(context, listQuery)
    const names = await accountNames(ports, account)
    const mails = await Promise.all(names.map((name) => ports.mailboxes.list(name, Number(limit))))
    const newest = mails.flat().sort((one, other) => other.id - one.id)
    return answer(context, newest.slice(0, Number(limit)).map(mailJson))
  })
  return routes
}

async function accountNames(ports: AdminPorts, account: string | undefined): Promise<readonly AccountName[]> {
  const { accounts } = await ports.options.readNewest()
  if (account === undefined) return Object.keys(accounts)
  if (Object.hasOwn(accounts, account)) return [account]
  throw new RequestError('account', `there is no account ${JSON.stringify(account)}`)
}

function isLimit(text: string): boolean {
  return /^[1-9]\d{0,3}$/.test(text) && Number(text) <= MOST_ROWS
}

function queuedMessageJson(row: QueuedMessage): QueuedMessageJson {
  const { mailFrom, recipient } = row
  const last = row.results.at(-1)
  return {
    ID: row.id,
    BaseID: row.recipients > 1 ? row.base : 0,
    Queued: formatInstant(row.queuedAt),
    Hold: false,
    SenderAccount: row.account,
    SenderLocalpart: mailFrom?.localpart ?? '',
    SenderDomain: ipDomain(mailFrom),
    SenderDomainStr: mailFrom ? formatUnicodeDomain(mailFrom.domain) : '',
    FromID: row.fromId,
    RecipientLocalpart: recipient.localpart,
    RecipientDomain: ipDomain(recipient),
    RecipientDomainStr: formatUnicodeDomain(recipient.domain),
    Attempts: countedAttempts(row),
    MaxAttempts: 0,
    DialedIPs: null,
    NextAttempt: formatInstant(row.nextAt),
    LastAttempt: wireTime(last?.startedAt),
    Results: row.results.map(resultJson),
    Has8bit: row.has8bit,
    SMTPUTF8: row.smtputf8,
    IsDMARCReport: false,
    IsTLSReport: false,
    Size: row.size,
    MessageID: row.messageId,
    MsgPrefix: null,
    Subject: row.subject,
    DSNUTF8: null,
    Transport: '',
    RequireTLS: null,
    FutureReleaseRequest: '',
    Extra: row.extra,
  }
}

function resultJson(result: DeliveryResult): DeliveryResultJson {
  return {
    Start: formatInstant(result.startedAt),
    Duration: result.durationMs * NANOSECONDS,
    Success: result.status === 'success',
    Code: result.code,
    Secode: result.enhancedCode.replace(/^\d\./, ''),
    Error: errorText(result),
  }
}

function errorText({ status, error }: DeliveryResult): string {
  if (status === 'running') return RUNNING
  return status === 'interrupted' ? error || 'interrupted' : error
}

/** The null reverse-path has an empty domain. */
function ipDomain(address: Address | undefined): IpDomainJson {
  return { IP: '', Domain: address ? wireDomain(address.domain) : { ASCII: '', Unicode: '' } }
}

function mailJson(mail: Mail): MailJson {
  return {
    MsgID: mail.id,
    Account: mail.account,
    MailboxName: mail.mailbox,
    UID: mail.uid,
    Received: formatInstant(mail.receivedAt),
    Size: mail.size,
    MailFrom: mail.envelope.mailFrom,
    RcptTo: mail.envelope.rcptTo,
    From: wireAddresses(mail.fields.from),
    Subject: mail.fields.subject,
    MessageID: mail.fields.messageId,
    Flags: mail.flags,
  }
}
