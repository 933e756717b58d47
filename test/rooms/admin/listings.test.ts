import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { rowIdAt } from '../../../shared/base/row-id.ts'
import { testAdmin } from '../../support/admin-ports.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { storedMail } from './stored-mail.ts'

const at = Date.UTC(2026, 5, 1)
const accounts = { shop: freshAccount, other: freshAccount }

/** No connection was made. */
const nobody = { Reply: '', RemoteHost: '', RemoteIP: '', TLS: '' }

test('a queued message has the shape of mox', async () => {
  const admin = testAdmin({ accounts })
  const id = rowIdAt(at, 2)
  admin.state.queued = [
    queuedMessage({
      id,
      base: rowIdAt(at, 1),
      recipients: 2,
      recipient: parseAddress('bob@bücher.example'),
      state: 'attempting',
      attempts: 2,
      nextAt: at + 450_000,
      lease: { owner: 'x', endsAt: at + 120_000 },
      fromId: 'abc',
      extra: { order: '7' },
      results: [
        {
          attempt: 1,
          startedAt: at,
          durationMs: 250,
          status: 'temporary',
          code: 451,
          enhancedCode: '4.7.1',
          error: 'later',
          reply: '4.7.1 later',
        },
        {
          attempt: 2,
          startedAt: at + 1000,
          durationMs: 0,
          status: 'running',
          code: 0,
          enhancedCode: '',
          error: '',
          reply: '',
        },
      ],
    }),
  ]
  assert.deepEqual(await admin.done('GET', '/queue'), [
    {
      ID: id,
      BaseID: rowIdAt(at, 1),
      Queued: '2026-06-01T00:00:00.000Z',
      State: 'attempting',
      Hold: false,
      HoldReason: '',
      SenderAccount: 'shop',
      SenderLocalpart: 'ann',
      SenderDomain: { IP: '', Domain: { ASCII: 'shop.example', Unicode: '' } },
      SenderDomainStr: 'shop.example',
      FromID: 'abc',
      RecipientLocalpart: 'bob',
      RecipientDomain: { IP: '', Domain: { ASCII: 'xn--bcher-kva.example', Unicode: 'bücher.example' } },
      RecipientDomainStr: 'bücher.example',
      Attempts: 2,
      MaxAttempts: 0,
      DialedIPs: null,
      NextAttempt: '2026-06-01T00:07:30.000Z',
      LastAttempt: '2026-06-01T00:00:01.000Z',
      Results: [
        {
          Start: '2026-06-01T00:00:00.000Z',
          Duration: 250_000_000,
          Success: false,
          Code: 451,
          Secode: '7.1',
          Error: 'later',
          ...nobody,
          Reply: '4.7.1 later',
        },
        {
          Start: '2026-06-01T00:00:01.000Z',
          Duration: 0,
          Success: false,
          Code: 0,
          Secode: '',
          Error: 'delivering...',
          ...nobody,
        },
      ],
      Has8bit: false,
      SMTPUTF8: false,
      IsDMARCReport: false,
      IsTLSReport: false,
      Size: 1000,
      MessageID: '<m@shop.example>',
      MsgPrefix: null,
      Subject: 'Hello',
      DSNUTF8: null,
      Transport: '',
      RequireTLS: null,
      FutureReleaseRequest: '',
      Extra: { order: '7' },
    },
  ])
})

test('a message with one recipient and the null reverse-path has no base and no sender', async () => {
  const admin = testAdmin({ accounts })
  const { mailFrom: _none, ...row } = queuedMessage()
  admin.state.queued = [row]
  const [message] = (await admin.done('GET', '/queue')) as Record<string, unknown>[]
  assert.equal(message?.BaseID, 0)
  assert.equal(message?.SenderLocalpart, '')
  assert.equal(message?.SenderDomainStr, '')
  assert.deepEqual(message?.SenderDomain, { IP: '', Domain: { ASCII: '', Unicode: '' } })
  assert.equal(message?.LastAttempt, null)
})

test('an interrupted attempt is shown and not counted', async () => {
  const admin = testAdmin({ accounts })
  const none = { code: 0, enhancedCode: '', error: '', reply: '' }
  const interrupted = { attempt: 1, startedAt: at, durationMs: 0, ...none }
  admin.state.queued = [queuedMessage({ attempts: 1, results: [{ ...interrupted, status: 'interrupted' }] })]
  const [message] = (await admin.done('GET', '/queue')) as {
    Attempts: number
    Results: { Error: string }[]
  }[]
  assert.equal(message?.Attempts, 0)
  assert.equal(message?.Results[0]?.Error, 'interrupted')
})

test('the queues of all accounts are one, the next attempt first', async () => {
  const admin = testAdmin({ accounts })
  admin.state.queued = [
    queuedMessage({ account: 'shop', id: rowIdAt(at, 1), nextAt: at + 3 }),
    queuedMessage({ account: 'other', id: rowIdAt(at, 2), nextAt: at + 1 }),
    queuedMessage({ account: 'shop', id: rowIdAt(at, 3), nextAt: at + 2 }),
  ]
  const ids = async (query: string) =>
    ((await admin.done('GET', `/queue${query}`)) as { ID: number }[]).map(({ ID }) => ID - rowIdAt(at, 0))
  assert.deepEqual(await ids(''), [2, 3, 1])
  assert.deepEqual(await ids('?limit=2'), [2, 3])
  assert.deepEqual(await ids('?account=shop'), [3, 1])
})

test('stored mail is listed with what a person looks for', async () => {
  const admin = testAdmin({ accounts })
  admin.state.mails = [storedMail()]
  assert.deepEqual(await admin.done('GET', '/mail'), [
    {
      MsgID: rowIdAt(at, 1),
      Account: 'shop',
      MailboxName: 'Inbox',
      UID: 7,
      Received: '2026-06-01T00:00:00.000Z',
      Size: 1234,
      MailFrom: 'bob@remote.example',
      RcptTo: 'ann@shop.example',
      From: [{ Name: 'Bob', Address: 'bob@remote.example' }],
      Subject: 'Hi',
      MessageID: '<h@remote.example>',
      Flags: ['\\Seen'],
    },
  ])
})

test('the mail of all accounts is one list, the newest first', async () => {
  const admin = testAdmin({ accounts })
  admin.state.mails = [
    storedMail({ account: 'shop', id: rowIdAt(at, 1) }),
    storedMail({ account: 'other', id: rowIdAt(at, 2) }),
  ]
  const names = async (query: string) =>
    ((await admin.done('GET', `/mail${query}`)) as { Account: string }[]).map(({ Account }) => Account)
  assert.deepEqual(await names(''), ['other', 'shop'])
  assert.deepEqual(await names('?limit=1'), ['other'])
  assert.deepEqual(await names('?account=shop'), ['shop'])
})

const badQueries = [
  { query: 'account=nobody', message: 'account: there is no account "nobody"' },
  { query: 'limit=0', message: 'limit: must be a whole number from 1 to 1000' },
  { query: 'limit=1001', message: 'limit: must be a whole number from 1 to 1000' },
  { query: 'limit=1e2', message: 'limit: must be a whole number from 1 to 1000' },
  { query: 'acount=shop', message: 'acount: unknown field' },
]

for (const { query, message } of badQueries) {
  test(`refuses ?${query}`, async () => {
    const { status, json } = await testAdmin({ accounts }).call('GET', `/queue?${query}`)
    assert.equal(status, 400)
    assert.deepEqual(json, { Code: 'user', Message: message })
  })
}
