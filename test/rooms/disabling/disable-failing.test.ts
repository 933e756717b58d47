import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  freshAccount,
  freshOptions,
  type IncomingWebhook,
  type Options,
} from '../../../shared/account/options.ts'
import { DAY, formatInstant, HOUR } from '../../../shared/base/clock.ts'
import { disableFailing } from '../../../shared/disabling/disable-failing.ts'
import { composeDisabledNotice } from '../../../shared/disabling/disabled-notice.ts'
import type { NewMail } from '../../../shared/mailbox/mail.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const clock = fakeClock()
const now = clock.now()
const url = 'https://shop.example/hook'
const watched: IncomingWebhook = { url, authorization: '', disableAfterDays: 3 }
const failing = { since: now - 3 * DAY, lastAt: now, error: 'no answer' }

function optionsWith(incomingWebhook: IncomingWebhook): Options {
  return {
    ...freshOptions,
    hostname: 'mail.example',
    accounts: { shop: { ...freshAccount, incomingWebhook } },
  }
}

/** One look at the failing webhook; `newest` are the options at the moment of writing. */
async function look(
  webhook: IncomingWebhook,
  more: { readonly failing?: object; readonly newest?: Options } = {},
) {
  const mails: NewMail[] = []
  let after: Options | undefined
  const { disabled } = await disableFailing({
    options: { read: async () => optionsWith(webhook) },
    failing: {
      read: async ({ direction, url: of }) =>
        direction === 'incoming' && of === url ? { ...failing, ...more.failing } : undefined,
    },
    content: {
      create: async () => true,
      read: async () => undefined,
      keep: async () => {},
      remove: async () => {},
    },
    disabling: {
      async disable(mail, edit) {
        after = edit(more.newest ?? optionsWith(webhook))
        if (after) mails.push(mail)
        return after !== undefined
      },
    },
    clock,
    random: seededRandom(),
  })
  return { disabled, mails, webhook: after?.accounts.shop?.incomingWebhook }
}

test('a webhook that failed for as long as it may is disabled, with a notice in the Inbox', async () => {
  const { disabled, mails, webhook } = await look(watched)
  assert.equal(disabled, 1)
  assert.deepEqual(webhook, { ...watched, disabledAt: now })
  assert.deepEqual(
    mails.map(({ account, mailbox, fields }) => [account, mailbox, fields.subject, fields.automated]),
    [['shop', 'Inbox', 'incoming webhook disabled', true]],
  )
})

const untouched = [
  { why: 'without the option', webhook: { url, authorization: '' } },
  { why: 'disabled already', webhook: { ...watched, disabledAt: now - HOUR } },
  { why: 'of which another URL failed', webhook: { ...watched, url: 'https://shop.example/new' } },
  { why: 'that fails for less', webhook: watched, failing: { since: now - 3 * DAY + 1 } },
  { why: 'whose last failure is as old as its first', webhook: watched, failing: { lastAt: now - 3 * DAY } },
  {
    why: 'that was disabled meanwhile',
    webhook: watched,
    newest: optionsWith({ ...watched, disabledAt: now }),
  },
  {
    why: 'that was allowed longer',
    webhook: watched,
    newest: optionsWith({ ...watched, disableAfterDays: 4 }),
  },
  {
    why: 'that was set anew',
    webhook: watched,
    newest: optionsWith({ ...watched, url: 'https://shop.example/new' }),
  },
  { why: 'of an account that was removed', webhook: watched, newest: freshOptions },
]
for (const { why, webhook, ...more } of untouched) {
  test(`a webhook ${why} is left as it is, without a notice`, async () => {
    const { disabled, mails } = await look(webhook, more)
    assert.deepEqual([disabled, mails], [0, []])
  })
}

test('the notice says which URL failed since when and of what, and how to enable it', () => {
  const bytes = composeDisabledNotice({
    webhook: { account: 'shop', direction: 'outgoing', url: 'https://shop.example/hook?a=b' },
    failing: { since: now - 3 * DAY, lastAt: now - HOUR, error: 'no\r\nSubject: Grüße' },
    hostname: 'mail.example',
    messageId: '<1@mail.example>',
    at: now,
  })
  assert.equal(
    Buffer.from(bytes).toString(),
    [
      'Return-Path: <>',
      'From: <postmaster@mail.example>',
      'Subject: outgoing webhook disabled',
      'Date: 1 Jun 2026 00:00:00 +0000',
      'Message-Id: <1@mail.example>',
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      'The outgoing webhook of account shop was disabled:',
      '',
      '    https://shop.example/hook?a=3Db',
      '',
      `Every call of it failed from ${formatInstant(now - 3 * DAY)} on.`,
      `The last error, at ${formatInstant(now - HOUR)}:`,
      '',
      '    no Subject: Gr=C3=BC=C3=9Fe',
      '',
      'Events queue no calls to it any more; those that wait are made, by their',
      'schedule. When the receiver works, an operator enables the webhook again:',
      '',
      '    postern account update shop --outgoing-webhook-enable',
      '',
      'This notice was written by the mail server mail.example.',
      '',
    ].join('\r\n'),
  )
})
