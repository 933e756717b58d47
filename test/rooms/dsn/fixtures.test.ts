import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DsnReport, readDsn } from '../../../shared/dsn/parse.ts'
import type { DsnRecipient } from '../../../shared/dsn/recipient.ts'
import { readMimeTree } from '../../../shared/message/mime-tree.ts'
import { withCrlf } from '../../../shared/message/transfer-encoding.ts'

const folder = new URL('../../fixtures/dsn/', import.meta.url)
const withLf = (bytes: Uint8Array) =>
  Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
const fixture = (name: string) => withLf(readFileSync(new URL(name, folder)))
const read = (bytes: Uint8Array) => readDsn(bytes, readMimeTree(bytes))

const recipient = (fields: Partial<DsnRecipient>): DsnRecipient => ({
  finalRecipient: '',
  originalRecipient: '',
  action: 'failed',
  status: '',
  code: 0,
  enhancedCode: '',
  diagnostic: '',
  remoteMta: '',
  ...fields,
})
const report = (messageId: string, fields: Partial<DsnReport>): DsnReport => ({
  recipients: [],
  originalEnvelopeId: '',
  reportingMta: '',
  originalMessageId: messageId,
  isStructured: true,
  ...fields,
})

const expected: Readonly<Record<string, DsnReport | undefined>> = {
  'postfix-failed.eml': report('<order-1@sender.example>', {
    reportingMta: 'mx.remote.example',
    originalEnvelopeId: 'f7k2m9x4',
    recipients: [
      recipient({
        finalRecipient: 'nobody@inner.example',
        originalRecipient: 'info@remote.example',
        status: '5.1.1',
        code: 550,
        enhancedCode: '5.1.1',
        diagnostic:
          '550 5.1.1 <nobody@inner.example>: Recipient address rejected: User unknown in local recipient table',
        remoteMta: 'store.inner.example',
      }),
    ],
  }),
  'postfix-delayed.eml': report('<order-2@sender.example>', {
    reportingMta: 'mx.remote.example',
    recipients: [
      recipient({
        finalRecipient: 'user@slow.example',
        originalRecipient: 'user@slow.example',
        action: 'delayed',
        status: '4.4.1',
        code: 400,
        enhancedCode: '4.4.1',
        diagnostic: 'connect to mail.slow.example[192.0.2.50]:25: Connection timed out',
      }),
    ],
  }),
  'postfix-success.eml': report('<order-3@sender.example>', {
    reportingMta: 'mx.remote.example',
    originalEnvelopeId: 'f7k2m9x5',
    recipients: [
      recipient({
        finalRecipient: 'alice@remote.example',
        originalRecipient: 'alice@remote.example',
        action: 'delivered',
        status: '2.0.0',
        diagnostic: 'delivered to maildir',
      }),
      recipient({
        finalRecipient: 'bob@other.example',
        originalRecipient: 'bob@remote.example',
        action: 'relayed',
        status: '2.0.0',
        code: 250,
        enhancedCode: '2.0.0',
        diagnostic: '250 2.0.0 Ok: queued as 77F1A',
        remoteMta: 'mx.other.example',
      }),
      recipient({
        finalRecipient: 'team@remote.example',
        originalRecipient: 'team@remote.example',
        action: 'expanded',
        status: '2.0.0',
        diagnostic: 'alias expanded',
      }),
    ],
  }),
  'exim.eml': report('<order-4@sender.example>', {
    reportingMta: 'mail.remote.example',
    recipients: [
      recipient({
        finalRecipient: 'nobody@far.example',
        status: '5.0.0',
        code: 550,
        enhancedCode: '5.0.0',
        diagnostic: '550 relay not permitted',
        remoteMta: 'mx.far.example',
      }),
    ],
  }),
  'exim-text.eml': report('<order-5@sender.example>', {
    isStructured: false,
    recipients: ['nobody@remote.example', 'gone@remote.example'].map((finalRecipient) =>
      recipient({ finalRecipient, status: '5.0.0', code: 500, enhancedCode: '5.0.0' }),
    ),
  }),
  'exchange.eml': report('<order-6@sender.example>', {
    reportingMta: 'EX01.corp.example',
    recipients: [
      recipient({
        finalRecipient: 'nobody@corp.example',
        originalRecipient: 'Nobody@corp.example',
        status: '5.1.10',
        code: 550,
        enhancedCode: '5.1.10',
        diagnostic: '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup',
      }),
    ],
  }),
  'gmail.eml': report('<order-7@sender.example>', {
    reportingMta: 'gmail.example',
    recipients: [
      recipient({
        finalRecipient: 'nobody@gmail.example',
        status: '5.1.1',
        code: 550,
        enhancedCode: '5.1.1',
        diagnostic: [
          '550-5.1.1 The email account that you tried to reach does not exist. Please try',
          "550-5.1.1 double-checking the recipient's email address for typos or",
          '550-5.1.1 unnecessary spaces. For more information, go to',
          '550 5.1.1 https://support.gmail.example/mail/?p=NoSuchUser a1si1234567wmf.3 - gsmtp',
        ].join(' '),
        remoteMta: 'mx.gmail.example.',
      }),
    ],
  }),
  'qmail.eml': report('<order-8@sender.example>', {
    isStructured: false,
    recipients: [
      recipient({
        finalRecipient: 'nobody@qmail.example',
        status: '5.1.1',
        code: 500,
        enhancedCode: '5.1.1',
        diagnostic: 'Sorry, no mailbox here by that name. (#5.1.1)',
      }),
      recipient({
        finalRecipient: '"odd name"@far.example',
        status: '5.1.3',
        code: 553,
        enhancedCode: '5.1.3',
        diagnostic:
          '192.0.2.90 does not like recipient. Remote host said: 553 5.1.3 bad address (#5.9.9) Giving up on 192.0.2.90.',
      }),
      recipient({
        finalRecipient: 'late@far.example',
        status: '4.4.3',
        code: 400,
        enhancedCode: '4.4.3',
        diagnostic:
          "CNAME lookup failed temporarily. (#4.4.3) I'm not going to try again; this message has been in the queue too long.",
      }),
    ],
  }),
  'sendmail.eml': report('<order-9@sender.example>', {
    reportingMta: 'sm.remote.example',
    recipients: [
      recipient({
        finalRecipient: 'full@remote.example',
        status: '5.2.2',
        code: 552,
        enhancedCode: '5.2.2',
        diagnostic: '552 5.2.2 <full@remote.example>... Mailbox full',
        remoteMta: 'store.remote.example',
      }),
    ],
  }),
  'ses.eml': report('<order-10@sender.example>', {
    reportingMta: 'b234-10.smtp-out.eu-west-1.ses.example',
    recipients: [
      recipient({
        finalRecipient: 'nobody@remote.example',
        status: '5.1.0',
        code: 550,
        enhancedCode: '5.1.0',
        diagnostic: '550 #5.1.0 Address rejected.',
      }),
    ],
  }),
  'mox.eml': report('<order-11@sender.example>', {
    reportingMta: 'mox.example',
    recipients: [
      recipient({
        finalRecipient: 'nobody@remote.example',
        status: '5.7.1',
        code: 554,
        enhancedCode: '5.7.1',
        diagnostic: '554 5.7.1 rejected by policy',
        remoteMta: 'mx.remote.example',
      }),
    ],
  }),
  'two-recipients.eml': report('<order-12@sender.example>', {
    reportingMta: 'remote.example',
    originalEnvelopeId: 'two-1',
    recipients: [
      recipient({
        finalRecipient: 'one@remote.example',
        status: '5.2.1',
        code: 550,
        enhancedCode: '5.2.1',
        diagnostic: '550-5.2.1 The mailbox 550 5.2.1 is disabled',
      }),
      recipient({
        finalRecipient: 'two@remote.example',
        action: 'delayed',
        status: '4.2.2',
        code: 400,
        enhancedCode: '4.2.2',
      }),
    ],
  }),
  'global.eml': report('<order-13@sender.example>', {
    reportingMta: 'mail.example',
    recipients: [
      recipient({
        finalRecipient: 'zoë@bücher.example',
        originalRecipient: 'zoë@bücher.example',
        status: '5.1.1',
        code: 550,
        enhancedCode: '5.1.1',
        diagnostic: '550 5.1.1 <zoë@bücher.example> inconnu à cette adresse',
      }),
    ],
  }),
  'broken.eml': report('<order-14@sender.example>', {
    problem: 'the message/delivery-status part names no recipient',
  }),
  'unmarked-text.eml': undefined,
}

test('every fixture has its expectation', () => {
  assert.deepEqual(readdirSync(folder).toSorted(), Object.keys(expected).toSorted())
})

for (const [name, expectation] of Object.entries(expected)) {
  test(`reads ${name}, whether its lines end in CRLF or LF`, () => {
    assert.deepEqual(read(fixture(name)), expectation)
    assert.deepEqual(read(withCrlf(fixture(name))), expectation)
  })
}

test('never throws and finishes fast, whatever is cut, repeated or overwritten in a notification', () => {
  const originals = Object.keys(expected).map(fixture)
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(80),
    add: fc.uint8Array(),
  })
  const startedAt = performance.now()
  let texts = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(edit, { minLength: 1, maxLength: 8 }),
      (original, edits) => {
        const bytes = edits.reduce<Buffer>((whole, { at, cut, add }) => {
          const start = Math.floor(at * whole.length)
          return Buffer.concat([whole.subarray(0, start), add, whole.subarray(start + cut)])
        }, original)
        for (const { finalRecipient, diagnostic } of read(bytes)?.recipients ?? []) {
          texts += 1
          assert.ok(diagnostic.length <= 1000 && finalRecipient.length <= 500)
          assert.doesNotMatch(finalRecipient + diagnostic, /[\x00-\x1f\x7f-\x9f]/)
        }
      },
    ),
    { numRuns: 400 },
  )
  assert.ok(texts > 100, 'most mutations must leave something to read')
  assert.ok(performance.now() - startedAt < 20_000)
})
