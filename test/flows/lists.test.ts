import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../../scripts/eventually.ts'
import { newCallItem } from '../../shared/adapters/aws/call-items.ts'
import { putNew } from '../../shared/adapters/aws/dynamo.ts'
import { parseAddress } from '../../shared/address/address.ts'
import { DAY, HOUR, MINUTE } from '../../shared/base/clock.ts'
import { type RowId, rowIdAt } from '../../shared/base/row-id.ts'
import type { DeliveryResult, QueuedMessage } from '../../shared/queue/queued-message.ts'
import type { CallResult, WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { webhookCall } from '../rooms/admin/webhook-call.ts'
import { queuedMessage } from '../support/queued-message.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'

let postern: TestPostern
const ends: (() => unknown)[] = []
const now = Date.now()
/** Nobody attempts anything before then. */
const tomorrow = now + DAY

/** A dozen rows of two accounts: times repeat within an account and across them, ids repeat across them. */
const places = ['postern', 'other'].flatMap((account) =>
  [5, 5, 1, 5, 0, 3].map((minutes, place) => ({
    account,
    place,
    minutes: account === 'other' ? 5 : minutes,
  })),
)
const idOf = (place: number) => rowIdAt(now - HOUR, place)
/** One row of the postern account differs from all others in whatever a filter can name. */
const isOne = ({ account, place }: (typeof places)[number]) => account === 'postern' && place === 2

before(async () => {
  postern = await testPostern({ after: (end: () => unknown) => void ends.push(end) })
  await postern.admin.put('/accounts/other', {})
  const { queue, calls } = storesOf(postern.table)
  assert.ok(await queue.add([...places.map(message), ...places.map(retiredMessage)]))
  for (const place of places) {
    for (const call of [waitingCall(place), retiredCall(place)]) {
      assert.equal(await putNew(postern.table, newCallItem(call)), undefined)
    }
  }
  for (const place of places) {
    const lastActivityAt = now - HOUR + place.minutes * MINUTE
    const retired = { success: !isOne(place), lastActivityAt, keepUntil: tomorrow }
    const result = { ...failure, startedAt: lastActivityAt }
    const settlement = { kind: 'retire', result, retired } as const
    assert.ok(await queue.cancel(retiredMessage(place), settlement, {}, 1 as RowId))
    assert.ok(await calls.cancel(retiredCall(place), settlement, 1 as RowId))
  }
  for (const { path } of lists) {
    await eventually(`${path} has all`, async () => (await names(path)).length === places.length)
  }
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const failure: DeliveryResult & CallResult = {
  attempt: 0,
  startedAt: now,
  durationMs: 0,
  status: 'permanent',
  code: 0,
  enhancedCode: '',
  error: 'x',
  reply: '',
  url: 'https://shop.example/',
  response: '',
}

function message(place: (typeof places)[number]): QueuedMessage {
  const id = idOf(place.place)
  return queuedMessage({
    account: place.account,
    id,
    base: id,
    queuedAt: now - (isOne(place) ? 2 * HOUR : HOUR),
    nextAt: tomorrow + place.minutes * MINUTE,
    mailFrom: parseAddress(isOne(place) ? 'ann@bücher.test' : 'bob@shop.test'),
    recipient: parseAddress(isOne(place) ? 'eve@one.test' : 'eve@other.test'),
    ...(isOne(place) && { transport: 'relay', hold: { reason: 'by an operator', since: now } }),
  })
}

function retiredMessage(place: (typeof places)[number]): QueuedMessage {
  const { hold: _none, ...row } = message(place)
  const id = idOf(place.place + 100)
  return { ...row, id, base: id }
}

function waitingCall(place: (typeof places)[number]): WebhookCall {
  return webhookCall({
    account: place.account,
    id: idOf(place.place),
    queuedAt: now - (isOne(place) ? 2 * HOUR : HOUR),
    nextAt: tomorrow + place.minutes * MINUTE,
    event: isOne(place) ? 'incoming' : 'failed',
  })
}

function retiredCall(place: (typeof places)[number]): WebhookCall {
  return { ...waitingCall(place), id: idOf(place.place + 100) }
}

const lists = [
  { path: '/queue', sorts: ['NextAttempt', 'Queued'], offset: 0 },
  { path: '/queue/retired', sorts: ['LastActivity', 'Queued'], offset: 100 },
  { path: '/webhooks', sorts: ['NextAttempt', 'Submitted'], offset: 0 },
  { path: '/webhooks/retired', sorts: ['LastActivity', 'Submitted'], offset: 100 },
] as const

interface Listed {
  readonly ID: RowId
  readonly SenderAccount?: string
  readonly Account?: string
}

function nameOf({ ID, SenderAccount, Account }: Listed): string {
  return `${SenderAccount ?? Account}/${ID}`
}

async function names(path: string): Promise<readonly string[]> {
  return (await postern.admin.get<Listed[]>(path)).map(nameOf)
}

/** Time, then id, then account: as the specification has it. */
function expected(byTime: boolean, ascending: boolean, offset: number): readonly string[] {
  const key = ({ account, place, minutes }: (typeof places)[number]) =>
    `${byTime ? minutes : 0} ${place} ${account}`
  const inOrder = places.toSorted((one, other) => (key(one) < key(other) ? -1 : 1))
  const sorted = inOrder.map(({ account, place }) => `${account}/${idOf(place + offset)}`)
  return ascending ? sorted : sorted.reverse()
}

for (const { path, sorts, offset } of lists) {
  for (const [place, sort] of sorts.entries()) {
    for (const asc of [true, false]) {
      test(`AT-43: ${path} by ${sort}, ${asc ? 'ascending' : 'descending'}, one row a page, is exactly the full list`, async () => {
        const wanted = expected(place === 0, asc, offset)
        assert.deepEqual(await names(`${path}?sort=${sort}&asc=${asc}`), wanted)
        const found: string[] = []
        let query: string | undefined = `sort=${sort}&asc=${asc}&limit=1`
        while (query !== undefined) {
          const page: { rows: readonly Listed[]; next?: string } = await postern.admin.page(
            `${path}?${query}`,
          )
          assert.equal(page.rows.length, 1)
          found.push(...page.rows.map(nameOf))
          query = page.next
        }
        assert.deepEqual(found, wanted)
      })
    }
  }
}

const one = `postern/${idOf(2)}`
const retiredOne = `postern/${idOf(102)}`
const until = (at: number) => encodeURIComponent(`<${new Date(at).toISOString()}`)

const filters: readonly { query: string; matching: readonly string[] | number }[] = [
  { query: '/queue?account=postern', matching: 6 },
  { query: '/queue?from=ann%40', matching: [one] },
  { query: '/queue?from=%40b%C3%BCcher.test', matching: [one] },
  { query: '/queue?to=%40one.test', matching: [one] },
  { query: '/queue?from=ann%40&to=%40other.test', matching: [] },
  { query: '/queue?hold=true', matching: [one] },
  { query: '/queue?hold=false', matching: 11 },
  { query: '/queue?submitted=%3C-90m', matching: [one] },
  { query: '/queue?submitted=%3Enow', matching: 0 },
  { query: '/queue?submitted=%3Cnow', matching: 12 },
  { query: `/queue?nextattempt=${until(tomorrow + MINUTE)}`, matching: [`postern/${idOf(4)}`] },
  { query: '/queue?nextattempt=%3E1m', matching: 12 },
  { query: '/queue?transport=relay', matching: [one] },
  { query: '/queue?transport=', matching: 11 },
  { query: '/queue?transport=bogus', matching: 0 },
  { query: `/queue?ids=${one},other/${idOf(0)}`, matching: [one, `other/${idOf(0)}`] },
  { query: `/queue?ids=postern/${idOf(50)}`, matching: [] },
  { query: `/queue?ids=${retiredOne}`, matching: [] },
  {
    query: `/queue?account=postern&ids=${idOf(2)}&from=ann&to=eve&hold=true&submitted=%3C-90m&nextattempt=%3E1m&transport=relay`,
    matching: [one],
  },
  { query: '/queue/retired?result=failure', matching: [retiredOne] },
  { query: '/queue/retired?result=success', matching: 11 },
  { query: `/queue/retired?lastactivity=${until(now - HOUR + MINUTE)}`, matching: [`postern/${idOf(104)}`] },
  {
    query: `/queue/retired?account=postern&ids=${idOf(102)}&from=ann&to=eve&submitted=%3C-90m&lastactivity=%3Cnow&transport=relay&result=failure`,
    matching: [retiredOne],
  },
  { query: '/webhooks?event=incoming', matching: [one] },
  { query: '/webhooks?event=failed', matching: 11 },
  {
    query: `/webhooks?account=postern&ids=${idOf(2)}&submitted=%3C-90m&nextattempt=%3E1m&event=incoming`,
    matching: [one],
  },
  {
    query: `/webhooks/retired?account=postern&ids=${idOf(102)}&submitted=%3C-90m&lastactivity=%3Cnow&event=incoming`,
    matching: [retiredOne],
  },
]
for (const { query, matching } of filters) {
  const count = typeof matching === 'number' ? matching : matching.length
  test(`AT-28: GET ${decodeURIComponent(query).replaceAll(/\d{10,}|2\d{3}-[^&]*/g, '…')} finds ${count}`, async () => {
    const found = await names(query)
    if (typeof matching === 'number') assert.equal(found.length, matching)
    else assert.deepEqual(found, matching)
  })
}
