import type * as z from 'zod/mini'
import type { Method } from './call-context.ts'
import {
  flagsRequest,
  messageDelete,
  messageFlagsAdd,
  messageFlagsRemove,
  messageMove,
  moveRequest,
} from './message-changes.ts'
import { messageGet, messagePartGet, messageRawGet, messageRequest, partRequest } from './messages.ts'
import { emptyResult, messageGetResult, sendResult } from './results.ts'
import { send } from './send.ts'
import { sendRequest, UPLOAD_FIELDS } from './send-request.ts'
import {
  suppressionAdd,
  suppressionAddRequest,
  suppressionAddressRequest,
  suppressionList,
  suppressionListRequest,
  suppressionListResult,
  suppressionPresent,
  suppressionPresentResult,
  suppressionRemove,
} from './suppressions.ts'
import { uploadCreate, uploadCreateRequest, uploadCreateResult } from './upload-create.ts'

/** A method, and all that its page and the OpenAPI document say of it. */
export interface MethodEntry {
  readonly call: Method
  /** Plain text; the first sentence is the summary. */
  readonly doc: string
  readonly request: z.core.$ZodType
  readonly exampleRequest: object
  readonly returns:
    | { readonly kind: 'json'; readonly result: z.core.$ZodType; readonly example: object }
    | { readonly kind: 'bytes'; readonly contentType: string; readonly example: string }
  /** Form fields that may hold files. */
  readonly uploads?: readonly string[]
  /** Header fields that mean something, and what. */
  readonly headers?: Readonly<Record<string, string>>
}

const msgId = 1234567890123456
const nothing = { kind: 'json', result: emptyResult, example: {} } as const

/** Every method of the webapi, by name, in the order in which they are listed. */
export const methods: Readonly<Record<string, MethodEntry>> = {
  Send: {
    call: send,
    doc: 'Composes a message and queues it, once for each recipient. Without From it is from the account, under the address of the login. Files come in the JSON or as parts of a multipart form. What becomes of each submission is told by webhooks.',
    request: sendRequest,
    headers: {
      'Idempotency-Key':
        'Up to 255 characters of printable ASCII. For 24 hours, the same request with the same key sends nothing more and gets the same answer.',
    },
    exampleRequest: {
      To: [{ Name: 'Ann', Address: 'ann@remote.example' }],
      Subject: 'Order 17',
      Text: 'Thank you for your order.\n',
      Extra: { order: '17' },
      SaveSent: true,
    },
    returns: {
      kind: 'json',
      result: sendResult,
      example: {
        MessageID: '<Zm9vYmFyYmF6cXV4MDEyMw@mail.example>',
        Submissions: [{ Address: 'ann@remote.example', QueueMsgID: msgId, FromID: '' }],
      },
    },
    uploads: UPLOAD_FIELDS,
  },
  UploadCreate: {
    call: uploadCreate,
    doc: 'Makes room for a file that is too large for a call. PUT the file to the URL, without credentials, before it expires; then name its UploadID in the file lists of one Send, in place of Data.',
    request: uploadCreateRequest,
    exampleRequest: {},
    returns: {
      kind: 'json',
      result: uploadCreateResult,
      example: {
        UploadID: 'b2ZmaWNpYWxseS1yYW5kb20',
        URL: 'https://bucket.example/upload/shop/b2ZmaWNpYWxseS1yYW5kb20?X-Amz-Expires=3600',
        Expires: '2026-11-22T11:00:00.000Z',
      },
    },
  },
  MessageGet: {
    call: messageGet,
    doc: 'Reads a stored message: what it says, how it is built, and what is known of it. MsgID comes from the incoming webhook.',
    request: messageRequest,
    exampleRequest: { MsgID: msgId },
    returns: { kind: 'json', result: messageGetResult, example: exampleMessage() },
  },
  MessageRawGet: {
    call: messageRawGet,
    doc: 'Reads a stored message as it came in, trace fields included.',
    request: messageRequest,
    exampleRequest: { MsgID: msgId },
    returns: {
      kind: 'bytes',
      contentType: 'text/plain',
      example: 'From: Ann <ann@remote.example>\nSubject: Re: Order 17\n\nthanks\n',
    },
  },
  MessagePartGet: {
    call: messagePartGet,
    doc: 'Reads the decoded content of one part of a stored message. PartPath holds the place of the part in each list of parts, from 0; without it, it is the whole body.',
    request: partRequest,
    exampleRequest: { MsgID: msgId, PartPath: [0, 1] },
    returns: { kind: 'bytes', contentType: 'application/octet-stream', example: '<p>thanks</p>\n' },
  },
  MessageDelete: {
    call: messageDelete,
    doc: 'Removes a stored message for good. It does not go to Trash: MessageMove does that.',
    request: messageRequest,
    exampleRequest: { MsgID: msgId },
    returns: nothing,
  },
  MessageFlagsAdd: {
    call: messageFlagsAdd,
    doc: 'Sets flags of a stored message. System flags begin with \\ or $; every other flag is a keyword. Case does not count.',
    request: flagsRequest,
    exampleRequest: { MsgID: msgId, Flags: ['\\seen', '$forwarded', 'invoice'] },
    returns: nothing,
  },
  MessageFlagsRemove: {
    call: messageFlagsRemove,
    doc: 'Clears flags of a stored message. Clearing what is not set is no error.',
    request: flagsRequest,
    exampleRequest: { MsgID: msgId, Flags: ['\\seen', 'invoice'] },
    returns: nothing,
  },
  MessageMove: {
    call: messageMove,
    doc: 'Moves a stored message to another mailbox: Inbox, Sent, Archive, Drafts, Junk or Trash. Its MsgID stays.',
    request: moveRequest,
    exampleRequest: { MsgID: msgId, DestMailboxName: 'Archive' },
    returns: nothing,
  },
  SuppressionList: {
    call: suppressionList,
    doc: 'Lists whom the account does not send to. Failures put addresses on the list, and so can you.',
    request: suppressionListRequest,
    exampleRequest: {},
    returns: { kind: 'json', result: suppressionListResult, example: exampleSuppressions() },
  },
  SuppressionAdd: {
    call: suppressionAdd,
    doc: 'Puts an address on the suppression list. Messages to it, however it is spelled, fail without an attempt.',
    request: suppressionAddRequest,
    exampleRequest: { EmailAddress: 'ann@remote.example', Manual: true, Reason: 'asked us to stop' },
    returns: nothing,
  },
  SuppressionRemove: {
    call: suppressionRemove,
    doc: 'Takes an address off the suppression list, however it is spelled.',
    request: suppressionAddressRequest,
    exampleRequest: { EmailAddress: 'ann@remote.example' },
    returns: nothing,
  },
  SuppressionPresent: {
    call: suppressionPresent,
    doc: 'Says whether an address, however it is spelled, is on the suppression list.',
    request: suppressionAddressRequest,
    exampleRequest: { EmailAddress: 'ann@remote.example' },
    returns: { kind: 'json', result: suppressionPresentResult, example: { Present: true } },
  },
}

function exampleSuppressions(): object {
  const entry = {
    ID: msgId,
    Created: '2026-11-22T10:00:00.000Z',
    Account: 'shop',
    BaseAddress: 'ann@remote.example',
    OriginalAddress: 'Ann+news@remote.example',
    Manual: false,
    Reason: 'delivery failure from queue: code 550, 5.1.1',
  }
  return { Suppressions: [entry] }
}

function exampleMessage(): object {
  return {
    Message: {
      From: [{ Name: 'Ann', Address: 'ann@remote.example' }],
      To: [{ Name: '', Address: 'shop@mail.example' }],
      CC: [],
      BCC: [],
      ReplyTo: [],
      MessageID: '<abc@remote.example>',
      References: ['<order-17@mail.example>'],
      Date: '2026-11-22T10:00:00.000Z',
      Subject: 'Re: Order 17',
      Text: 'thanks\n',
      HTML: '',
    },
    Structure: {
      ContentType: 'text/plain',
      ContentTypeParams: { charset: 'utf-8' },
      ContentID: '',
      ContentDisposition: '',
      Filename: '',
      DecodedSize: 8,
      Parts: [],
    },
    Meta: {
      Size: 345,
      DSN: false,
      Flags: ['\\seen', 'invoice'],
      MailFrom: 'ann@remote.example',
      MailFromValidated: true,
      RcptTo: 'shop@mail.example',
      MsgFrom: 'ann@remote.example',
      MsgFromValidated: true,
      DKIMVerifiedDomains: ['remote.example'],
      RemoteIP: '192.0.2.7',
      MailboxName: 'Inbox',
    },
  }
}
