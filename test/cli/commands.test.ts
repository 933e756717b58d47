import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../shared/account/options.ts'
import { isPassword } from '../../shared/account/password.ts'
import { parseDomainName } from '../../shared/address/domain-name.ts'
import { storedMail } from '../rooms/admin/stored-mail.ts'
import { testAdmin } from '../support/admin-ports.ts'
import { posternFor } from './admin-server.ts'

const domain = parseDomainName('shop.example')
const domains = { [domain]: { separators: ['+'], disabled: false } }

test('domain: add, show, update, list, remove', async (t) => {
  const admin = testAdmin()
  const postern = await posternFor(t, admin)
  assert.equal((await postern('domain', 'add', 'bücher.example')).stdout, 'domain bücher.example added\n')
  assert.deepEqual(admin.state.options.domains, {
    'xn--bcher-kva.example': { separators: ['+'], disabled: false },
  })
  assert.equal(
    (await postern('domain', 'update', 'bücher.example', '--disabled', '--separator', '+', '-')).status,
    0,
  )
  assert.equal(
    (await postern('domain', 'show', 'bücher.example')).stdout,
    'Domain:      bücher.example\nASCII name:  xn--bcher-kva.example\nSeparators:  + -\nState:       disabled\n',
  )
  await postern('domain', 'update', 'bücher.example', '--enabled', '--no-separator')
  assert.equal(
    (await postern('domain', 'list')).stdout,
    'DOMAIN          SEPARATORS  STATE\nbücher.example  -           enabled\n',
  )
  assert.equal(
    (await postern('domain', 'remove', 'bücher.example')).stdout,
    'domain bücher.example removed\n',
  )
  assert.deepEqual(admin.state.options.domains, {})
})

test('domain add does not change a domain that exists', async (t) => {
  const disabled = { [domain]: { separators: [], disabled: true } }
  const admin = testAdmin({ domains: disabled })
  const postern = await posternFor(t, admin)
  assert.deepEqual(await postern('domain', 'add', 'shop.example'), {
    status: 1,
    stdout: '',
    stderr: 'error: domain shop.example exists already; change it with: postern domain update\n',
  })
  assert.deepEqual(admin.state.options.domains, disabled)
})

test('account: add, show, list, remove', async (t) => {
  const admin = testAdmin({ domains })
  const postern = await posternFor(t, admin)
  const added = await postern(
    ...['account', 'add', 'shop', '--address', 'ann@shop.example', '@shop.example'],
    ...['--password', 'correct horse', '--full-name', 'The Shop'],
  )
  assert.deepEqual(added, { status: 0, stdout: 'account shop added\n', stderr: '' })
  assert.equal(
    (await postern('account', 'show', 'shop')).stdout,
    [
      'Account:               shop',
      'Full name:             The Shop',
      'Addresses:             ann@shop.example @shop.example',
      'Password:              set',
      'Login:                 enabled',
      'Outgoing webhook:',
      'Incoming webhook:',
      'Unique senders for:',
      'Messages a day:        1000',
      'New recipients a day:  200',
      'Quota:                 without limit',
      'Keeps messages:        0',
      'Keeps webhooks:        0',
      '',
    ].join('\n'),
  )
  assert.equal(
    (await postern('account', 'list')).stdout,
    'NAME  FULL NAME  LOGIN\nshop  The Shop   enabled\n',
  )
  assert.equal((await postern('account', 'remove', 'shop')).stdout, 'account shop removed\n')
  assert.deepEqual(admin.state.options.removedAccounts, ['shop'])
})

test('account list --json prints what the API answered', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const postern = await posternFor(t, admin)
  assert.deepEqual(
    JSON.parse((await postern('account', 'list', '--json')).stdout),
    await admin.done('GET', '/accounts'),
  )
  assert.deepEqual(
    JSON.parse((await postern('--json', 'account', 'show', 'shop')).stdout),
    await admin.done('GET', '/accounts/shop'),
  )
})

test('account update changes what is named, and empty texts disable', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const postern = await posternFor(t, admin)
  const update = async (...args: string[]) => {
    const { status, stdout, stderr } = await postern('account', 'update', 'shop', ...args)
    assert.deepEqual([status, stdout.split('\n')[0], stderr], [0, 'account shop changed', ''])
  }
  await update(
    ...['--outgoing-webhook-url', 'https://a.example/', '--outgoing-webhook-authorization', 'Bearer x'],
    ...['--outgoing-webhook-events', 'delivered, failed', '--incoming-webhook-url', 'https://b.example/'],
    ...['--keep-retired-messages', '72h', '--keep-retired-webhooks', '1h30m', '--login-disabled', 'unpaid'],
  )
  const outgoingWebhook = {
    url: 'https://a.example/',
    authorization: 'Bearer x',
    events: ['delivered', 'failed'],
  }
  assert.deepEqual(admin.state.options.accounts.shop, {
    fullName: '',
    outgoingWebhook,
    incomingWebhook: { url: 'https://b.example/', authorization: '' },
    fromIdLoginAddresses: [],
    keepRetiredMessagesMs: 259_200_000,
    keepRetiredWebhooksMs: 5_400_000,
    loginDisabled: 'unpaid',
  })
  await update('--outgoing-webhook-events', '', '--incoming-webhook-url', '', '--login-disabled', '')
  const {
    outgoingWebhook: after,
    incomingWebhook,
    loginDisabled,
  } = admin.state.options.accounts.shop ?? freshAccount
  assert.deepEqual(after, { ...outgoingWebhook, events: [] })
  assert.equal(incomingWebhook, undefined)
  assert.equal(loginDisabled, '')
})

test('account update takes a webhook without scheme for https', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const postern = await posternFor(t, admin)
  const update = async (url: string) => {
    const { stderr } = await postern('account', 'update', 'shop', '--incoming-webhook-url', url)
    return [admin.state.options.accounts.shop?.incomingWebhook?.url, stderr]
  }
  assert.deepEqual(await update('hook.example/in'), ['https://hook.example/in', ''])
  assert.deepEqual(await update('hook.example:8443'), ['https://hook.example:8443', ''])
  assert.deepEqual(await update('http://hook.example/in'), ['http://hook.example/in', ''])
  const [url, error] = await update('hook.example:25')
  assert.equal(url, 'http://hook.example/in')
  assert.match(error ?? '', /IncomingWebhook\.URL: the port must be 80, 443 or at least 1024/)
})

test('account update lets a webhook be disabled after days of failures, and enables it', async (t) => {
  const webhook = { url: 'https://hook.example/', authorization: '' }
  const admin = testAdmin({
    accounts: {
      shop: { ...freshAccount, incomingWebhook: { ...webhook, disabledAt: Date.UTC(2026, 5, 1) } },
    },
  })
  const postern = await posternFor(t, admin)
  const shown = async () =>
    /Incoming webhook: +(.*)/.exec((await postern('account', 'show', 'shop')).stdout)?.[1]
  const update = async (...args: string[]) => {
    const { stderr } = await postern('account', 'update', 'shop', ...args)
    return stderr === '' ? await shown() : stderr
  }
  const disabled = 'https://hook.example/, disabled at 2026-06-01T00:00:00.000Z because it failed'
  assert.equal(await shown(), disabled)
  assert.equal(await update('--incoming-webhook-disable-after-days', '3'), disabled)
  const watched = 'https://hook.example/, disabled after 3 days of failures'
  assert.equal(await update('--incoming-webhook-enable'), watched)
  assert.equal(await update('--incoming-webhook-disable-after-days', 'never'), 'https://hook.example/')
  for (const days of ['0', '31', '1.5', 'soon']) {
    const refused = await update('--incoming-webhook-disable-after-days', days)
    assert.match(refused ?? '', /Days are a whole number from 1 to 30, or never\./)
  }
  assert.match((await update('--outgoing-webhook-enable')) ?? '', /OutgoingWebhook\.URL: is required/)
})

test('account update sets daily limits', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const postern = await posternFor(t, admin)
  const limits = ['--max-messages-per-day', '50', '--max-first-time-recipients-per-day', '0']
  assert.equal((await postern('account', 'update', 'shop', ...limits)).status, 0)
  const shop = admin.state.options.accounts.shop
  assert.deepEqual([shop?.maxOutgoingMessagesPerDay, shop?.maxFirstTimeRecipientsPerDay], [50, 0])
  const refused = await postern('account', 'update', 'shop', '--max-messages-per-day', '-1')
  assert.match(refused.stderr, /A number of messages is a whole number/)
})

test('account update with nothing to change says so', async (t) => {
  const postern = await posternFor(t, testAdmin({ accounts: { shop: freshAccount } }))
  const { status, stderr } = await postern('account', 'update', 'shop')
  assert.deepEqual(
    { status, stderr },
    { status: 1, stderr: 'error: nothing to change: see postern account update --help\n' },
  )
})

test('account password sets it, and shows it nowhere', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const postern = await posternFor(t, admin)
  const { stdout, stderr } = await postern('account', 'password', 'shop', '--password', 'correct horse')
  const stored = admin.state.passwords.get('shop')
  assert.ok(stored && (await isPassword('correct horse', stored)))
  assert.doesNotMatch(stdout + stderr, /horse/)
})

test('account password asks only at a terminal', async (t) => {
  const postern = await posternFor(t, testAdmin({ accounts: { shop: freshAccount } }))
  const { status, stderr } = await postern('account', 'password', 'shop')
  assert.deepEqual(
    { status, stderr },
    { status: 1, stderr: 'error: give --password, or set POSTERN_ACCOUNT_PASSWORD\n' },
  )
})

test('address: add, list, show, update, remove', async (t) => {
  const admin = testAdmin({ domains, accounts: { shop: freshAccount } })
  const postern = await posternFor(t, admin)
  const added = await postern('address', 'add', 'Ann/B@shop.example', 'shop')
  assert.equal(added.stdout, 'address ann/b@shop.example belongs to account shop\n')
  const list = 'ADDRESS             ACCOUNT\nann/b@shop.example  shop\n'
  assert.equal((await postern('address', 'list')).stdout, list)
  assert.equal((await postern('address', 'list', '--domain', 'shop.example')).stdout, list)
  const shown = await postern('address', 'show', 'ann/b@shop.example')
  assert.equal(shown.stdout, 'address ann/b@shop.example belongs to account shop\n')
  const moved = await postern('address', 'update', 'ann/b@shop.example', 'shop')
  assert.equal(moved.stdout, 'address ann/b@shop.example belongs to account shop now\n')
  assert.equal((await postern('address', 'remove', 'ann/b@shop.example')).status, 0)
  assert.deepEqual(admin.state.entries, [])
})

test('what strangers wrote reaches the terminal without control characters', async (t) => {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const mail = storedMail()
  admin.state.mails = [{ ...mail, fields: { ...mail.fields, subject: 'a\u001b[31mb\u009b1mc\u202ed' } }]
  const postern = await posternFor(t, admin)
  const { stdout } = await postern('mail', 'list', '--account', 'shop', '--limit', '1')
  assert.match(stdout, new RegExp(`^shop/${mail.id}  Inbox .* ann@shop\\.example  a \\[31mb 1mc d$`, 'm'))
})
