import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { basic, INITIAL_PASSWORD, type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const accounts = { shop: freshAccount, other: freshAccount }

test('AT-61, AT-17: an added entry has the shape of mox, and was added by a person', async () => {
  const admin = testAdmin({ accounts })
  const path = '/suppressions/shop/M.j.l2%2Bcatchall%40%E2%98%BA.test'
  const added = (await admin.done('PUT', path, { Reason: 'asked' })) as { ID: number }
  assert.deepEqual(added, {
    ID: added.ID,
    Created: '2026-06-01T00:00:00.000Z',
    Account: 'shop',
    BaseAddress: 'mjl2@☺.test',
    OriginalAddress: 'M.j.l2+catchall@☺.test',
    Manual: true,
    Reason: 'asked',
  })
  assert.deepEqual(await admin.done('GET', '/suppressions'), [added])
  await admin.done('PUT', '/suppressions/other/a/b@x.test', { Manual: false })
  assert.deepEqual(
    admin.state.suppressions.map(({ account, baseAddress, manual }) => [account, baseAddress, manual]),
    [
      ['shop', 'mjl2@☺.test', true],
      ['other', 'a/b@x.test', false],
    ],
  )
})

const refused: readonly {
  readonly rule: string
  readonly request: readonly [method: string, path: string, body: unknown]
  readonly answer: readonly [status: number, code: string, message: string]
}[] = [
  {
    rule: 'AT-56: a duplicate by base address',
    request: ['PUT', '/suppressions/shop/Mjl2@x.test', {}],
    answer: [400, 'user', 'Address: mjl2@x.test is on the list of account shop already'],
  },
  {
    rule: 'a bad address',
    request: ['PUT', '/suppressions/shop/mjl2', {}],
    answer: [400, 'user', 'Address: malformed address "mjl2": no @'],
  },
  {
    rule: 'AT-56: an empty account',
    request: ['PUT', '/suppressions//mjl2@x.test', {}],
    answer: [404, 'notFound', 'there is no PUT /admin/api/suppressions//mjl2@x.test'],
  },
  {
    rule: 'an unknown account',
    request: ['PUT', '/suppressions/nobody/mjl2@x.test', {}],
    answer: [404, 'notFound', 'there is no account "nobody"'],
  },
  {
    rule: 'a reason with a line break',
    request: ['PUT', '/suppressions/shop/a@x.test', { Reason: 'a\nb' }],
    answer: [400, 'user', 'Reason: must be at most 1000 characters, without control characters'],
  },
  {
    rule: 'the removal of what is not listed',
    request: ['DELETE', '/suppressions/shop/a@x.test', undefined],
    answer: [404, 'notFound', 'a@x.test is not on the list of account shop'],
  },
  {
    rule: 'the list of an unknown account',
    request: ['GET', '/suppressions?account=nobody', undefined],
    answer: [400, 'user', 'account: there is no account "nobody"'],
  },
  {
    rule: 'a page behind an address of no account',
    request: ['GET', '/suppressions?after=a%40x.test', undefined],
    answer: [400, 'user', 'after: must be account/baseaddress where no account is named'],
  },
  {
    rule: 'a page of too many',
    request: ['GET', '/suppressions?limit=1001', undefined],
    answer: [400, 'user', 'limit: must be a whole number from 1 to 1000'],
  },
  {
    rule: 'a page behind what is no key',
    request: ['GET', `/suppressions?account=shop&after=${'a'.repeat(1025)}`, undefined],
    answer: [400, 'user', 'after: must be 1 to 1024 octets'],
  },
  {
    rule: 'the lookup of a bad address',
    request: ['GET', '/suppressions/lookup?address=a', undefined],
    answer: [400, 'user', 'address: malformed address "a": no @'],
  },
  {
    rule: 'an export in another format',
    request: ['GET', '/suppressions/export?format=xml', undefined],
    answer: [400, 'user', 'format: must be one of csv, json'],
  },
  {
    rule: 'an import into an unknown account',
    request: ['POST', '/suppressions/nobody/import', []],
    answer: [404, 'notFound', 'there is no account "nobody"'],
  },
  {
    rule: 'an import that is no list',
    request: ['POST', '/suppressions/shop/import', {}],
    answer: [400, 'user', 'body: must be a list'],
  },
  {
    rule: 'an import of too many rows',
    request: ['POST', '/suppressions/shop/import', Array.from({ length: 2001 }, () => 1)],
    answer: [400, 'user', 'body: must have at most 2000 rows; import more in several calls'],
  },
  {
    rule: 'an import that is neither dry nor not',
    request: ['POST', '/suppressions/shop/import?dryrun=1', []],
    answer: [400, 'user', 'dryrun: must be one of true, false'],
  },
]

for (const { rule, request, answer } of refused) {
  test(`AT-61: refuses ${rule}, and changes nothing`, async () => {
    const admin = testAdmin({ accounts })
    await admin.done('PUT', '/suppressions/shop/m.jl2+x@x.test', {})
    const before = admin.state.suppressions
    const { status, json } = await admin.call(...request)
    const [wanted, Code, Message] = answer
    assert.deepEqual({ status, json }, { status: wanted, json: { Code, Message } })
    assert.deepEqual(admin.state.suppressions, before)
  })
}

test('AT-56: an entry is removed by any spelling, and the other account keeps its own', async () => {
  const admin = testAdmin({ accounts })
  for (const name of ['shop', 'other']) await admin.done('PUT', `/suppressions/${name}/mjl2@x.test`, {})
  assert.deepEqual(await admin.done('DELETE', '/suppressions/shop/M.J.L2-any@x.test'), {})
  assert.equal((await admin.call('DELETE', '/suppressions/shop/mjl2@x.test')).status, 404)
  assert.deepEqual(
    admin.state.suppressions.map(({ account }) => account),
    ['other'],
  )
})

test('AT-56, Q21: a lookup finds the entries of all accounts, or of one; of an unknown one there is none', async () => {
  const admin = testAdmin({ accounts })
  for (const name of ['shop', 'other']) await admin.done('PUT', `/suppressions/${name}/mjl2@x.test`, {})
  const lookUp = async (query: string) => {
    const found = await admin.done('GET', `/suppressions/lookup?address=M.jl2%2Bx%40X.test${query}`)
    return (found as { Account: string }[]).map(({ Account }) => Account)
  }
  assert.deepEqual(await lookUp(''), ['other', 'shop'])
  assert.deepEqual(await lookUp('&account=shop'), ['shop'])
  assert.deepEqual(await lookUp('&account=nobody'), [])
})

test('a page asks no account that it does not need, and links to the next (RFC 8288)', async () => {
  const admin = testAdmin({ accounts })
  for (const name of ['a', 'b', 'c']) {
    await admin.done('PUT', `/suppressions/other/${name}@x.test`, {})
    await admin.done('PUT', `/suppressions/shop/${name}@x.test`, {})
  }
  const asked: string[] = []
  const { page } = admin.ports.suppressions
  Object.assign(admin.ports.suppressions, {
    page: async (...[account, range]: Parameters<typeof page>) => {
      asked.push(`${account} ${range.limit}`)
      return await page(account, range)
    },
  })
  const links: unknown[] = []
  const get = async (query: string) => {
    const answer = await request(admin, 'GET', `/suppressions${query}`)
    links.push(answer.headers.get('Link'))
    return ((await answer.json()) as { Account: string; BaseAddress: string }[])
      .map(({ Account, BaseAddress }) => `${Account}/${BaseAddress}`)
      .join(' ')
  }
  assert.equal(await get('?limit=2'), 'other/a@x.test other/b@x.test')
  assert.equal(await get('?limit=3&after=other%2Fb%40x.test'), 'other/c@x.test shop/a@x.test shop/b@x.test')
  assert.equal(await get('?account=shop&limit=1&after=a%40x.test'), 'shop/b@x.test')
  assert.equal(await get('?account=shop&limit=1&after=b%40x.test'), 'shop/c@x.test')
  assert.deepEqual(asked, ['other 3', 'other 4', 'shop 3', 'shop 2', 'shop 2'])
  assert.deepEqual(links, [
    '<?limit=2&after=other%2Fb%40x.test>; rel="next"',
    '<?limit=3&after=shop%2Fb%40x.test>; rel="next"',
    '<?account=shop&limit=1&after=b%40x.test>; rel="next"',
    null,
  ])
})

const nothing = { Added: 0, Present: 0, InvalidCount: 0, Invalid: [] }

test('a dry run answers the same as the import and writes nothing; the second import adds nothing', async () => {
  const admin = testAdmin({ accounts })
  const rows = [{ Address: 'a@x.test' }, { OriginalAddress: 'A+b@x.test' }, { Address: 'b@x.test' }]
  const run = async (query = '') => await admin.done('POST', `/suppressions/shop/import${query}`, rows)
  assert.deepEqual(await run('?dryrun=true'), { ...nothing, Added: 2, Present: 1 })
  assert.deepEqual(admin.state.suppressions, [])
  assert.deepEqual(await run('?dryrun=false'), { ...nothing, Added: 2, Present: 1 })
  const before = admin.state.suppressions
  assert.deepEqual(await run(), { ...nothing, Present: 3 })
  assert.equal(admin.state.suppressions, before)
  assert.equal(new Set(before.map(({ id }) => id)).size, 2)
})

test('an imported entry keeps what its row says, and is a person’s and of now where it says nothing', async () => {
  const admin = testAdmin({ accounts })
  await admin.done('PUT', '/suppressions/other/Full+x@x.test', { Reason: 'r', Manual: false })
  const [exported] = (await admin.done('GET', '/suppressions/export?format=json')) as object[]
  const moved = { ...exported, Created: '2024-02-29T12:00:00+01:00' }
  const rows = [moved, { Address: 'bare@x.test' }]
  assert.deepEqual(await admin.done('POST', '/suppressions/shop/import', rows), { ...nothing, Added: 2 })
  const [, full, bare] = admin.state.suppressions
  const { account, originalAddress, manual, reason, createdAt } = full ?? assert.fail('no entry')
  assert.deepEqual(
    [account, originalAddress, manual, reason, createdAt],
    ['shop', 'Full+x@x.test', false, 'r', Date.UTC(2024, 1, 29, 11)],
  )
  assert.deepEqual([bare?.manual, bare?.reason, bare?.createdAt], [true, '', Date.UTC(2026, 5, 1)])
})

const badRows = [
  { value: { Address: 'no' }, error: 'Address: malformed address "no": no @' },
  { value: { Reason: 'x' }, error: 'Address: is required' },
  { value: 'a@x.test', error: 'entry: must be a JSON object' },
  { value: [], error: 'entry: must be a JSON object' },
  { value: { Address: 'a@x.test', Adress: '' }, error: 'Adress: unknown field' },
  { value: { Address: 'a@x.test', Manual: 'yes' }, error: 'Manual: must be true or false' },
  { value: { Address: 'a@x.test', Reason: 7 }, error: 'Reason: must be a text' },
  {
    value: { Address: 'a@x.test', Reason: 'a'.repeat(1001) },
    error: 'Reason: must be at most 1000 characters, without control characters',
  },
  ...['2024', '2026-06-01T00:00:01Z', '1969-12-31T23:59:59Z', '2026-13-01T00:00:00Z'].map((Created) => ({
    value: { Address: 'a@x.test', Created },
    error: 'Created: must be an RFC 3339 time between 1970 and now',
  })),
]
for (const { value, error } of badRows) {
  test(`the row ${JSON.stringify(value).slice(0, 70)} is left out: ${error.slice(0, 60)}`, async () => {
    const admin = testAdmin({ accounts })
    const answer = await admin.done('POST', '/suppressions/shop/import', [{ Address: 'b@x.test' }, value])
    const { Address = '' } = Object(value)
    const Invalid = [{ Line: 2, Address, Error: error }]
    assert.deepEqual(answer, { Added: 1, Present: 0, InvalidCount: 1, Invalid })
    assert.deepEqual(
      admin.state.suppressions.map(({ baseAddress }) => baseAddress),
      ['b@x.test'],
    )
  })
}

test('of many invalid rows a hundred are named', async () => {
  const rows = Array.from({ length: 150 }, () => ({ Address: 'x' }))
  const answer = await testAdmin({ accounts }).done('POST', '/suppressions/shop/import', rows)
  const { InvalidCount, Invalid } = answer as { InvalidCount: number; Invalid: unknown[] }
  assert.deepEqual([InvalidCount, Invalid.length], [150, 100])
})

test('CSV is imported, its errors by line, and what is exported imports the same', async () => {
  const admin = testAdmin({ accounts })
  const csv = 'email,reason\r\n=a@x.test,"-1, or so"\r\nno,\r\n'
  const imported = await request(admin, 'POST', '/suppressions/shop/import', csv, 'Text/CSV; charset=utf-8')
  const error = 'Address: malformed address "no": no @'
  assert.deepEqual(await imported.json(), {
    ...{ Added: 1, Present: 0, InvalidCount: 1, Invalid: [{ Line: 3, Address: 'no', Error: error }] },
  })
  const exported = await (await request(admin, 'GET', '/suppressions/export?account=shop')).text()
  const line = `shop,'=a@x.test,'=a@x.test,true,"'-1, or so",2026-06-01T00:00:00.000Z`
  assert.equal(exported, `account,baseaddress,originaladdress,manual,reason,created\r\n${line}\r\n`)

  await request(admin, 'POST', '/suppressions/other/import', exported, 'text/csv')
  const [one, other] = admin.state.suppressions
  assert.deepEqual({ ...other, id: one?.id }, { ...one, account: 'other' })
})

const bodies = [
  { body: 'a@x.test', type: 'text/plain', message: 'Content-Type: must be application/json or text/csv' },
  { body: 'a@x.test', type: 'application/json', message: 'body: must be JSON' },
  { body: 'a,b\n"', type: 'text/csv', message: 'body: a quoted value after line 1 does not end' },
  { body: Buffer.from('\xfc@x.test', 'latin1'), type: 'text/csv', message: 'body: must be UTF-8' },
]
for (const { body, type, message } of bodies) {
  test(`an import is refused as a whole: ${message}`, async () => {
    const answer = await request(testAdmin({ accounts }), 'POST', '/suppressions/shop/import', body, type)
    assert.deepEqual([answer.status, await answer.json()], [400, { Code: 'user', Message: message }])
  })
}

async function request(
  { app }: TestAdmin,
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  type = '',
): Promise<Response> {
  return await app.request(`/admin/api${path}`, {
    method,
    headers: { Authorization: basic('admin', INITIAL_PASSWORD), 'Content-Type': type },
    ...(body !== undefined && { body }),
  })
}
