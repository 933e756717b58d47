import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { type RowId, rowIdAt } from '../../../shared/base/row-id.ts'
import { basic, INITIAL_PASSWORD, type TestAdmin, testAdmin } from '../../support/admin-ports.ts'
import { queuedMessage } from '../../support/queued-message.ts'
import { webhookCall } from './webhook-call.ts'

const at = Date.UTC(2026, 5, 1)
const accounts = { shop: freshAccount, other: freshAccount }

/** Times repeat, within an account and across accounts; so do ids across accounts. */
const places = [
  { account: 'shop', place: 1, after: 5 },
  { account: 'shop', place: 2, after: 5 },
  { account: 'shop', place: 3, after: 1 },
  { account: 'shop', place: 4, after: 5 },
  { account: 'other', place: 2, after: 5 },
  { account: 'other', place: 5, after: 0 },
  { account: 'other', place: 3, after: 5 },
]

function four(): TestAdmin {
  const admin = testAdmin({ accounts })
  const common = ({ account, place, after }: (typeof places)[number]) => ({
    account,
    id: rowIdAt(at, place),
    queuedAt: at + place,
    nextAt: at + after,
    ...(place === 2 && { hold: { reason: 'x', since: at } }),
  })
  const done = ({ account, place, after }: (typeof places)[number]) => ({
    account,
    id: rowIdAt(at, place + 100),
    state: 'done' as const,
    retired: { success: true, lastActivityAt: at + after, keepUntil: at + 1_000 },
  })
  admin.state.queued = [
    ...places.map((place) => queuedMessage(common(place))),
    ...places.map((place) => queuedMessage(done(place))),
  ]
  admin.state.calls = [
    ...places.map((place) => webhookCall(common(place))),
    ...places.map((place) => webhookCall(done(place))),
  ]
  return admin
}

interface Listed {
  readonly ID: RowId
  readonly SenderAccount?: string
  readonly Account?: string
}

const lists = [
  { path: '/queue', sorts: ['NextAttempt', 'Queued'], offset: 0 },
  { path: '/queue/retired', sorts: ['LastActivity', 'Queued'], offset: 100 },
  { path: '/webhooks', sorts: ['NextAttempt', 'Submitted'], offset: 0 },
  { path: '/webhooks/retired', sorts: ['LastActivity', 'Submitted'], offset: 100 },
]

/** Time, then id, then account; as the specification says it, without the code's help. */
function expected(byTime: boolean, ascending: boolean, offset: number): readonly string[] {
  const key = ({ account, place, after }: (typeof places)[number]) =>
    `${byTime ? after : 0} ${place} ${account}`
  const inOrder = [...places].sort((one, other) => (key(one) < key(other) ? -1 : 1))
  const names = inOrder.map(({ account, place }) => `${account}/${rowIdAt(at, place + offset)}`)
  return ascending ? names : names.reverse()
}

/** One page, and the query string of the next one. */
async function page(admin: TestAdmin, path: string, query: string) {
  const answer = await admin.app.request(`/admin/api${path}?${query}`, {
    headers: { Authorization: basic('admin', INITIAL_PASSWORD) },
  })
  assert.equal(answer.status, 200, await answer.clone().text())
  const rows = (await answer.json()) as Listed[]
  return {
    rows,
    names: rows.map(({ SenderAccount, Account, ID }) => `${SenderAccount ?? Account}/${ID}`),
    next: /^<\?(.*)>; rel="next"$/.exec(answer.headers.get('Link') ?? '')?.[1] ?? null,
  }
}

for (const { path, sorts, offset } of lists) {
  for (const [place, sort] of sorts.entries()) {
    for (const asc of [true, false]) {
      test(`AT-43: GET ${path}?sort=${sort}&asc=${asc}, one row a page, is exactly the full list`, async () => {
        const admin = four()
        const wanted = expected(place === 0, asc, offset)
        const whole = await page(admin, path, `sort=${sort}&asc=${asc}`)
        assert.deepEqual(whole.names, wanted)
        assert.equal(whole.next, null)
        const found: string[] = []
        for (let query: string | null = `sort=${sort}&asc=${asc}&limit=1`; query; ) {
          const { names, next } = await page(admin, path, query)
          found.push(...names)
          query = next
        }
        assert.deepEqual(found, wanted)
      })
    }
  }

  test(`GET ${path} pages by mox's last and lastid too, within an account`, async () => {
    const admin = four()
    const query = `sort=${sorts[0]}&asc=true&limit=1&account=shop`
    const found: string[] = []
    for (let after = ''; found.length < 10; ) {
      const { rows, names } = await page(admin, path, `${query}${after}`)
      const [row] = rows as unknown as Record<string, string>[]
      if (!row) break
      found.push(...names)
      after = `&last=${row[sorts[0] ?? '']}&lastid=${row.ID}`
    }
    const ofShop = expected(true, true, offset).filter((name) => name.startsWith('shop/'))
    assert.deepEqual(found, ofShop)
  })
}

test('without a wish the queue shows the next attempt first, and retired lists the last activity first', async () => {
  const admin = four()
  for (const { path, offset } of lists) {
    assert.deepEqual((await page(admin, path, '')).names, expected(true, offset === 0, offset))
  }
})

test('a page keeps the filter of the page before it', async () => {
  const { next } = await page(four(), '/queue', 'hold=true&limit=1&to=bob%40')
  assert.deepEqual(Object.fromEntries(new URLSearchParams(next ?? '')), {
    hold: 'true',
    limit: '1',
    to: 'bob@',
    last: new Date(at + 5).toISOString(),
    lastid: String(rowIdAt(at, 2)),
    lastaccount: 'other',
  })
})

const malformed = [
  { query: 'sort=Size', message: 'sort: must be one of NextAttempt, Queued' },
  { query: 'asc=yes', message: 'asc: must be one of true, false' },
  { query: 'hold=maybe', message: 'hold: must be one of true, false' },
  { query: 'lastid=1', message: 'last: must be the time of the last row, as RFC 3339 writes it' },
  { query: 'last=2026-06-01T00:00:00Z', message: 'lastid: must be the ID of the last row' },
  {
    query: 'last=yesterday&lastid=1',
    message: 'last: must be the time of the last row, as RFC 3339 writes it',
  },
  { query: 'ids=x', message: 'IDs: "x" is no ID, such as shop/846103…' },
  {
    query: 'submitted=-1h',
    message: 'Submitted: must be < or > and a time: now, a duration from now such as -1h30m, or RFC 3339',
  },
  {
    query: 'nextattempt=%3Ctomorrow',
    message: 'NextAttempt: must be < or > and a time: now, a duration from now such as -1h30m, or RFC 3339',
  },
]
for (const { query, message } of malformed) {
  test(`GET /queue?${query} is refused by naming the field and the rule`, async () => {
    const { status, json } = await four().call('GET', `/queue?${query}`)
    assert.deepEqual([status, json], [400, { Code: 'user', Message: message }])
  })
}

for (const { path, query, message } of [
  { path: '/queue/retired', query: 'result=maybe', message: 'result: must be one of success, failure' },
  { path: '/queue/retired', query: 'hold=true', message: 'hold: unknown field' },
  { path: '/webhooks', query: 'from=ann', message: 'from: unknown field' },
  {
    path: '/webhooks/retired',
    query: 'sort=NextAttempt',
    message: 'sort: must be one of LastActivity, Submitted',
  },
  { path: '/webhooks', query: 'account=nobody', message: 'account: there is no account "nobody"' },
]) {
  test(`GET ${path}?${query} is refused by naming the field and the rule`, async () => {
    const { status, json } = await four().call('GET', `${path}?${query}`)
    assert.deepEqual([status, json], [400, { Code: 'user', Message: message }])
  })
}
