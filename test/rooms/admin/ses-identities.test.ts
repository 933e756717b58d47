import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { type TestAdmin, testAdmin } from '../../support/admin-ports.ts'

const shop = parseDomainName('shop.example')
const enabled = { separators: ['+'], disabled: false }
const known = {
  Verified: false,
  DKIM: 'PENDING',
  MailFrom: { Domain: 'ses-mail.shop.example', Status: 'PENDING' },
  Records: [
    ...['one', 'two', 'three'].map((token) => ({
      Name: `${token}._domainkey.shop.example`,
      Type: 'CNAME',
      Data: `${token}.dkim.amazonses.com.`,
    })),
    { Name: 'ses-mail.shop.example', Type: 'MX', Data: '10 feedback-smtp.eu-west-1.amazonses.com.' },
    { Name: 'ses-mail.shop.example', Type: 'TXT', Data: 'v=spf1 include:amazonses.com ~all' },
  ],
}

test('a domain that is added gets an identity in SES, and the answer says what to publish', async () => {
  const admin = testAdmin()
  assert.deepEqual(sesOf(await admin.done('PUT', '/domains/shop.example', {})), known)
  assert.deepEqual([...admin.state.ses.domains], [shop])
})

test('the identity is seen to again, and shown, on request', async () => {
  const admin = testAdmin({ domains: { [shop]: enabled } })
  for (const _ of ['once', 'twice'])
    assert.deepEqual(await admin.done('POST', '/domains/shop.example/ses'), known)
  assert.deepEqual([...admin.state.ses.domains], [shop])
})

test('a domain that SES refuses is there all the same, and the answer says why', async () => {
  const admin = failing()
  const answer = await admin.done('PUT', '/domains/shop.example', {})
  assert.deepEqual(sesOf(answer), { Problem: 'TimeoutError: no answer' })
  assert.deepEqual(Object.keys(admin.state.options.domains), [shop])
  assert.equal(admin.state.errors.length, 1)
})

test('a domain goes with its identity', async () => {
  const admin = testAdmin()
  await admin.done('PUT', '/domains/shop.example', {})
  assert.deepEqual(await admin.done('DELETE', '/domains/shop.example'), { SES: null })
  assert.equal(admin.state.ses.domains.size, 0)
})

test('a domain is removed although its identity could not be, and the answer says why', async () => {
  const admin = failing({ domains: { [shop]: enabled } })
  assert.deepEqual(sesOf(await admin.done('DELETE', '/domains/shop.example')), {
    Problem: 'TimeoutError: no answer',
  })
  assert.deepEqual(admin.state.options.domains, {})
})

for (const name of ['localhost', 'shop.localhost']) {
  test(`${name} has no identity (RFC 6761 §6.3)`, async () => {
    const admin = testAdmin()
    assert.equal(sesOf(await admin.done('PUT', `/domains/${name}`, {})), null)
    assert.equal(admin.state.ses.domains.size, 0)
    const { status, json } = await admin.call('POST', `/domains/${name}/ses`)
    assert.equal(status, 400)
    assert.match((json as { Message: string }).Message, /^Domain: must be known beyond this machine/)
  })
}

test('only domains that were added have an identity', async () => {
  const { status } = await testAdmin().call('POST', '/domains/shop.example/ses')
  assert.equal(status, 404)
})

function failing(options: Parameters<typeof testAdmin>[0] = {}): TestAdmin {
  const admin = testAdmin(options)
  admin.state.ses.failing = Object.assign(new Error('no answer'), { name: 'TimeoutError' })
  return admin
}

function sesOf(answer: unknown): unknown {
  return (answer as { SES: unknown }).SES
}
