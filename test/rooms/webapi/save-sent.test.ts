import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import type { Arrival } from '../../../shared/mailbox/mailbox-store.ts'
import type { CallContext } from '../../../shared/webapi/call-context.ts'
import { saveSent } from '../../../shared/webapi/save-sent.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const MESSAGE = Buffer.from('From: shop@mail.example\r\nTo: ann@remote.example\r\n\r\nHello\r\n')
const BCC = [{ name: 'Bob', address: parseAddress('bob@remote.example') }]

test('the copy is seen, is no junk, and names the blind recipients before all else', async () => {
  const { call, arrivals, contents } = arrange()
  await saveSent(call, { bytes: MESSAGE, bcc: BCC, smtputf8: false })
  const [arrival] = arrivals
  assert.equal(arrival?.mail.mailbox, 'Sent')
  assert.deepEqual(arrival.mail.flags, ['$notjunk', '\\seen'])
  assert.deepEqual(arrival.mail.fields.bcc, [{ name: 'Bob', address: 'bob@remote.example' }])
  assert.equal(contents[0], `Bcc: Bob <bob@remote.example>\r\n${MESSAGE}`)
})

test('without blind recipients the copy is the message as composed', async () => {
  const { call, contents } = arrange()
  await saveSent(call, { bytes: MESSAGE, bcc: [], smtputf8: false })
  assert.deepEqual(contents, [String(MESSAGE)])
})

test('a copy that cannot be saved is logged and not the caller’s trouble: the message is on its way (Q28)', async () => {
  const full = new Error('no room')
  const { call, errors } = arrange({ append: () => Promise.reject(full) })
  await saveSent(call, { bytes: MESSAGE, bcc: [], smtputf8: false })
  assert.deepEqual(errors, [full])
})

test('AT-72: what exceeds the quota is not kept, and the caller is told', async () => {
  const usedOctets = async () => 900
  for (const [quotaOctets, isKept] of [
    [900 + MESSAGE.length, true],
    [900 + MESSAGE.length - 1, false],
  ] as const) {
    const { call, contents } = arrange({ usedOctets }, { quotaOctets })
    assert.equal(await saveSent(call, { bytes: MESSAGE, bcc: [], smtputf8: false }), isKept)
    assert.equal(contents.length, isKept ? 1 : 0)
  }
})

function arrange(mailboxes: object = {}, account: object = {}) {
  const arrivals: Arrival[] = []
  const contents: string[] = []
  const errors: unknown[] = []
  const ports = {
    content: { create: async (_name: string, bytes: Uint8Array) => contents.push(String(bytes)) > 0 },
    mailboxes: {
      append: async (arrived: readonly Arrival[]) => void arrivals.push(...arrived),
      ...mailboxes,
    },
    clock: fakeClock(),
    random: seededRandom(),
    log: { error: (_event: string, error: unknown) => void errors.push(error) },
  }
  const call = { ports, login: { name: 'shop', account } } as unknown as CallContext
  return { call, arrivals, contents, errors }
}
