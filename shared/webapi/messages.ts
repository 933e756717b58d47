import * as z from 'zod/mini'
import { parseRowId } from '../base/row-id.ts'
import { LARGEST_ANSWER } from '../content/large-answer.ts'
import type { Mail } from '../mailbox/mail.ts'
import { referencesWithInReplyTo } from '../message/message-fields.ts'
import { decodePart, partAt } from '../message/mime-tree.ts'
import { readTextBodies } from '../message/text-bodies.ts'
import { wireAddresses, wireStructure, wireTime } from '../message/wire-message.ts'
import { ApiError } from './api-error.ts'
import type { CallContext, CallResult } from './call-context.ts'
import { list, parseRequest, record } from './json-request.ts'

/** A MsgID, 0 when absent. */
export const msgId = z._default(z.int(), 0)
/** The parameters of MessageGet, MessageRawGet and MessageDelete. */
export const messageRequest = record({ MsgID: msgId })
/** The parameters of MessagePartGet. */
export const partRequest = record({ MsgID: msgId, PartPath: list(z.int()) })

/** MessageGet: what a message says, how it is built, and what is known of it. */
export async function messageGet(call: CallContext): Promise<CallResult> {
  const { MsgID } = parseRequest(messageRequest, call.body.json)
  const mail = await findMail(call, MsgID)
  const { fields, tree, envelope } = mail
  const bodies = readTextBodies(await readContent(call, mail), tree)
  return {
    kind: 'json',
    value: {
      Message: {
        From: wireAddresses(fields.from),
        To: wireAddresses(fields.to),
        CC: wireAddresses(fields.cc),
        BCC: wireAddresses(fields.bcc),
        ReplyTo: wireAddresses(fields.replyTo),
        MessageID: fields.messageId,
        References: referencesWithInReplyTo(fields),
        Date: wireTime(fields.date),
        Subject: fields.subject,
        Text: bodies.text,
        HTML: bodies.html,
      },
      Structure: wireStructure(tree),
      Meta: {
        Size: mail.size,
        DSN: mail.dsn,
        Flags: mail.flags,
        MailFrom: envelope.mailFrom,
        MailFromValidated: envelope.mailFromValidated,
        RcptTo: envelope.rcptTo,
        MsgFrom: fields.from[0]?.address ?? '',
        MsgFromValidated: envelope.msgFromValidated,
        DKIMVerifiedDomains: envelope.dkimVerifiedDomains,
        RemoteIP: envelope.remoteIp,
        MailboxName: mail.mailbox,
      },
    },
  }
}

/** MessageRawGet: the message as it is stored, trace fields included. */
export async function messageRawGet(call: CallContext): Promise<CallResult> {
  const { MsgID } = parseRequest(messageRequest, call.body.json)
  const mail = await findMail(call, MsgID)
  if (mail.size > LARGEST_ANSWER) return { kind: 'content', content: mail.content, contentType: 'text/plain' }
  return { kind: 'bytes', bytes: await readContent(call, mail), contentType: 'text/plain' }
}

/** MessagePartGet: one part's content, decoded. Never with the part's own type: a browser must not run it. */
export async function messagePartGet(call: CallContext): Promise<CallResult> {
  const { MsgID, PartPath } = parseRequest(partRequest, call.body.json)
  const mail = await findMail(call, MsgID)
  const part = partAt(mail.tree, PartPath)
  if (!part) throw new ApiError('partNotFound', `PartPath: the message has no part [${PartPath.join(', ')}]`)
  const bytes = decodePart(await readContent(call, mail), part)
  return { kind: 'bytes', bytes, contentType: 'application/octet-stream' }
}

async function findMail({ ports, login }: CallContext, msgId: number): Promise<Mail> {
  const id = parseRowId(msgId)
  const mail = id && (await ports.mailboxes.read(login.name, id))
  if (!mail) throw new ApiError('messageNotFound', `MsgID: the account has no message ${msgId}`)
  return mail
}

async function readContent({ ports }: CallContext, mail: Mail): Promise<Uint8Array> {
  const content = await ports.content.read(mail.content)
  if (!content) throw new Error(`the content of mail ${mail.account}/${mail.id} is missing`)
  return content
}
