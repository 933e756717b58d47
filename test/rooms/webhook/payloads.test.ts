import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { type RowId, rowIdAt } from '../../../shared/base/row-id.ts'
import { readMessageFields } from '../../../shared/message/message-fields.ts'
import { readMimeTree } from '../../../shared/message/mime-tree.ts'
import { readTextBodies } from '../../../shared/message/text-bodies.ts'
import { newIncomingCall } from '../../../shared/webhook/incoming-event.ts'
import { newOutgoingCall, type OutgoingEvent } from '../../../shared/webhook/outgoing-event.ts'

// The bodies of calls, word for word: the examples of mox and each kind of event.

const at = Date.UTC(2026, 0, 2, 2, 4, 7, 123)
const webhook = { url: 'https://shop.example/hook', authorization: '' }
const account = { ...freshAccount, outgoingWebhook: { ...webhook, events: [] }, incomingWebhook: webhook }

const message = {
  account: 'app',
  queueMsgId: 41 as RowId,
  fromId: 'q0Jt3bXxQkGm1y0v2o9z5A',
  messageId: '<order-17@example.org>',
  subject: 'Order 17',
  extra: { order: '17', 'a<b': '&' },
}
const quiet = { dsn: false, suppressing: false, smtpCode: 0, smtpEnhancedCode: '', error: '' }

/** What happened, and the fields that say so. */
const outgoing: readonly [Partial<OutgoingEvent> & Pick<OutgoingEvent, 'event'>, string, string][] = [
  [
    { event: 'delivered' },
    '"DSN":false,"Suppressing":false',
    '"SMTPCode":0,"SMTPEnhancedCode":"","Error":""',
  ],
  [
    { event: 'suppressed', error: 'ann@remote.test is on the suppression list' },
    '"DSN":false,"Suppressing":false',
    '"SMTPCode":0,"SMTPEnhancedCode":"","Error":"ann@remote.test is on the suppression list"',
  ],
  [
    { event: 'delayed', smtpCode: 451, smtpEnhancedCode: '4.7.1', error: 'greylisted' },
    '"DSN":false,"Suppressing":false',
    '"SMTPCode":451,"SMTPEnhancedCode":"4.7.1","Error":"greylisted"',
  ],
  [
    { event: 'failed', suppressing: true, smtpCode: 550, smtpEnhancedCode: '5.1.1', error: 'no <ann>' },
    '"DSN":false,"Suppressing":true',
    '"SMTPCode":550,"SMTPEnhancedCode":"5.1.1","Error":"no \\u003cann\\u003e"',
  ],
  [
    { event: 'relayed', dsn: true },
    '"DSN":true,"Suppressing":false',
    '"SMTPCode":0,"SMTPEnhancedCode":"","Error":""',
  ],
  [
    { event: 'expanded', dsn: true },
    '"DSN":true,"Suppressing":false',
    '"SMTPCode":0,"SMTPEnhancedCode":"","Error":""',
  ],
  [
    { event: 'canceled', error: 'dropped by an operator' },
    '"DSN":false,"Suppressing":false',
    '"SMTPCode":0,"SMTPEnhancedCode":"","Error":"dropped by an operator"',
  ],
  [
    { event: 'unrecognized', dsn: true },
    '"DSN":true,"Suppressing":false',
    '"SMTPCode":0,"SMTPEnhancedCode":"","Error":""',
  ],
]
for (const [what, flags, outcome] of outgoing) {
  test(`mox §2.5, appendix A: the body of a call about ${what.event}, in the order of its fields`, () => {
    const call = newOutgoingCall(account, at, { ...message, ...quiet, ...what })
    assert.deepEqual(call?.body, {
      json:
        `{"Version":0,"Event":"${what.event}",${flags},"QueueMsgID":41,"FromID":"q0Jt3bXxQkGm1y0v2o9z5A",` +
        '"MessageID":"\\u003corder-17@example.org\\u003e","Subject":"Order 17","WebhookQueued":"2026-01-02T02:04:07.123Z",' +
        `${outcome},"Extra":{"a\\u003cb":"\\u0026","order":"17"}}`,
    })
  })
}

test('mox §2.7, appendix A: the body of a call about received mail, in the order of its fields', () => {
  const bytes = Buffer.from(
    [
      'From: Ann <ann@remote.test>',
      'To: app@example.org',
      'Subject: Re: Order 17',
      'Message-ID: <abc@remote.test>',
      'In-Reply-To: <order-17@example.org>',
      'References: <order-17@example.org>',
      'Date: Fri, 02 Jan 2026 04:00:00 +0000',
      'Content-Type: text/plain; format=flowed; charset=utf-8',
      '',
      'thanks',
      '',
    ].join('\r\n'),
  )
  const tree = readMimeTree(bytes)
  const receivedAt = Date.UTC(2026, 0, 2, 4, 0, 2, 500)
  const msgId = rowIdAt(receivedAt, 77)
  const arrived = newIncomingCall(account, {
    ...{ account: 'app', msgId, mailboxName: 'Inbox', receivedAt, tree },
    mailFrom: 'ann@remote.test',
    mailFromValidated: true,
    msgFromValidated: true,
    rcptTo: 'app@example.org',
    dkimVerifiedDomains: ['remote.test'],
    remoteIp: '192.0.2.7',
    fields: readMessageFields(bytes),
    bodies: readTextBodies(bytes, tree),
  })
  const { body } = arrived?.call ?? assert.fail('no call')
  const json =
    '{"Version":0,' +
    '"From":[{"Name":"Ann","Address":"ann@remote.test"}],"To":[{"Name":"","Address":"app@example.org"}],' +
    '"CC":[],"BCC":[],"ReplyTo":[],' +
    '"Subject":"Re: Order 17","MessageID":"<abc@remote.test>","InReplyTo":"<order-17@example.org>",' +
    '"References":["<order-17@example.org>"],' +
    '"Date":"2026-01-02T04:00:00.000Z","Text":"thanks\\n","HTML":"",' +
    '"Structure":{"ContentType":"text/plain","ContentTypeParams":{"charset":"utf-8","format":"flowed"},' +
    '"ContentID":"","ContentDisposition":"","Filename":"","DecodedSize":8,"Parts":[]},' +
    `"Meta":{"MsgID":${msgId},"MailFrom":"ann@remote.test","MailFromValidated":true,"MsgFromValidated":true,` +
    '"RcptTo":"app@example.org","DKIMVerifiedDomains":["remote.test"],"RemoteIP":"192.0.2.7",' +
    '"Received":"2026-01-02T04:00:02.500Z","MailboxName":"Inbox","Automated":false}}'
  assert.deepEqual(body, { json: json.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e') })
})

test('a webhook that is disabled, or that wants other events, is called about none', () => {
  const event: OutgoingEvent = { ...message, ...quiet, event: 'delivered' }
  const outgoingWebhook = account.outgoingWebhook
  for (const settings of [{ disabledAt: at }, { events: ['failed'] }]) {
    const changed = { ...account, outgoingWebhook: { ...outgoingWebhook, ...settings } }
    assert.equal(newOutgoingCall(changed, at, event), undefined)
  }
  assert.equal(newOutgoingCall(undefined, at, event), undefined)
})
