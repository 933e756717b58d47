import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freshAccount } from '../../shared/account/options.ts'
import { type TestAdmin, testAdmin } from '../support/admin-ports.ts'
import { posternFor, type RunPostern } from './admin-server.ts'

const MADE = '2026-06-01T00:00:00.000Z'
const TOMORROW = '2026-06-02T00:00:00.000Z'
const CALLS = 'outgoing webhook calls of account shop are'

interface Shop {
  readonly admin: TestAdmin
  readonly postern: RunPostern
  /** The secret that signs outgoing calls now. */
  newest(): string
}

async function shop(context: TestContext): Promise<Shop> {
  const admin = testAdmin({ accounts: { shop: freshAccount } })
  const newest = () => admin.state.signingSecrets.get('shop/outgoing')?.secret ?? assert.fail('no secret')
  return { admin, postern: await posternFor(context, admin), newest }
}

test('webhook-secret makes a secret where there is none, and shows it once with how to verify', async (t) => {
  const { postern, newest } = await shop(t)
  const made = await postern('account', 'webhook-secret', 'shop', 'outgoing')
  const [secret, state, hint] = made.stdout.split('\n')
  assert.deepEqual([made.status, secret], [0, newest()])
  assert.equal(state, `${CALLS} signed with the secret of ${MADE}`)
  assert.match(hint ?? '', /verify\(body, headers\)/)
  const again = await postern('account', 'webhook-secret', 'shop', 'outgoing')
  assert.equal(again.stdout, `${state}\nThe secret was shown when it was made; --rotate makes a new one.\n`)
})

test('webhook-secret --rotate keeps the secret before it, --end-previous ends that', async (t) => {
  const { admin, postern, newest } = await shop(t)
  await postern('account', 'webhook-secret', 'shop', 'outgoing')
  const first = newest()
  const rotated = await postern('account', 'webhook-secret', 'shop', 'outgoing', '--rotate')
  const [secret, state] = rotated.stdout.split('\n')
  assert.equal(secret, newest())
  assert.notEqual(secret, first)
  assert.equal(
    state,
    `${CALLS} signed with the secret of ${MADE}, and with the one before it until ${TOMORROW}`,
  )
  const ended = await postern('account', 'webhook-secret', 'shop', 'outgoing', '--end-previous')
  assert.equal(ended.stdout, `${CALLS} signed with the secret of ${MADE}\n`)
  assert.equal(admin.state.signingSecrets.get('shop/outgoing')?.previous, undefined)
})

test('webhook-secret --end-previous says where nothing is signed', async (t) => {
  const { postern } = await shop(t)
  const ended = await postern('account', 'webhook-secret', 'shop', 'outgoing', '--end-previous')
  assert.equal(ended.stdout, `${CALLS} not signed\n`)
})

for (const args of [['both'], ['outgoing', '--rotate', '--end-previous']]) {
  test(`webhook-secret refuses ${args.join(' ')}`, async (t) => {
    const { admin, postern } = await shop(t)
    const { status, stderr } = await postern('account', 'webhook-secret', 'shop', ...args)
    assert.notEqual(status, 0)
    assert.match(stderr, /Allowed choices are outgoing, incoming|cannot be used with option '--end-previous'/)
    assert.equal(admin.state.signingSecrets.size, 0)
  })
}

test('account update shows the secrets of webhooks that are new, once', async (t) => {
  const { admin, postern, newest } = await shop(t)
  const update = ['account', 'update', 'shop', '--outgoing-webhook-url', 'https://a.example/']
  const [changed, outgoing, hint] = (await postern(...update)).stdout.split('\n')
  assert.equal(changed, 'account shop changed')
  assert.equal(outgoing, `outgoing webhook calls are signed with ${newest()}`)
  assert.match(hint ?? '', /not shown again/)
  assert.equal((await postern(...update)).stdout, 'account shop changed\n')

  const json = await postern(...update, '--incoming-webhook-url', 'https://b.example/', '--json')
  const incoming = admin.state.signingSecrets.get('shop/incoming')?.secret
  assert.deepEqual(JSON.parse(json.stdout).NewWebhookSecrets, { Incoming: incoming })
})
