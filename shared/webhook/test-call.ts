import type { AccountName } from '../account/options.ts'
import { HOUR, type Instant } from '../base/clock.ts'
import { type RowId, rowIdAt } from '../base/row-id.ts'
import { readMessageFields } from '../message/message-fields.ts'
import { readMimeTree } from '../message/mime-tree.ts'
import { readTextBodies } from '../message/text-bodies.ts'
import { incomingPayload } from './incoming-event.ts'
import { outgoingPayload } from './outgoing-event.ts'
import type { WebhookDirection } from './signing-secret.ts'
import { newCall, type WebhookCall } from './webhook-call.ts'

/** A try of a receiver, as an operator wants it. */
export interface WebhookTest {
  readonly account: AccountName
  readonly direction: WebhookDirection
  readonly url: string
  readonly authorization: string
  /** JSON; without it an example of the direction is sent. */
  readonly body?: string
}

/** Long enough to look at what became of it. */
const KEEP_MS = HOUR
const EXAMPLE = `From: Ann <ann@example.org>\r
To: shop@example.com\r
Subject: This is a test\r
Message-ID: <test@example.org>\r
Date: Mon, 01 Jun 2026 12:00:00 +0000\r
Content-Type: text/plain; charset=utf-8\r
\r
An operator tests your webhook.\r
`

/** The call that tries a receiver, once; `low` draws its id. */
export function newTestCall(test: WebhookTest, now: Instant, low: number): WebhookCall {
  const { account, direction, url, authorization } = test
  const id = rowIdAt(now, low)
  const example = () =>
    direction === 'outgoing' ? exampleOutgoing(account, id, now) : exampleIncoming(account, id, now)
  return newCall({
    ...{ account, id, url, authorization },
    queuedAt: now,
    event: 'test',
    test: direction,
    body: { json: test.body ?? example() },
    queueMsgId: 0,
    fromId: '',
    messageId: '',
    subject: '',
    extra: {},
    keepRetiredMs: KEEP_MS,
    supersedes: false,
  })
}

function exampleOutgoing(account: AccountName, queueMsgId: RowId, now: Instant): string {
  const event = {
    ...({ account, queueMsgId, event: 'delivered', dsn: false, suppressing: false } as const),
    fromId: '',
    messageId: '<test@example.org>',
    subject: 'This is a test',
    smtpCode: 250,
    smtpEnhancedCode: '',
    error: '',
    extra: {},
  }
  return outgoingPayload(event, now)
}

function exampleIncoming(account: AccountName, msgId: RowId, now: Instant): string {
  const bytes = Buffer.from(EXAMPLE)
  const tree = readMimeTree(bytes)
  return incomingPayload({
    ...{ account, msgId, tree },
    mailboxName: 'Inbox',
    receivedAt: now,
    mailFrom: 'ann@example.org',
    mailFromValidated: false,
    msgFromValidated: false,
    rcptTo: 'shop@example.com',
    dkimVerifiedDomains: [],
    remoteIp: '192.0.2.1',
    fields: readMessageFields(bytes),
    bodies: readTextBodies(bytes, tree),
  })
}
