import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { MINUTE, SECOND } from '../../shared/base/clock.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import type { WebhookCall } from '../../shared/webhook/webhook-call.ts'
import { storesOf, type TestPostern, testPostern } from '../support/test-postern.ts'
import { type WebhookReceiver, webhookReceiver } from '../support/webhook-receiver.ts'

// AT-73: what the status of an application's answer makes of a webhook call.

let postern: TestPostern
let application: WebhookReceiver
const ends: (() => unknown)[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  postern = await testPostern(context)
  application = await webhookReceiver(context, ({ json }) => Number(json.Subject))
  await postern.admin.patch('/accounts/postern', { OutgoingWebhook: { URL: `${application.url}/out` } })
  // A running function may work with options that are five seconds old.
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

for (const status of [200, 201, 202, 204, 206, 299]) {
  test(`AT-73: ${status} is success`, async () => {
    const { state, retired, results } = await answered(status)
    assert.deepEqual([state, retired?.success], ['done', true])
    assert.deepEqual(
      results.map(({ status: outcome, code, error }) => [outcome, code, error]),
      [['success', status, '']],
    )
  })
}

for (const status of [300, 301, 302, 303, 304, 307, 308]) {
  test(`AT-73: ${status} is a failure, is not followed, and is tried again at the same URL in a minute`, async () => {
    const { state, retired, url, nextAt, results } = await answered(status)
    assert.deepEqual([state, retired, url], ['waiting', undefined, `${application.url}/out`])
    const [result] = results
    assert.deepEqual(
      [results.length, result?.status, result?.code, result?.error],
      [1, 'temporary', status, `the receiver answered HTTP status ${status}`],
    )
    assert.ok(Math.abs(nextAt - (result?.startedAt ?? 0) - MINUTE) <= SECOND)
    assert.ok(application.calls.every(({ path }) => path === '/out'))
  })
}

/** Sends a message whose event is answered so, and reads the call once the answer is noted. */
async function answered(status: number): Promise<WebhookCall> {
  const request = { To: [{ Address: 'ann@other.test' }], Subject: String(status), Text: 'x' }
  const { status: sent, json } = await postern.call('Send', request)
  assert.equal(sent, 200, JSON.stringify(json))
  const made = await eventually('the call', () =>
    application.calls.find((call) => call.json.Subject === request.Subject),
  )
  const id = Number(made.headers['x-mox-webhook-id']) as RowId
  return await eventually('its outcome', async () => {
    const call = await storesOf(postern.table).calls.read('postern', id)
    return call && call.state !== 'attempting' ? call : undefined
  })
}
