import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webhookJson } from '../../../shared/webhook/webhook-json.ts'

test('what HTML could take for its own is escaped, as Go’s encoder does', () => {
  assert.equal(webhookJson({ a: '<b>&\u2028\u2029"' }), '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029\\""}')
})
