import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseDomainName } from '../../shared/address/domain-name.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { posternFor } from './admin-server.ts'

const domains = { [parseDomainName('shop.example')]: { separators: ['+'], disabled: false } }
const problem = Object.assign(new Error('no\x1b[2J answer'), { name: 'TimeoutError' })

async function ready(t: TestContext, options: Parameters<typeof testAdmin>[0], failing?: Error) {
  const admin = testAdmin(options)
  if (failing) admin.state.ses.failing = failing
  return await posternFor(t, admin)
}

test('domain ses: the state, and the records as a zone file has them', async (t) => {
  const postern = await ready(t, { domains })
  const { status, stdout } = await postern('domain', 'ses', 'shop.example')
  assert.equal(status, 0)
  assert.deepEqual(stdout.split('\n').slice(0, 9), [
    'Verified:   no: SES sends nothing from this domain before it has found the CNAME records',
    'DKIM:       pending',
    'MAIL FROM:  ses-mail.shop.example pending',
    '',
    'one._domainkey.shop.example. CNAME one.dkim.amazonses.com.',
    'two._domainkey.shop.example. CNAME two.dkim.amazonses.com.',
    'three._domainkey.shop.example. CNAME three.dkim.amazonses.com.',
    'ses-mail.shop.example. MX 10 feedback-smtp.eu-west-1.amazonses.com.',
    'ses-mail.shop.example. TXT "v=spf1 include:amazonses.com ~all"',
  ])
})

test('domain ses --json prints what the API answered', async (t) => {
  const postern = await ready(t, { domains })
  const { stdout } = await postern('domain', 'ses', 'shop.example', '--json')
  const { Verified, Records } = JSON.parse(stdout)
  assert.deepEqual([Verified, Records.length], [false, 5])
})

test('domain ses fails with what SES said', async (t) => {
  const postern = await ready(t, { domains }, problem)
  assert.deepEqual(await postern('domain', 'ses', 'shop.example'), {
    status: 1,
    stdout: '',
    stderr: 'error: SES: TimeoutError: no [2J answer\n',
  })
})

test('domain add: the domain is there, and how to go on where SES did not answer', async (t) => {
  const postern = await ready(t, {}, problem)
  assert.deepEqual(await postern('domain', 'add', 'shop.example'), {
    status: 0,
    stdout:
      'domain shop.example added\nSES does not know it yet: TimeoutError: no [2J answer\n' +
      'repeat with: postern domain ses shop.example\n',
    stderr: '',
  })
})

test('domain remove: the domain is gone, and SES knows it where it did not answer', async (t) => {
  const postern = await ready(t, { domains }, problem)
  const { status, stdout } = await postern('domain', 'remove', 'shop.example')
  assert.equal(status, 0)
  assert.match(stdout, /^domain shop\.example removed\nSES knows it still, remove it there: TimeoutError/)
})
