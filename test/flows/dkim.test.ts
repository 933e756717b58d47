import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import type { DkimSelectorJson } from '../../shared/admin/dkim.ts'
import { testPostern } from '../support/test-postern.ts'

test('what an account sends is signed by the selectors of its domain, as another implementation finds', async (t) => {
  const postern = await testPostern(t)
  await postern.admin.put('/domains/signed.test', { LocalpartCatchallSeparators: ['+'] })
  await postern.admin.put('/addresses/me@signed.test', { Account: localSeed.account })
  const records = new Map<string, string>()
  for (const Algorithm of ['rsa-sha256', 'ed25519-sha256']) {
    const { Record } = await postern.admin.post<DkimSelectorJson>('/domains/signed.test/dkim', { Algorithm })
    records.set(Record.Name, Record.Text)
  }
  // Until running functions know the options.
  await postern.local.cloud.clock.advance(5_000)
  await postern.call('Send', {
    From: [{ Address: 'me@signed.test' }],
    To: [{ Address: 'you@far.test' }],
    Subject: 'signed  twice',
    Text: 'Grüße',
  })
  const [mail] = await eventually('the mail', async () => {
    const mails = await postern.admin.get<{ MsgID: number }[]>('/mail?account=postern')
    return mails.length > 0 && mails
  })
  const { cloud } = postern.local
  const raw = await fetch(`${cloud.apiUrl}/webapi/v0/MessageRawGet`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${localSeed.address}:${localSeed.password}`)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ MsgID: mail?.MsgID }),
  })

  const { results } = await dkimVerify(Buffer.from(await raw.arrayBuffer()), {
    strict: true,
    resolver: async (name: string) => [[records.get(name) ?? '']],
  })
  assert.deepEqual(
    results.map((each) => [each.status.result, each.signingDomain]),
    [
      ['pass', 'signed.test'],
      ['pass', 'signed.test'],
    ],
  )
})
