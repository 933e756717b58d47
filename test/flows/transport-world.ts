import assert from 'node:assert/strict'
import { eventually } from '../../scripts/eventually.ts'
import type { QueuedMessageJson, RetiredMessageJson } from '../../shared/admin/message-json.ts'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { SECOND } from '../../shared/base/clock.ts'
import type { NextHop } from '../support/next-hop.ts'
import type { TestPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'
import type { Ending } from './transport-differences.ts'
import { authors, OPTIONS_KNOWN, type Sent, type Way, type Ways } from './transport-ways.ts'

/** Three programs and a sender on two cores, which other tests use too. */
export const PATIENCE = 30 * SECOND

interface SendOptions {
  readonly From?: string
  readonly login?: string
  readonly [field: string]: unknown
}

/** What scenarios do, and see. */
export interface TransportWorld {
  send(recipient: string, options?: SendOptions): Promise<Sent>
  /** One Send to all of them. */
  sendToAll(recipients: readonly string[], options?: SendOptions): Promise<readonly Sent[]>
  sendUpload(recipient: string, file: Uint8Array, options: SendOptions): Promise<Sent>
  /** Waits until the account is told that event. */
  told(message: Sent, event: string): Promise<void>
  /** The events so far, as in {@link Ending}. */
  events(message: Sent): readonly string[]
  act(action: string, message: Sent, more?: object): Promise<Pick<OperationJson, 'Changed'>>
  now(): number
  advance(milliseconds: number): Promise<void>
  readonly elsewhere: NextHop
  /** All that is known of a message now. */
  endingOf(message: Sent, way: Way, contentOf?: (content: string) => string): Promise<Ending>
}

/** What acts on the ways' Postern as its account, its application and its operator. */
export async function transportWorld(
  context: { after(end: () => void): void },
  { postern, elsewhere }: Ways,
): Promise<TransportWorld> {
  const application = await webhookReceiver(context)
  const { admin, local } = postern
  await admin.patch('/accounts/postern', {
    OutgoingWebhook: { URL: application.url, KeepEveryEvent: true },
  })
  await local.cloud.clock.advance(OPTIONS_KNOWN)
  const mailsAbout = inboxReader(postern)
  const events = (message: Sent) => eventsOf(application, message)
  const sendToAll = (recipients: readonly string[], options: SendOptions = {}) =>
    sendMessage(postern, recipients, options)
  const send = async (recipient: string, options: SendOptions = {}) => {
    const [sent = assert.fail('nothing was sent')] = await sendToAll([recipient], options)
    return sent
  }
  return {
    send,
    sendToAll,
    async sendUpload(recipient, file, options) {
      const { json } = await postern.call('UploadCreate', {})
      await fetch(String(json.URL), { method: 'PUT', body: Buffer.from(file) })
      return await send(recipient, {
        ...options,
        AttachedFiles: [{ Name: 'large', UploadID: json.UploadID }],
      })
    },
    async told(message, event) {
      const isTold = () => events(message).some((each) => each.startsWith(event))
      await eventually(`${event} of ${message.recipient}`, isTold, PATIENCE)
    },
    events,
    act: async (Action, { id }, more = {}) =>
      await admin.post<OperationJson>('/queue/actions', {
        Action,
        Filter: { IDs: [`postern/${id}`] },
        ...more,
      }),
    now: local.cloud.clock.now,
    advance: (milliseconds) => local.cloud.clock.advance(milliseconds),
    elsewhere,
    async endingOf(message, way, contentOf = () => '') {
      const { recipient, refused } = message
      const content = way.contents(recipient).at(-1) ?? ''
      const present = await postern.call('SuppressionPresent', { EmailAddress: recipient })
      return {
        ...(refused === undefined
          ? await stateOf(postern, message)
          : { state: `refused: ${refused}`, results: [] }),
        events: events(message),
        asked: way.asked(recipient),
        mails: (await mailsAbout(message.messageId)).length,
        suppressed: present.json.Present === true,
        content: contentOf(content),
      }
    },
  }
}

/** Of every message here; its events have it too. */
const SHOWN_IN_EVENTS = { Subject: 'Order', Extra: { order: '17' } } as const

async function sendMessage(
  postern: TestPostern,
  recipients: readonly string[],
  { From = authors.verified, login = 'postern@localhost', ...more }: SendOptions,
): Promise<readonly Sent[]> {
  const To = recipients.map((Address) => ({ Address }))
  const request = { From: [{ Address: From }], To, ...SHOWN_IN_EVENTS, Text: 'x', ...more }
  const answer = await postern.post('Send', JSON.stringify(request), {
    'content-type': 'application/json',
    authorization: `Basic ${btoa(`${login}:posternpostern`)}`,
  })
  const json = (await answer.json()) as {
    readonly Code?: string
    readonly MessageID?: string
    readonly Submissions?: readonly { readonly QueueMsgID: number; readonly FromID: string }[]
  }
  return recipients.map((recipient, place) => {
    const { QueueMsgID: id = 0, FromID: fromId = '' } = json.Submissions?.[place] ?? {}
    const { Code, MessageID: messageId = '' } = json
    return { id, fromId, messageId, recipient, ...(Code !== undefined && { refused: Code }) }
  })
}

/** Each has what its message was sent with. */
function eventsOf({ calls }: WebhookReceiver, { id, fromId, messageId }: Sent): readonly string[] {
  return calls.flatMap(({ json }) => {
    if (json.QueueMsgID !== id) return []
    const { Event, SMTPCode, SMTPEnhancedCode, Suppressing, DSN, FromID, MessageID, Subject, Extra } = json
    assert.deepEqual([FromID, MessageID], [fromId, messageId])
    assert.deepEqual({ Subject, Extra }, SHOWN_IN_EVENTS)
    const codes = SMTPCode === 0 ? [] : [SMTPCode, SMTPEnhancedCode]
    const event = [Event, ...codes].join(' ')
    return [[event, ...(Suppressing ? ['suppressing'] : []), ...(DSN ? ['DSN'] : [])].join(', ')]
  })
}

async function stateOf({ admin }: TestPostern, { id }: Sent): Promise<Pick<Ending, 'state' | 'results'>> {
  const message = await admin.get<QueuedMessageJson | RetiredMessageJson>(`/queue/postern/${id}`)
  return {
    state: 'State' in message ? message.State : message.Success ? 'succeeded' : 'failed',
    results: message.Results.map(({ Success, Code, Secode }) =>
      `${Success ? 'success' : 'failure'} ${Code} ${Secode}`.trimEnd(),
    ),
  }
}

/** Finds the mails in the Inbox that are about a message; each is read once. */
function inboxReader(postern: TestPostern): (messageId: string) => Promise<readonly number[]> {
  const references = new Map<number, readonly string[]>()
  return async (messageId) => {
    const mails = await postern.admin.get<{ MsgID: number }[]>('/mail?limit=1000')
    for (const { MsgID } of mails.filter((mail) => !references.has(mail.MsgID))) {
      const { json } = await postern.call('MessageGet', { MsgID })
      references.set(MsgID, (json.Message as { References: string[] }).References)
    }
    return mails.flatMap(({ MsgID }) => (references.get(MsgID)?.includes(messageId) ? [MsgID] : []))
  }
}
