import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { parseAddress } from '../../shared/address/address.ts'
import { MOST_IMPORT_ROWS } from '../../shared/admin/call-limits.ts'
import type { ImportJson } from '../../shared/admin/suppression-import.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { baseAddress } from '../../shared/suppression/base-address.ts'
import { newSuppression } from '../../shared/suppression/new-suppression.ts'
import type { SuppressionJson } from '../../shared/suppression/wire-suppression.ts'
import { basic } from '../support/admin-ports.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context)
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { URL: `${application.url}/out` } })
  for (const name of ['alpha', 'beta']) await postern.admin.put(`/accounts/${name}`, {})
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('AT-41d: mail to an imported address is suppressed, however it is spelled, and to others is not', async () => {
  const csv = 'reason,email\r\n"asked, twice",Mjl.2+news@remote.test\r\n,"=a@remote.test"\r\n'
  const { Added, Invalid } = await importCsv('postern', csv)
  assert.deepEqual([Added, Invalid], [2, []])
  await postern.call('Send', {
    To: ['mjl2-x@remote.test', '=A@remote.test', 'other@remote.test'].map((Address) => ({ Address })),
    Text: 'x',
  })
  const events = await eventually('an event for each', () => {
    return application.calls.length === 3 && application.calls.map(({ json }) => json.Event)
  })
  assert.deepEqual(events.sort(), ['delivered', 'suppressed', 'suppressed'])
})

test('AT-56: at the store, an unknown account lists nothing, and entries are found and removed by base address', async () => {
  const store = dynamoSuppressionStore(postern.table)
  const entry = (account: string, address: string, id: number) =>
    newSuppression(parseAddress(address), {
      ...{ id: id as RowId, account, createdAt: Date.UTC(2026, 5, 1), manual: true, reason: '' },
    })
  const plain = { account: 'one', baseAddress: 'mjl2@store.test' }
  assert.deepEqual(await store.list('one'), [])
  assert.deepEqual(await store.page('one', { limit: 10 }), [])
  assert.deepEqual(await store.findAll([plain]), [])

  const first = entry('one', 'M.j.l2+catchall@store.test', 1)
  assert.equal(await store.add(first), true)
  assert.equal(await store.add(first), true, 'a write that is repeated knows itself')
  assert.equal(await store.add(entry('one', 'mjl2@store.test', 2)), false)
  const other = entry('two', 'mjl2@store.test', 3)
  assert.equal(await store.add(other), true)
  const wanted = [other, { account: 'none', baseAddress: plain.baseAddress }, plain]
  assert.deepEqual(await store.findAll(wanted), [other, first])

  const spelled = baseAddress(parseAddress('MJL2-any@store.test'))
  assert.equal(await store.remove('one', spelled), true)
  assert.equal(await store.remove('one', spelled), false)
  assert.deepEqual(await store.page('two', { limit: 10 }), [other])
})

test('pages go through all accounts, by account and base address, and each names the next', async () => {
  const addresses = ['ü@page.test', 'z@page.test', 'a@page.test', '"b c"@page.test', 'b/c@page.test']
  for (const account of ['beta', 'alpha']) {
    const csv = addresses.map((address) => `${address}\n`).join('')
    assert.equal((await importCsv(account, csv)).Added, addresses.length)
  }
  const inOrder = ['"b c"@page.test', 'a@page.test', 'b/c@page.test', 'z@page.test', 'ü@page.test']
  const wanted = ['alpha', 'beta'].flatMap((account) => inOrder.map((base) => `${account} ${base}`))
  const found: string[] = []
  for (let next: string | undefined = '?limit=3'; next; ) {
    const answer = await callAdmin('GET', `/suppressions${next}`)
    const page = (await answer.json()) as SuppressionJson[]
    found.push(...page.map(({ Account, BaseAddress }) => `${Account} ${BaseAddress}`))
    next = /^<(\?.*)>; rel="next"$/.exec(answer.headers.get('Link') ?? '')?.[1]
  }
  assert.deepEqual(
    found.filter((entry) => !entry.startsWith('postern')),
    wanted,
  )
  const csv = await callAdmin('GET', '/suppressions/export?account=alpha&after=b%2Fc%40page.test')
  assert.equal(csv.headers.get('Content-Type'), 'text/csv; charset=utf-8; header=present')
  assert.deepEqual(
    (await csv.text()).split('\r\n').map((line) => line.split(',')[1]),
    ['baseaddress', 'z@page.test', 'ü@page.test', undefined],
  )
})

test('the largest import of one call ends in time, and again adds nothing', async () => {
  const csv = Array.from({ length: MOST_IMPORT_ROWS }, (_, count) => `user${count}@large.test\n`).join('')
  const dry = await importCsv('alpha', csv, '?dryrun=true')
  const first = await importCsv('alpha', csv)
  const again = await importCsv('alpha', csv)
  assert.deepEqual(
    [dry, first, again].map(({ Added, Present, InvalidCount }) => [Added, Present, InvalidCount]),
    [
      [MOST_IMPORT_ROWS, 0, 0],
      [MOST_IMPORT_ROWS, 0, 0],
      [0, MOST_IMPORT_ROWS, 0],
    ],
  )
  const ids = (await dynamoSuppressionStore(postern.table).list('alpha')).map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length, 'each entry has an id of its own')
})

async function importCsv(account: string, csv: string, query = ''): Promise<ImportJson> {
  const answer = await callAdmin('POST', `/suppressions/${account}/import${query}`, csv)
  const json = await answer.json()
  assert.equal(answer.status, 200, JSON.stringify(json))
  return json as ImportJson
}

async function callAdmin(method: string, path: string, csv?: string): Promise<Response> {
  return await fetch(`${postern.local.cloud.apiUrl}/admin/api${path}`, {
    method,
    headers: { Authorization: basic('admin', localSeed.adminPassword), 'Content-Type': 'text/csv' },
    ...(csv !== undefined && { body: csv }),
  })
}
