import type { AccountName } from '../account/options.ts'
import { type Address, formatUnicodeAddress } from '../address/address.ts'
import { formatUnicodeDomain } from '../address/domain-name.ts'
import { countedAttempts, isUnknown } from '../attempts/attempt-row.ts'
import { formatInstant, type Instant } from '../base/clock.ts'
import { wireTime } from '../message/wire-message.ts'
import type { Remote } from '../queue/evidence.ts'
import type { DeliveryResult, QueuedMessage } from '../queue/queued-message.ts'
import { attemptError } from './attempt-error.ts'
import { type DomainNameJson, wireDomain } from './wire-domain.ts'

/** What mox's `Msg` and `MsgRetired` have in common, and a little more; what Postern does not have is empty. */
interface AnyMessageJson {
  readonly ID: number
  /** The ID of the Send's first recipient; 0 when there was only one. */
  readonly BaseID: number
  readonly Queued: string
  readonly SenderAccount: AccountName
  readonly SenderLocalpart: string
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
  readonly LastAttempt: string | null
  readonly Results: readonly DeliveryResultJson[]
  readonly Has8bit: boolean
  readonly SMTPUTF8: boolean
  readonly IsDMARCReport: boolean
  readonly IsTLSReport: boolean
  readonly Size: number
  readonly MessageID: string
  readonly Subject: string
  readonly Transport: string
  readonly RequireTLS: boolean | null
  readonly FutureReleaseRequest: string
  readonly Extra: Readonly<Record<string, string>>
}

/** A queued message, field for field as mox's `Msg`. */
export interface QueuedMessageJson extends AnyMessageJson {
  /**
   * `handed`: SES has it, and `NextAttempt` is until when it may tell how it ended. `unknown`: only SES can tell whether
   * it has it; the next attempt is made if it does not.
   */
  readonly State: 'waiting' | 'attempting' | 'unknown' | 'handed'
  readonly Hold: boolean
  /** Why it is on hold; empty when it is not. */
  readonly HoldReason: string
  readonly SenderDomain: IpDomainJson
  readonly NextAttempt: string
  readonly MsgPrefix: null
  readonly DSNUTF8: null
}

/** A finished message, field for field as mox's `MsgRetired`. */
export interface RetiredMessageJson extends AnyMessageJson {
  readonly RecipientAddress: string
  readonly Success: boolean
  readonly LastActivity: string
  readonly KeepUntil: string
}

/** One attempt, as mox's `MsgResult`, and who was asked. */
export interface DeliveryResultJson {
  readonly Start: string
  /** Nanoseconds. */
  readonly Duration: number
  readonly Success: boolean
  readonly Code: number
  /** Without the class digit: `1.1`. */
  readonly Secode: string
  readonly Error: string
  /** The server's words; empty when it said none. */
  readonly Reply: string
  /** Empty when there was no connection. */
  readonly RemoteHost: string
  readonly RemoteIP: string
  /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384, verified by DANE`; empty without TLS. */
  readonly TLS: string
  /** What was said, of an attempt that failed; only where a single message is shown. */
  readonly Transcript?: readonly string[]
}

interface IpDomainJson {
  readonly IP: string
  readonly Domain: DomainNameJson
}

const NANOSECONDS = 1_000_000

/** What is written: a line of a list, or everything there is about a message. */
export type Detail = 'line' | 'whole'

/** Writes an unfinished message. */
export function queuedMessageJson(
  row: QueuedMessage,
  now: Instant,
  detail: Detail = 'line',
): QueuedMessageJson {
  return {
    ...anyMessageJson(row, now, detail),
    State: stateOf(row, now),
    Hold: row.hold !== undefined,
    HoldReason: row.hold?.reason ?? '',
    SenderDomain: ipDomain(row.mailFrom),
    NextAttempt: formatInstant(nextAttemptAt(row)),
    MsgPrefix: null,
    DSNUTF8: null,
  }
}

/** Writes a finished message. */
export function retiredMessageJson(
  row: QueuedMessage,
  now: Instant,
  detail: Detail = 'line',
): RetiredMessageJson {
  const { success = false, lastActivityAt = row.queuedAt, keepUntil = 0 } = row.retired ?? {}
  return {
    ...anyMessageJson(row, now, detail),
    RecipientAddress: formatUnicodeAddress(row.recipient),
    Success: success,
    LastActivity: formatInstant(lastActivityAt),
    KeepUntil: formatInstant(keepUntil),
  }
}

function stateOf(row: QueuedMessage, now: Instant): QueuedMessageJson['State'] {
  if (isUnknown(row, now)) return 'unknown'
  return row.state === 'done' ? 'waiting' : row.state
}

/** While a worker has the row, the next attempt is when its lease is over. */
function nextAttemptAt({ nextAt, lease }: QueuedMessage): Instant {
  return Math.max(nextAt, lease?.endsAt ?? 0)
}

function anyMessageJson(row: QueuedMessage, now: Instant, detail: Detail): AnyMessageJson {
  const { mailFrom, recipient } = row
  return {
    ID: row.id,
    BaseID: row.recipients > 1 ? row.base : 0,
    Queued: formatInstant(row.queuedAt),
    SenderAccount: row.account,
    SenderLocalpart: mailFrom?.localpart ?? '',
    SenderDomainStr: mailFrom ? formatUnicodeDomain(mailFrom.domain) : '',
    FromID: row.fromId,
    RecipientLocalpart: recipient.localpart,
    RecipientDomain: ipDomain(recipient),
    RecipientDomainStr: formatUnicodeDomain(recipient.domain),
    Attempts: countedAttempts(row),
    MaxAttempts: 0,
    DialedIPs: null,
    LastAttempt: wireTime(row.results.at(-1)?.startedAt),
    Results: row.results.map((result) => ({
      ...resultJson(row, result, now),
      ...(detail === 'whole' && result.transcript && { Transcript: result.transcript }),
    })),
    Has8bit: row.has8bit,
    SMTPUTF8: row.smtputf8,
    IsDMARCReport: false,
    IsTLSReport: false,
    Size: row.size,
    MessageID: row.messageId,
    Subject: row.subject,
    Transport: row.transport,
    RequireTLS: row.requireTls ?? null,
    FutureReleaseRequest: row.futureRelease,
    Extra: row.extra,
  }
}

function resultJson(row: QueuedMessage, result: DeliveryResult, now: Instant): DeliveryResultJson {
  return {
    Start: formatInstant(result.startedAt),
    Duration: result.durationMs * NANOSECONDS,
    Success: result.status === 'success',
    Code: result.code,
    Secode: result.enhancedCode.replace(/^\d\./, ''),
    Error: attemptError(row, result, now),
    Reply: result.reply,
    RemoteHost: result.remote?.host ?? '',
    RemoteIP: result.remote?.ipAddress ?? '',
    TLS: tlsText(result.remote?.tls),
  }
}

function tlsText(tls: Remote['tls']): string {
  if (!tls) return ''
  const by = tls.verifiedBy ? ` by ${tls.verifiedBy}` : ''
  return `${tls.protocol} ${tls.cipher}, ${tls.isVerified ? `verified${by}` : 'not verified'}`
}

/** The null reverse-path has an empty domain. */
function ipDomain(address: Address | undefined): IpDomainJson {
  return { IP: '', Domain: address ? wireDomain(address.domain) : { ASCII: '', Unicode: '' } }
}
