import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Grant } from '../../infra/local/iam/access.ts'
import { nameOf } from '../../infra/local/template/resource.ts'
import { integrationRun } from '../support/integration-run.ts'
import { type RoleAction, runWithout, unevaluated } from '../support/role-actions.ts'

test('IAM: every grant of every role is used, by one run of everything that the product does', async () => {
  const { grants, exercised } = await integrationRun()
  const used = new Set(exercised.map(textOf))
  const evaluated = grants.filter(({ role }) => !Object.hasOwn(unevaluated, nameOf(role)))
  assert.deepEqual(
    evaluated.map(textOf).filter((grant) => !used.has(grant)),
    [],
  )
})

/** One of each kind; `npm run permissions` takes every action from every role. */
const removals: readonly (RoleAction & { readonly rule: string })[] = [
  { rule: 'a function that writes rows', role: 'ApiWebapiRole', action: 'dynamodb:PutItem' },
  { rule: 'the poller of a queue', role: 'WorkersWebhookRole', action: 'sqs:DeleteMessage' },
  { rule: 'a function that reads objects', role: 'WorkersDeliverRole', action: 's3:GetObject' },
  { rule: 'the listener', role: 'MailListenerTaskTaskRole', action: 'dynamodb:PutItem' },
  { rule: 'a login over SMTP', role: 'MailListenerTaskTaskRole', action: 'dynamodb:Query' },
]

for (const { rule, ...permission } of removals) {
  test(`IAM: ${rule} fails without ${permission.action}, which the log names`, async () => {
    const { outcome, text } = await runWithout(permission)
    assert.equal(outcome, 'noticed', text)
  })
}

function textOf({ role, action, resource, leadingKey = '' }: Grant): string {
  return `${nameOf(role)} ${action} ${resource} ${leadingKey}`.trim()
}
