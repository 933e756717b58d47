import { Hono } from 'hono'
import * as z from 'zod/mini'
import { DAY } from '../base/clock.ts'
import { type DayResults, dayOf, type PolicyResults } from '../tls-results/day-results.ts'
import type { AdminPorts } from './admin-ports.ts'
import { readDomain } from './fields.ts'
import { limitField } from './list-query.ts'
import { answer, readQuery } from './request.ts'

/** What TLS came to when mail for a domain was delivered directly, on one day, under the policies of one domain. */
export interface TlsResultJson {
  /** In UTC, as `2026-06-01`. */
  readonly Day: string
  readonly RecipientDomain: string
  /** The recipient domain, or the name of a mail host. */
  readonly PolicyDomain: string
  readonly IsHost: boolean
  readonly Policies: readonly {
    /** `tlsa`, `sts` or `no-policy-found` (RFC 8460 §4.4). */
    readonly Type: string
    readonly Texts: readonly string[]
    readonly MXHosts: readonly string[]
    /** Sessions. */
    readonly Succeeded: number
    readonly Failed: number
    readonly Failures: readonly {
      readonly ResultType: string
      /** 0 where it is told of sessions that count as a success. */
      readonly Count: number
      readonly SendingIP: string
      readonly ReceivingMX: string
      readonly ReceivingIP: string
      readonly Information: string
      readonly ReasonCode: string
    }[]
  }[]
}

const resultsQuery = z.strictObject({ domain: z.optional(z.string()), limit: limitField })

/** As long as rows are kept, and today. */
const MOST_DAYS = 15

/** What TLS came to, the newest day first. */
export function tlsResultRoutes({ tlsResults, clock }: AdminPorts): Hono {
  const routes = new Hono()
  routes.get('/', async (context) => {
    const query = readQuery(context, resultsQuery)
    const domain = query.domain === undefined ? undefined : readDomain('domain', query.domain)
    const most = Number(query.limit)
    const rows: DayResults[] = []
    for (let ago = 0; ago < MOST_DAYS && rows.length < most; ago++) {
      const day = dayOf(clock.now() - ago * DAY)
      rows.push(...(await tlsResults.list(day, domain, most - rows.length)))
    }
    return answer(context, rows.map(resultJson))
  })
  return routes
}

function resultJson({ day, recipientDomain, policyDomain, isHost, policies }: DayResults): TlsResultJson {
  return {
    Day: `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`,
    RecipientDomain: recipientDomain,
    PolicyDomain: policyDomain,
    IsHost: isHost,
    Policies: policies.map(policyJson),
  }
}

function policyJson({
  policyType,
  policyStrings,
  mxHosts,
  success,
  failures,
}: PolicyResults): TlsResultJson['Policies'][number] {
  return {
    Type: policyType,
    Texts: policyStrings,
    MXHosts: mxHosts,
    Succeeded: success,
    Failed: failures.reduce((sum, { count }) => sum + count, 0),
    Failures: failures.map((failure) => ({
      ResultType: failure.resultType,
      Count: failure.count,
      SendingIP: failure.sendingIp ?? '',
      ReceivingMX: failure.receivingHost,
      ReceivingIP: failure.receivingIp ?? '',
      Information: failure.text,
      ReasonCode: failure.reason,
    })),
  }
}
