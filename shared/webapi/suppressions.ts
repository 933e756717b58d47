import * as z from 'zod/mini'
import type { Address } from '../address/address.ts'
import { rowIdAt } from '../base/row-id.ts'
import { baseAddress } from '../suppression/base-address.ts'
import { isReason, newSuppression, REASON_RULE } from '../suppression/new-suppression.ts'
import { wireSuppression } from '../suppression/wire-suppression.ts'
import { ApiError } from './api-error.ts'
import type { CallContext, CallResult } from './call-context.ts'
import { parseRequest, record, text } from './json-request.ts'
import { readAddress } from './read-address.ts'

export const suppressionListRequest = record({})
export const suppressionAddressRequest = record({ EmailAddress: text })
export const suppressionAddRequest = record({
  EmailAddress: text,
  Manual: z._default(z.boolean(), false),
  Reason: text,
})

/** What SuppressionList answers: the entries of the account, oldest first. */
export const suppressionListResult = z.object({
  Suppressions: z.array(
    z.object({
      ID: z.int(),
      Created: z.iso.datetime(),
      Account: z.string(),
      BaseAddress: z.string(),
      OriginalAddress: z.string(),
      Manual: z.boolean(),
      Reason: z.string(),
    }),
  ),
})

/** What SuppressionPresent answers. */
export const suppressionPresentResult = z.object({ Present: z.boolean() })

/** SuppressionList: whom the account does not send to. */
export async function suppressionList({ ports, login, body }: CallContext): Promise<CallResult> {
  parseRequest(suppressionListRequest, body.json)
  const entries = await ports.suppressions.list(login.name)
  return { kind: 'json', value: { Suppressions: entries.map(wireSuppression) } }
}

/** SuppressionAdd: messages to the address fail from now on, without an attempt. */
export async function suppressionAdd({ ports, login, body }: CallContext): Promise<CallResult> {
  const { EmailAddress, Manual, Reason } = parseRequest(suppressionAddRequest, body.json)
  const address = readAddress('EmailAddress', EmailAddress)
  if (!isReason(Reason)) throw new ApiError('user', `Reason: ${REASON_RULE}`)
  const createdAt = ports.clock.now()
  const entry = newSuppression(address, {
    id: rowIdAt(createdAt, Math.floor(ports.random.fraction() * 4096)),
    account: login.name,
    createdAt,
    manual: Manual,
    reason: Reason,
  })
  if (!(await ports.suppressions.add(entry))) {
    throw new ApiError('error', `EmailAddress: ${entry.baseAddress} is on the list already`)
  }
  return { kind: 'json', value: {} }
}

/** SuppressionRemove: the entry of that base address goes, however the address is spelled. */
export async function suppressionRemove({ ports, login, body }: CallContext): Promise<CallResult> {
  const address = readEmailAddress(body.json)
  if (!(await ports.suppressions.remove(login.name, baseAddress(address)))) {
    throw new ApiError('error', `EmailAddress: ${baseAddress(address)} is not on the list`)
  }
  return { kind: 'json', value: {} }
}

/** SuppressionPresent: whether the base address is on the list. */
export async function suppressionPresent({ ports, login, body }: CallContext): Promise<CallResult> {
  const found = await ports.suppressions.find(login.name, baseAddress(readEmailAddress(body.json)))
  return { kind: 'json', value: { Present: found !== undefined } }
}

function readEmailAddress(json: string): Address {
  return readAddress('EmailAddress', parseRequest(suppressionAddressRequest, json).EmailAddress)
}
