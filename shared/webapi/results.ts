import * as z from 'zod/mini'
import { nameAddress } from './send-request.ts'

// What methods answer, for the documents that describe them; tests compare it with what is really answered.

const texts = z.array(z.string())

/** What a method answers that has nothing to tell. */
export const emptyResult = z.object({})

/** What a failed call answers. */
export const errorResult = z.object({ Code: z.string(), Message: z.string() })

/** One recipient's place in the queue. */
export const submission = z.object({ Address: z.string(), QueueMsgID: z.int(), FromID: z.string() })

/** What Send answers: a submission for each recipient, in the order To, CC, BCC. */
export const sendResult = z.object({ MessageID: z.string(), Submissions: z.array(submission) })

/** A stored message, read. */
export const message = z.object({
  From: z.array(nameAddress),
  To: z.array(nameAddress),
  CC: z.array(nameAddress),
  BCC: z.array(nameAddress),
  ReplyTo: z.array(nameAddress),
  MessageID: z.string(),
  References: texts,
  Date: z.nullable(z.iso.datetime()),
  Subject: z.string(),
  Text: z.string(),
  HTML: z.string(),
})

/** A MIME part and the parts in it. */
export const structure = z.object({
  ContentType: z.string(),
  ContentTypeParams: z.record(z.string(), z.string()),
  ContentID: z.string(),
  ContentDisposition: z.string(),
  Filename: z.string(),
  DecodedSize: z.int(),
  get Parts() {
    return z.array(structure)
  },
})

/** What is known of a stored message beyond what it says itself. */
export const messageMeta = z.object({
  Size: z.int(),
  DSN: z.boolean(),
  Flags: texts,
  MailFrom: z.string(),
  MailFromValidated: z.boolean(),
  RcptTo: z.string(),
  MsgFrom: z.string(),
  MsgFromValidated: z.boolean(),
  DKIMVerifiedDomains: texts,
  RemoteIP: z.string(),
  MailboxName: z.string(),
})

/** What MessageGet answers. */
export const messageGetResult = z.object({ Message: message, Structure: structure, Meta: messageMeta })
