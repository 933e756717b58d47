import * as z from 'zod/mini'
import { parseRowId, type RowId } from '../base/row-id.ts'
import { FlagError, flagsIn, parseFlag, withFlags, withoutFlags } from '../mailbox/flags.ts'
import type { Mail } from '../mailbox/mail.ts'
import type { MailEdit } from '../mailbox/mailbox-store.ts'
import { isMailbox } from '../mailbox/mailboxes.ts'
import { ApiError } from './api-error.ts'
import type { CallContext, CallResult } from './call-context.ts'
import { list, parseRequest, record, text } from './json-request.ts'
import { messageRequest, msgId } from './messages.ts'

/** The parameters of MessageFlagsAdd and MessageFlagsRemove. */
export const flagsRequest = record({ MsgID: msgId, Flags: list(z.string()) })
/** The parameters of MessageMove. */
export const moveRequest = record({ MsgID: msgId, DestMailboxName: text })

const DONE: CallResult = { kind: 'json', value: {} }

/** MessageDelete: removes a message for good. */
export async function messageDelete(call: CallContext): Promise<CallResult> {
  const { MsgID } = parseRequest(messageRequest, call.body.json)
  const { ports, login } = call
  const found = await ports.mailboxes.change(login.name, readId(MsgID), () => ({ kind: 'remove' }))
  // Whoever removed it may have died before its content was gone.
  if (found.kind !== 'unknown') await ports.content.remove(found.content)
  checkFound(found.kind, MsgID)
  return DONE
}

/** MessageFlagsAdd: sets flags; those that are set stay. */
export async function messageFlagsAdd(call: CallContext): Promise<CallResult> {
  return await editFlags(call, withFlags)
}

/** MessageFlagsRemove: clears flags; those that are clear stay. */
export async function messageFlagsRemove(call: CallContext): Promise<CallResult> {
  return await editFlags(call, withoutFlags)
}

/** MessageMove: puts a message into another mailbox. Its MsgID stays. */
export async function messageMove(call: CallContext): Promise<CallResult> {
  const { MsgID, DestMailboxName: mailbox } = parseRequest(moveRequest, call.body.json)
  await changeMail(call, MsgID, (mail) => {
    if (!isMailbox(mailbox)) {
      throw new ApiError('user', `DestMailboxName: there is no mailbox ${JSON.stringify(mailbox)}`)
    }
    if (mail.mailbox === mailbox) {
      throw new ApiError('user', 'DestMailboxName: the message is already in the destination mailbox')
    }
    return { kind: 'move', mailbox, flags: flagsIn(mailbox, mail.flags) }
  })
  return DONE
}

async function editFlags(
  call: CallContext,
  edited: (flags: readonly string[], given: readonly string[]) => readonly string[],
): Promise<CallResult> {
  const { MsgID, Flags } = parseRequest(flagsRequest, call.body.json)
  const given = Flags.map((flag, place) => orUserError(`Flags[${place}]`, () => parseFlag(flag)))
  await changeMail(call, MsgID, (mail) => {
    const flags = orUserError('Flags', () => edited(mail.flags, given))
    return flags.length === mail.flags.length ? undefined : { kind: 'flags', flags }
  })
  return DONE
}

function orUserError<Value>(field: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    if (error instanceof FlagError) throw new ApiError('user', `${field}: ${error.message}`)
    throw error
  }
}

async function changeMail(
  { ports, login }: CallContext,
  msgId: number,
  edit: (mail: Mail) => MailEdit | undefined,
): Promise<void> {
  const found = await ports.mailboxes.change(login.name, readId(msgId), edit)
  checkFound(found.kind, msgId)
}

function readId(msgId: number): RowId {
  if (msgId === 0) throw new ApiError('user', 'MsgID: must be given')
  const id = parseRowId(msgId)
  if (!id) throw notFound(msgId)
  return id
}

function checkFound(kind: 'mail' | 'removed' | 'unknown', msgId: number): void {
  if (kind === 'removed') throw new ApiError('user', `MsgID: message ${msgId} was removed`)
  if (kind === 'unknown') throw notFound(msgId)
}

function notFound(msgId: number): ApiError {
  return new ApiError('messageNotFound', `MsgID: the account has no message ${msgId}`)
}
