import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RowId } from '../../../shared/base/row-id.ts'
import { readSesEvent, type SesNews } from '../../../shared/ses/ses-event.ts'
import { sesTags } from '../../../shared/ses/ses-tags.ts'
import { sesEventText } from '../../support/ses-events.ts'

const attempt = { account: 'shop.eu-1_x', id: 4711 as RowId, attempt: 3 }
const tags = sesTags(attempt)

const bounce = (bounceType: string, bounceSubType: string, recipient: object) => ({
  bounce: {
    ...{ bounceType, bounceSubType, feedbackId: 'feedback-1', timestamp: '2026-06-01T00:00:04.000Z' },
    bouncedRecipients: [{ emailAddress: 'bob@remote.example', ...recipient }],
  },
})

const events: readonly (readonly [rule: string, type: string, told: object, news: SesNews])[] = [
  ['Send: SES has it', 'Send', { send: {} }, { kind: 'taken', code: 0, enhancedCode: '', text: '' }],
  [
    'Delivery has the reply of the server',
    'Delivery',
    { delivery: { smtpResponse: '250 2.6.0 Message received', recipients: ['bob@remote.example'] } },
    { kind: 'delivered', code: 250, enhancedCode: '2.6.0', text: 'Message received' },
  ],
  [
    'a permanent Bounce has the codes of its diagnostic',
    'Bounce',
    bounce('Permanent', 'General', { status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' }),
    { kind: 'bounced', code: 550, enhancedCode: '5.1.1', text: '550 5.1.1 user unknown' },
  ],
  [
    'a diagnostic of several lines is one line',
    'Bounce',
    bounce('Permanent', 'NoEmail', { diagnosticCode: 'smtp; 550-5.1.1 no such\n550 5.1.1 user' }),
    { kind: 'bounced', code: 550, enhancedCode: '5.1.1', text: '550-5.1.1 no such 550 5.1.1 user' },
  ],
  [
    'a status alone gives the class',
    'Bounce',
    bounce('Permanent', 'General', { status: '5.2.1' }),
    { kind: 'bounced', code: 500, enhancedCode: '5.2.1', text: 'SES says: Permanent General' },
  ],
  [
    'what SES suppresses itself does not exist (Suppressed)',
    'Bounce',
    bounce('Permanent', 'Suppressed', {}),
    { kind: 'bounced', code: 500, enhancedCode: '5.1.1', text: 'SES says: Permanent Suppressed' },
  ],
  [
    'what SES suppresses for the account does not exist (OnAccountSuppressionList)',
    'Bounce',
    bounce('Permanent', 'OnAccountSuppressionList', {}),
    {
      kind: 'bounced',
      code: 500,
      enhancedCode: '5.1.1',
      text: 'SES says: Permanent OnAccountSuppressionList',
    },
  ],
  [
    'a transient Bounce keeps its class',
    'Bounce',
    bounce('Transient', 'MailboxFull', { status: '4.2.2', diagnosticCode: 'smtp; 452 4.2.2 full' }),
    { kind: 'bounced', code: 452, enhancedCode: '4.2.2', text: '452 4.2.2 full' },
  ],
  [
    'an undetermined Bounce without recipients is a temporary failure that SES gave up on',
    'Bounce',
    { bounce: { bounceType: 'Undetermined', bounceSubType: 'Undetermined' } },
    { kind: 'bounced', code: 400, enhancedCode: '4.0.0', text: 'SES says: Undetermined Undetermined' },
  ],
  [
    'a DeliveryDelay says why',
    'DeliveryDelay',
    {
      deliveryDelay: {
        delayType: 'TransientCommunicationFailure',
        delayedRecipients: [
          { emailAddress: 'b@y.example', status: '4.4.1', diagnosticCode: 'smtp; 421 4.4.1 no answer' },
        ],
      },
    },
    { kind: 'delayed', code: 421, enhancedCode: '4.4.1', text: '421 4.4.1 no answer' },
  ],
  [
    'a Complaint has its type',
    'Complaint',
    { complaint: { complaintFeedbackType: 'abuse', feedbackId: 'feedback-2' } },
    { kind: 'complained', code: 0, enhancedCode: '', text: 'complaint of the recipient: abuse' },
  ],
  [
    'a Reject is no word of the recipient',
    'Reject',
    { reject: { reason: 'Bad content' } },
    { kind: 'rejected', code: 0, enhancedCode: '', text: 'SES rejected it: Bad content' },
  ],
  [
    'nor is a Rendering Failure',
    'Rendering Failure',
    { failure: { errorMessage: 'no such attribute', templateName: 't' } },
    { kind: 'rejected', code: 0, enhancedCode: '', text: 'SES could not render it: no such attribute' },
  ],
]

for (const [rule, type, told, news] of events) {
  test(`events of SES: ${rule}`, () => {
    const event = readSesEvent(sesEventText(type, tags, told))
    assert.ok(!('problem' in event), JSON.stringify(event))
    assert.deepEqual(event.news, news)
    assert.deepEqual({ account: event.account, id: event.id, attempt: event.attempt }, attempt)
  })
}

test('events of SES: the type of the envelope stands in where the event has none', () => {
  const { detail, ...envelope } = JSON.parse(sesEventText('Reject', tags, { reject: { reason: 'x' } }))
  const { eventType: _, ...rest } = detail
  const event = readSesEvent(JSON.stringify({ ...envelope, detail: rest }))
  assert.equal('news' in event && event.news.kind, 'rejected')
})

const strangers: readonly (readonly [rule: string, text: string, problem: RegExp])[] = [
  ['what is not JSON', 'hello', /not an event of SES/],
  ['what has no detail', '{"id":"1","time":"2026-06-01T00:00:05Z","detail-type":"Email Sent"}', /detail is/],
  ['what has other tags', sesEventText('Send', { campaign: 'x' }), /tags of an attempt/],
  ['what names a bad account', sesEventText('Send', { ...tags, account: '../x' }), /tags of an attempt/],
  ['what names a bad id', sesEventText('Send', { ...tags, id: '1e99' }), /tags of an attempt/],
  ['openings', sesEventText('Open', tags), /type Open tell nothing/],
]

for (const [rule, text, problem] of strangers) {
  test(`events of SES: ${rule} is dropped with its reason`, () => {
    const event = readSesEvent(text)
    assert.match('problem' in event ? event.problem : 'read', problem)
  })
}
