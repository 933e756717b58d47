import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshAccount } from '../../../shared/account/options.ts'
import { testAdmin } from '../../support/admin-ports.ts'

const URL_RULE =
  'must be an http or https URL of at most 2048 characters without user name, fragment, spaces or control characters'
const outgoingWebhook = { url: 'https://shop.example/hook', authorization: '', events: [] }
const accounts = { shop: { ...freshAccount, outgoingWebhook } }

for (const { path = 'shop/webhook-tests/outgoing', body = {}, status = 400, message } of [
  { body: { URL: 'shop.example' }, message: `URL: ${URL_RULE}` },
  { body: { URL: 'ftp://shop.example/' }, message: `URL: ${URL_RULE}` },
  { body: { URL: 'http://shop.example:25/' }, message: 'URL: the port must be 80, 443 or at least 1024' },
  { body: { URL: 7 }, message: 'URL: must be a text' },
  {
    body: { Authorization: 'a\r\nb' },
    message: 'Authorization: must be at most 2048 characters of printable ASCII',
  },
  { body: { Payload: [] }, message: 'Payload: must be a JSON object' },
  { body: { Payload: 'x' }, message: 'Payload: must be a JSON object' },
  {
    body: { Payload: { Text: 'x'.repeat(65_536) } },
    message: 'Payload: must be at most 65536 bytes of JSON',
  },
  { body: { Url: 'https://shop.example/' }, message: 'Url: unknown field' },
  {
    path: 'shop/webhook-tests/incoming',
    message: 'URL: is required: the account has no incoming webhook',
  },
  {
    path: 'shop/webhook-tests/sideways',
    status: 404,
    message: 'there are outgoing and incoming webhooks, but no "sideways"',
  },
  { path: 'nobody/webhook-tests/outgoing', status: 404, message: 'there is no account "nobody"' },
]) {
  test(`AT-62: POST ${path} ${JSON.stringify(body).slice(0, 60)} is ${status}, and calls nobody`, async () => {
    const admin = testAdmin({ accounts })
    const refused = await admin.call('POST', `/accounts/${path}`, body)
    assert.equal(refused.status, status)
    assert.deepEqual(refused.json, { Code: status === 404 ? 'notFound' : 'user', Message: message })
  })
}

const EVENTS = 'delivered, suppressed, delayed, failed, relayed, expanded, canceled, unrecognized'
const saved = {
  URL: 'https://shop.example/hook',
  AuthorizationSet: false,
  DisableAfterDays: null,
  DisabledAt: null,
  Events: [],
  KeepEveryEvent: false,
}

for (const { what, change, message, stored = saved } of [
  {
    what: 'valid events are saved',
    change: { Events: ['delivered', 'failed'] },
    stored: { ...saved, Events: ['delivered', 'failed'] },
  },
  { what: 'no events are saved, which means all', change: { Events: [] } },
  {
    what: 'a bogus event is refused by its place',
    change: { Events: ['delivered', 'bogus'] },
    message: `OutgoingWebhook.Events[1]: must be one of ${EVENTS}`,
  },
  {
    what: 'an invalid URL is refused by its rule',
    change: { URL: 'bogus' },
    message: `OutgoingWebhook.URL: ${URL_RULE}`,
  },
  { what: 'null disables the webhook', change: null, stored: null },
]) {
  test(`AT-62: when a webhook is saved, ${what}`, async () => {
    const admin = testAdmin({ accounts })
    const { status, json } = await admin.call('PATCH', '/accounts/shop', { OutgoingWebhook: change })
    if (message === undefined) assert.equal(status, 200)
    else assert.deepEqual([status, json], [400, { Code: 'user', Message: message }])
    const { OutgoingWebhook } = (await admin.done('GET', '/accounts/shop')) as { OutgoingWebhook: unknown }
    assert.deepEqual(OutgoingWebhook, stored)
  })
}
