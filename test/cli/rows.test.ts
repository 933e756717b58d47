import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freshAccount } from '../../shared/account/options.ts'
import { parseAddress } from '../../shared/address/address.ts'
import { MINUTE } from '../../shared/base/clock.ts'
import { rowIdAt } from '../../shared/base/row-id.ts'
import type { DeliveryResult } from '../../shared/queue/queued-message.ts'
import { webhookCall } from '../rooms/admin/webhook-call.ts'
import { type TestAdmin, testAdmin } from '../support/admin-ports.ts'
import { queuedMessage } from '../support/queued-message.ts'
import { posternFor } from './admin-server.ts'

const at = Date.UTC(2026, 5, 1)
const [first, second, third, fourth] = [rowIdAt(at, 1), rowIdAt(at, 2), rowIdAt(at, 3), rowIdAt(at, 4)]
const end = { success: false, lastActivityAt: at + MINUTE, keepUntil: at + 60 * MINUTE }

const refusal: DeliveryResult = {
  attempt: 1,
  startedAt: at,
  durationMs: 250,
  status: 'temporary',
  code: 451,
  enhancedCode: '4.7.1',
  error: 'remote said: 451 4.7.1 later',
  reply: '4.7.1 later',
  remote: {
    host: 'relay.example',
    ipAddress: '192.0.2.1',
    tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', isVerified: true, verifiedBy: 'DANE' },
  },
  transcript: ['3 S: 220 relay.example', '9 C: QUIT\u001b[2J'],
}

/** One message that was refused, one on hold, one that has failed; and the calls about them. */
function installation(): TestAdmin {
  const admin = testAdmin({ accounts: { shop: freshAccount, other: freshAccount } })
  admin.state.queued = [
    queuedMessage({ id: first, attempts: 1, nextAt: at + MINUTE, results: [refusal], extra: { order: '7' } }),
    queuedMessage({
      account: 'other',
      id: second,
      base: first,
      recipients: 2,
      recipient: parseAddress('eve@bücher.example'),
      hold: { reason: 'by an operator', since: at },
      transport: 'relay',
      requireTls: false,
    }),
    queuedMessage({
      id: third,
      state: 'done',
      retired: end,
      results: [{ ...refusal, status: 'permanent', code: 550, error: 'no such user' }],
    }),
  ]
  const failure = {
    ...refusal,
    code: 500,
    error: 'the answer was 500',
    url: 'https://shop.example/hook',
    response: 'oops\u001b[2J',
  }
  admin.state.calls = [
    webhookCall({ id: first, attempts: 1, nextAt: at + MINUTE, results: [failure] }),
    webhookCall({ id: second, event: 'incoming', queueMsgId: 0, hold: { reason: 'it kills', since: at } }),
    webhookCall({ id: third, state: 'done', retired: end, results: [failure] }),
    webhookCall({ id: fourth, event: 'test', test: 'outgoing', state: 'done', retired: end }),
  ]
  return admin
}

test('queue list shows account/ID, who, attempts, the next one, why it is on hold and the last result', async (t) => {
  const postern = await posternFor(t, installation())
  const { stdout, stderr } = await postern('queue', 'list')
  assert.deepEqual(
    stdout.split('\n').map((line) => line.split(/ {2,}/)),
    [
      ['ID', 'FROM', 'TO', 'ATTEMPTS', 'NEXT ATTEMPT', 'HOLD', 'LAST RESULT'],
      [
        `other/${second}`,
        'ann@shop.example',
        'eve@bücher.example',
        '0',
        '2026-06-01T00:00:00.000Z',
        'by an operator',
        '-',
      ],
      [
        `shop/${first}`,
        'ann@shop.example',
        'bob@remote.example',
        '1',
        '2026-06-01T00:01:00.000Z',
        '-',
        'remote said: 451 4.7.1 later',
      ],
      [''],
    ],
  )
  assert.equal(stderr, '')
})

test('queue retired list shows the last activity and the result', async (t) => {
  const postern = await posternFor(t, installation())
  const { stdout } = await postern('queue', 'retired', 'list', '--result', 'failure')
  const [heading, line] = stdout.split('\n')
  assert.match(heading ?? '', /LAST ACTIVITY +RESULT +LAST RESULT$/)
  assert.match(line ?? '', new RegExp(`^shop/${third} .* 2026-06-01T00:01:00.000Z +failure +no such user$`))
  assert.equal((await postern('queue', 'retired', 'list', '--result', 'success')).stdout, '(none)\n')
})

test('webhook list and webhook retired list show the event, the message, the URL and the last result', async (t) => {
  const postern = await posternFor(t, installation())
  const rows = (await postern('webhook', 'list', '--desc')).stdout.split('\n').slice(1, 3)
  assert.match(
    rows[0] ?? '',
    new RegExp(
      `^shop/${first} +delivered +shop/${rowIdAt(at, 7)} +https://shop.example/hook +1 +2026-06-01T00:01:00.000Z +- +the answer was 500$`,
    ),
  )
  assert.match(rows[1] ?? '', new RegExp(`^shop/${second} +incoming +- .* it kills +-$`))
  const retired = await postern('webhook', 'retired', 'list')
  assert.match(retired.stdout, new RegExp(`^shop/${third} .* failure +the answer was 500$`, 'm'))
})

const filters: readonly { args: readonly string[]; ids: readonly number[] }[] = [
  { args: ['queue', 'list', '--ids', `shop/${first},${second}`], ids: [second, first] },
  { args: ['queue', 'list', '--account', 'other'], ids: [second] },
  { args: ['queue', 'list', '--from', '@shop.example', '--to', 'eve'], ids: [second] },
  { args: ['queue', 'list', '--submitted', '<now'], ids: [] },
  { args: ['queue', 'list', '--next-attempt', '>30s'], ids: [first] },
  { args: ['queue', 'list', '--transport', 'relay'], ids: [second] },
  { args: ['queue', 'list', '--transport', ''], ids: [first] },
  { args: ['queue', 'list', '--hold', 'true'], ids: [second] },
  { args: ['queue', 'list', '--hold', 'false'], ids: [first] },
  { args: ['queue', 'list', '--sort', 'Queued', '--asc', 'true'], ids: [first, second] },
  { args: ['queue', 'list', '--sort', 'Queued', '--desc'], ids: [second, first] },
  { args: ['queue', 'list', '--asc', 'false'], ids: [first, second] },
  { args: ['queue', 'retired', 'list', '--last-activity', '>30s'], ids: [third] },
  { args: ['webhook', 'list', '--event', 'incoming'], ids: [second] },
  { args: ['webhook', 'retired', 'list', '--event', 'failed'], ids: [] },
  { args: ['webhook', 'retired', 'list', '--event', 'test'], ids: [fourth] },
]
for (const { args, ids } of filters) {
  test(`AT-28: postern ${args.slice(0, -1).join(' ')} ${JSON.stringify(args.at(-1))} --json`, async (t) => {
    const postern = await posternFor(t, installation())
    const { stdout, stderr } = await postern(...args, '--json')
    assert.equal(stderr, '')
    const rows = JSON.parse(stdout) as { ID: number }[]
    assert.deepEqual(
      rows.map(({ ID }) => ID),
      ids,
    )
  })
}

test('a list follows the pages of the API up to its limit, and says on stderr whether there is more', async (t) => {
  const admin = installation()
  admin.state.queued = Array.from({ length: 250 }, (_, place) =>
    queuedMessage({ id: rowIdAt(at, place + 1) }),
  )
  const postern = await posternFor(t, admin)
  const count = async (...args: string[]) => {
    const { stdout, stderr } = await postern('queue', 'list', ...args, '--json')
    const ids = (JSON.parse(stdout) as { ID: number }[]).map(({ ID }) => ID)
    assert.equal(new Set(ids).size, ids.length)
    return [ids.length, stderr]
  }
  assert.deepEqual(await count(), [100, 'there are more than these 100: see --limit\n'])
  assert.deepEqual(await count('--limit', '249'), [249, 'there are more than these 249: see --limit\n'])
  assert.deepEqual(await count('--limit', '250'), [250, ''])
  assert.deepEqual(await count('--limit', '100000'), [250, ''])
})

test('queue print shows everything, one attempt a line, and what was said', async (t) => {
  const postern = await posternFor(t, installation())
  const { stdout } = await postern('queue', 'print', `shop/${first}`)
  assert.equal(
    stdout,
    `Message:       shop/${first}
State:         waits
From:          ann@shop.example
To:            bob@remote.example
Subject:       Hello
Message-ID:    <m@shop.example>
Size:          1000 bytes
Queued:        2026-06-01T00:00:00.000Z
Next attempt:  2026-06-01T00:01:00.000Z
Attempts:      1
Transport:     by the routes
Require TLS:   default
Extra:         {"order":"7"}

START                     DURATION  CODE  SECODE  REMOTE                   TLS                                               RESULT
2026-06-01T00:00:00.000Z  0.25s     451   7.1     relay.example 192.0.2.1  TLSv1.3 TLS_AES_256_GCM_SHA384, verified by DANE  remote said: 451 4.7.1 later

The attempt of 2026-06-01T00:00:00.000Z:
  3 S: 220 relay.example
  9 C: QUIT [2J
`,
  )
})

test('queue print shows a hold, a chosen transport, the wish for TLS and the first message of its Send', async (t) => {
  const postern = await posternFor(t, installation())
  const { stdout } = await postern('queue', 'print', String(second))
  assert.match(stdout, /^State: +on hold: by an operator$/m)
  assert.match(stdout, /^Transport: +relay$/m)
  assert.match(stdout, /^Require TLS: +no$/m)
  assert.match(stdout, new RegExp(`^Sent with: +other/${first}$`, 'm'))
  assert.match(stdout, /\n\nno attempts yet\n$/)
})

test('webhook print shows everything, with the body and the last answer', async (t) => {
  const postern = await posternFor(t, installation())
  const { stdout } = await postern('webhook', 'print', `shop/${first}`)
  assert.match(stdout, /^Authorization: +is sent$/m)
  assert.doesNotMatch(stdout, /Bearer/)
  assert.match(stdout, /^Body: +\{"Event":"delivered"\}$/m)
  assert.match(stdout, /^2026-06-01T00:00:00.000Z {2}0\.25s {5}500 {3}the answer was 500$/m)
  assert.match(stdout, /\n\nThe answer at 2026-06-01T00:00:00.000Z:\n {2}oops \[2J\n$/)
})

for (const [group, path] of [
  ['queue', '/queue'],
  ['webhook', '/webhooks'],
] as const) {
  test(`${group} print --json prints what the API answered, of a finished row too`, async (t) => {
    const admin = installation()
    const postern = await posternFor(t, admin)
    for (const [id, args] of [
      [first, [group, 'print']],
      [third, [group, 'print']],
      [third, [group, 'retired', 'print']],
    ] as const) {
      const { stdout } = await postern(...args, `shop/${id}`, '--json')
      assert.deepEqual(JSON.parse(stdout), await admin.done('GET', `${path}/shop/${id}`))
    }
  })

  test(`${group} retired print refuses what is not finished`, async (t) => {
    const postern = await posternFor(t, installation())
    const { status, stderr } = await postern(group, 'retired', 'print', `shop/${first}`)
    const error = `error: shop/${first} is not finished: see postern ${group} print shop/${first}\n`
    assert.deepEqual([status, stderr], [1, error])
  })
}

test('AT-31: queue dump writes the content octet for octet', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-dump-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const admin = installation()
  const content = Buffer.from('Subject: \xe9\r\n\r\n\xff\x00x\r\n', 'latin1')
  admin.state.contents = { [`queue/${queuedMessage().base}`]: content }
  const postern = await posternFor(t, admin)
  const output = join(directory, 'message.eml')
  const written = await postern('queue', 'dump', `shop/${first}`, '--output', output)
  assert.deepEqual(written, { status: 0, stdout: '', stderr: '' })
  assert.deepEqual(readFileSync(output), content)

  admin.state.contents = { [`queue/${queuedMessage().base}`]: Buffer.from('Subject: x\r\n\r\ny\r\n') }
  assert.equal((await postern('queue', 'dump', `shop/${first}`)).stdout, 'Subject: x\r\n\r\ny\r\n')

  const nowhere = await postern('queue', 'dump', `shop/${first}`, '--output', join(directory, 'no', 'x'))
  assert.equal(nowhere.status, 1)
  assert.match(nowhere.stderr, /^error: cannot write .*: ENOENT.*\n$/)
})

const mistakes = [
  { args: ['queue', 'print', '9'], error: 'there is no 9' },
  { args: ['queue', 'print', 'shop/x'], error: '"shop/x" is no ID: write account/ID, as lists do' },
  { args: ['queue', 'dump', '../accounts'], error: '"../accounts" is no ID: write account/ID, as lists do' },
  { args: ['queue', 'dump', String(third)], error: `${third} is finished: its content is not kept` },
  { args: ['queue', 'list', '--account', 'nobody'], error: 'account: there is no account "nobody"' },
  {
    args: ['queue', 'list', '--account', ''],
    error: "option '--account <name>' argument '' is invalid. It is empty, which would be everything.",
  },
  {
    args: ['queue', 'list', '--limit', '0'],
    error: "option '--limit <count>' argument '0' is invalid. A limit is a whole number from 1.",
  },
  {
    args: ['queue', 'list', '--sort', 'Size'],
    error: "option '--sort <field>' argument 'Size' is invalid. Allowed choices are NextAttempt, Queued.",
  },
  {
    args: ['queue', 'list', '--asc', 'true', '--desc'],
    error: "option '--asc <flag>' cannot be used with option '--desc'",
  },
  {
    args: ['queue', 'list', '--submitted', '-1h'],
    error: 'Submitted: must be < or > and a time: now, a duration from now such as -1h30m, or RFC 3339',
  },
]
for (const { args, error } of mistakes) {
  test(`postern ${args.join(' ')} is refused in one line`, async (t) => {
    const postern = await posternFor(t, installation())
    assert.deepEqual(await postern(...args), { status: 1, stdout: '', stderr: `error: ${error}\n` })
  })
}
