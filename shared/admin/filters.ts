import * as z from 'zod/mini'
import type { Options } from '../account/options.ts'
import type { AttemptRow } from '../attempts/attempt-row.ts'
import type { RowLists } from '../attempts/row-lists.ts'
import type { Instant } from '../base/clock.ts'
import type { MessageFilter } from '../queue/message-filter.ts'
import { type CallFilter, callEvents } from '../webhook/call-filter.ts'
import { accountNames, readTimeFilter } from './list-query.ts'
import { readNames } from './row-names.ts'

/** A filter as requests carry it: names of fields as mox has them, times as texts. */
export const messageFilter = z.strictObject({
  IDs: z.optional(z.array(z.union([z.string(), z.int()]))),
  Account: z.optional(z.string()),
  From: z.optional(z.string()),
  To: z.optional(z.string()),
  Hold: z.optional(z.nullable(z.boolean())),
  Submitted: z.optional(z.string()),
  NextAttempt: z.optional(z.string()),
  Transport: z.optional(z.nullable(z.string())),
})

/** The same for webhook calls; of finished ones also when and how they ended. */
export const callFilter = z.strictObject({
  IDs: z.optional(z.array(z.union([z.string(), z.int()]))),
  Account: z.optional(z.string()),
  Event: z.optional(z.enum(callEvents)),
  Submitted: z.optional(z.string()),
  NextAttempt: z.optional(z.string()),
  LastActivity: z.optional(z.string()),
  Success: z.optional(z.boolean()),
})

type MessageFilterJson = z.output<typeof messageFilter> & {
  readonly LastActivity?: string | undefined
  readonly Success?: boolean | undefined
}
type CallFilterJson = z.output<typeof callFilter>

/** What reading a filter needs to know. */
export interface FilterContext {
  readonly options: Options
  readonly lists: RowLists<AttemptRow>
  readonly now: Instant
}

/** Reads which messages are meant; texts that are empty are no filters. Throws RequestError. */
export async function readMessageFilter(
  context: FilterContext,
  json: MessageFilterJson,
): Promise<MessageFilter> {
  const { Hold, Transport, Success } = json
  return {
    ...(await readCommon(context, json)),
    ...(json.From && { from: json.From }),
    ...(json.To && { to: json.To }),
    ...(typeof Hold === 'boolean' && { hold: Hold }),
    ...(typeof Transport === 'string' && { transport: Transport }),
    ...(Success !== undefined && { success: Success }),
  }
}

/** Reads which calls are meant. */
export async function readCallFilter(context: FilterContext, json: CallFilterJson): Promise<CallFilter> {
  const { Event, Success } = json
  return {
    ...(await readCommon(context, json)),
    ...(Event && { event: Event }),
    ...(Success !== undefined && { success: Success }),
  }
}

async function readCommon({ options, lists, now }: FilterContext, json: MessageFilterJson | CallFilterJson) {
  const accounts = accountNames(options, json.Account || undefined)
  const names = json.IDs && (await readNames(lists, accounts, 'IDs', json.IDs))
  const submitted = readTimeFilter('Submitted', json.Submitted || undefined, now)
  const nextAttempt = readTimeFilter('NextAttempt', json.NextAttempt || undefined, now)
  const lastActivity = readTimeFilter('LastActivity', json.LastActivity || undefined, now)
  return {
    ...(names && { names }),
    ...(json.Account && { account: json.Account }),
    ...(submitted && { submitted }),
    ...(nextAttempt && { nextAttempt }),
    ...(lastActivity && { lastActivity }),
  }
}
