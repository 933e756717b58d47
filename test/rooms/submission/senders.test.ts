import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { DAY } from '../../../shared/base/clock.ts'
import type { MailCommand } from '../../../shared/smtp/commands.ts'
import { arrange, HERE } from './arrange.ts'

const senders: readonly (readonly [address: string, code?: number, enhancedCode?: string])[] = [
  ['ann@shop.example'],
  ['ANN@shop.example'],
  ['ann+orders@shop.example'],
  ['ann--orders@shop.example'],
  ['anybody@many.example'],
  ['bob@shop.example', 550, '5.7.1'],
  ['nobody@shop.example', 550, '5.7.1'],
  ['ann@elsewhere.example', 550, '5.7.1'],
  ['ann@off.example', 451, '4.3.0'],
]
for (const [address, code, enhancedCode] of senders) {
  test(`MAIL FROM:<${address}> is ${code ?? 'the account’s'} (RFC 6409 §6.1)`, async () => {
    const { hooks, begin } = arrange()
    const refusal = await hooks.mailFrom(begin({ address: parseAddress(address) }), HERE)
    assert.deepEqual([refusal?.code, refusal?.enhancedCode], [code, enhancedCode])
  })
}

test('the null reverse-path is allowed, and stays', async () => {
  const { begin, hooks, rows, content } = arrange()
  const { address: _, ...mail } = begin().mail
  const open = begin({}, { mail, recipients: [{ address: parseAddress('bob@remote.test') }] })
  assert.equal(await hooks.mailFrom(open, HERE), undefined)
  assert.equal(
    await hooks.message(open, Buffer.from('From: ann@shop.example\r\n\r\nhello\r\n'), HERE),
    undefined,
  )
  assert.deepEqual([rows[0]?.mailFrom, rows[0]?.fromId], [undefined, ''])
  assert.match(content(), /^Authentication-Results: mail\.shop\.example; auth=pass\r$/m)
})

const NOW = Date.UTC(2026, 5, 1)
const parameters: readonly (readonly [
  rule: string,
  mail: Partial<MailCommand>,
  code?: number,
  enhanced?: string,
])[] = [
  ['SIZE of the largest message', { size: 104_857_600 }],
  ['SIZE over it', { size: 104_857_601 }, 552, '5.3.4'],
  ['REQUIRETLS without TLS (RFC 8689 §4.2)', { requireTls: true }, 523, '5.7.10'],
  ['AT-59: a release in 60 days', { futureRelease: { at: NOW + 60 * DAY, request: 'for;5184000' } }],
  ['AT-59: a release later', { futureRelease: { at: NOW + 60 * DAY + 1, request: 'x' } }, 554, '5.5.4'],
]
for (const [rule, mail, code, enhancedCode] of parameters) {
  test(`${rule} is ${code ?? 'accepted'}`, async () => {
    const { hooks, begin } = arrange()
    const refusal = await hooks.mailFrom(begin(mail), HERE)
    assert.deepEqual([refusal?.code, refusal?.enhancedCode], [code, enhancedCode])
  })
}

test('REQUIRETLS over TLS is accepted, and the message demands it', async () => {
  const { hooks, begin, rows } = arrange()
  const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
  const open = begin(
    { requireTls: true },
    { client: { ...begin().client, tls }, recipients: [{ address: parseAddress('b@remote.test') }] },
  )
  assert.equal(await hooks.mailFrom(open, HERE), undefined)
  const message = 'From: ann@shop.example\r\nTLS-Required: No\r\n\r\nhello\r\n'
  assert.equal(await hooks.message(open, Buffer.from(message), HERE), undefined)
  assert.equal(rows[0]?.requireTls, true)
})

test('AT-59: a release is when the message is due, and how it was asked for is kept', async () => {
  const { submit, rows, clock } = arrange()
  const at = clock.now() + DAY
  await submit({ mail: { futureRelease: { at, request: 'for;86400' } } })
  assert.deepEqual([rows[0]?.nextAt, rows[0]?.futureRelease], [at, 'for;86400'])
})

test('an account that was removed or disabled since its login sends nothing more', async () => {
  const disabled = { ...freshAccount, loginDisabled: 'unpaid\r\n250 ok' }
  const cases: readonly (readonly [Record<string, typeof freshAccount>, string])[] = [
    [{ shop: disabled }, 'login disabled: unpaid??250 ok'],
    [{}, 'the account was removed'],
  ]
  for (const [accounts, text] of cases) {
    const { hooks, begin } = arrange({ options: { accounts } })
    const expected = { code: 525, enhancedCode: '5.7.13', text }
    assert.deepEqual(await hooks.mailFrom(begin(), HERE), expected)
    assert.deepEqual(await hooks.message(begin(), Buffer.from(''), HERE), expected)
  }
})

test('a message has up to 1000 recipients, anybody anywhere', async () => {
  const { submit, rows } = arrange()
  const to = Array.from({ length: 1001 }, (_, place) => `r${place}@remote.test`)
  const refused = await submit({ to })
  assert.deepEqual(
    [refused?.stage, refused?.refusal.code, refused?.refusal.enhancedCode],
    ['rcpt', 452, '4.5.3'],
  )
  assert.equal(rows.length, 0)
  const accounts = { account: { maxFirstTimeRecipientsPerDay: 0 } }
  const unlimited = arrange(accounts)
  assert.equal(await unlimited.submit({ to: to.slice(1) }), undefined)
  assert.equal(unlimited.rows.length, 1000)
})
