import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { arrange } from './arrange.ts'

test('AT-60: messages over the daily limit are refused with 451 4.7.1, all of the submission or none', async () => {
  const { submit, rows } = arrange({ account: { maxOutgoingMessagesPerDay: 3 } })
  assert.equal(await submit({ to: ['a@x.test', 'b@x.test'] }), undefined)
  const refused = await submit({ to: ['a@x.test', 'b@x.test'] })
  assert.deepEqual([refused?.refusal.code, refused?.refusal.enhancedCode], [451, '4.7.1'])
  assert.match(refused?.refusal.text ?? '', /3 messages within 24 hours/)
  assert.equal(rows.length, 2)
  assert.equal(await submit({ to: ['a@x.test'] }), undefined)
})

test('AT-60: so are recipients that the account never sent to before', async () => {
  const { submit } = arrange({ account: { maxFirstTimeRecipientsPerDay: 1 } })
  assert.equal(await submit({ to: ['a@x.test'] }), undefined)
  const refused = await submit({ to: ['b@x.test'] })
  assert.deepEqual([refused?.refusal.code, refused?.refusal.enhancedCode], [451, '4.7.1'])
  assert.match(refused?.refusal.text ?? '', /never sent to before/)
  assert.equal(await submit({ to: ['a@x.test'] }), undefined)
})

test('what is refused for another reason does not count', async () => {
  const account = { maxOutgoingMessagesPerDay: 2, fromIdLoginAddresses: ['ann@shop.example'] }
  const { submit } = arrange({ account })
  assert.equal(await submit({ from: 'ann+once@shop.example' }), undefined)
  for (let tries = 0; tries < 3; tries++) {
    assert.equal((await submit({ from: 'ann+once@shop.example' }))?.refusal.enhancedCode, '5.1.7')
  }
  assert.equal(await submit({ from: 'ann+twice@shop.example' }), undefined)
})

test('DSN parameters are kept with each recipient, and nothing where nothing was asked (RFC 3461)', async () => {
  const { submit, rows } = arrange()
  await submit({
    to: [
      { address: parseAddress('a@x.test'), notify: [], originalRecipient: 'rfc822;A@x.test' },
      { address: parseAddress('b@x.test'), notify: ['SUCCESS', 'DELAY'] },
    ],
    mail: { envelopeId: 'env 1', return: 'HDRS' },
  })
  await submit()
  assert.deepEqual(
    rows.map(({ dsn }) => dsn),
    [
      { envelopeId: 'env 1', return: 'HDRS', notify: [], originalRecipient: 'rfc822;A@x.test' },
      { envelopeId: 'env 1', return: 'HDRS', notify: ['SUCCESS', 'DELAY'] },
      undefined,
    ],
  )
})

test('a message over the size limit is refused with 552 5.3.4', async () => {
  const { submit, rows } = arrange()
  const message = Buffer.alloc(104_857_600, 'x')
  message.write('From: ann@shop.example\r\n\r\n')
  const refused = await submit({ message })
  assert.deepEqual([refused?.refusal.code, refused?.refusal.enhancedCode], [552, '5.3.4'])
  assert.equal(rows.length, 0)
})
