import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { correlationOf } from '../../../shared/dsn/correlate.ts'
import type { DsnReport } from '../../../shared/dsn/parse.ts'
import { describeRecipient } from '../../../shared/dsn/recipient.ts'

const recipient = (originalRecipient: string, finalRecipient: string) =>
  describeRecipient({ originalRecipient, finalRecipient, action: 'failed', diagnostic: '', reply: '' })
const report = (fields: Partial<DsnReport>): DsnReport => ({
  recipients: [],
  originalEnvelopeId: '',
  reportingMta: '',
  originalMessageId: '',
  isStructured: true,
  ...fields,
})

test('looks for the envelope id before the Message-ID', () => {
  const keys = correlationOf(report({ originalEnvelopeId: 'e1', originalMessageId: '<m1@a.example>' }))
  assert.deepEqual(keys, [
    { by: 'envelopeId', envelopeId: 'e1' },
    { by: 'messageId', messageId: '<m1@a.example>', recipients: [] },
  ])
})

test('names what the sender wrote before where it led to, once, and only addresses', () => {
  const recipients = [
    recipient('a@b.example', 'z@far.example'),
    recipient('', 'a@b.example'),
    recipient('root', ''),
  ]
  const keys = correlationOf(report({ originalMessageId: '<m1@a.example>', recipients }))
  const expected = ['a@b.example', 'z@far.example'].map(parseAddress)
  assert.deepEqual(keys, [{ by: 'messageId', messageId: '<m1@a.example>', recipients: expected }])
})

test('has no key for a notification that names nothing', () => {
  assert.deepEqual(correlationOf(report({ recipients: [recipient('', 'a@b.example')] })), [])
})
