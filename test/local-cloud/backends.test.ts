import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openBackends } from '../../infra/local/gateway/backends.ts'
import { givePrincipals } from '../../infra/local/gateway/principals.ts'

const directory = mkdtempSync(join(tmpdir(), 'backends-'))
after(() => rmSync(directory, { recursive: true }))

async function open(environment: Readonly<Record<string, string>>) {
  const backends = await openBackends({
    directory,
    deployment: { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' },
    principals: givePrincipals([]),
    gatewayEndpoint: () => 'http://127.0.0.1:1',
    now: () => 0,
    environment,
    onLog: () => {},
  })
  await backends.close()
  const kinds = Object.entries(backends.byService).map(([service, backend]) => [
    service,
    backend.kind === 'proxy' ? backend.origin : 'ours',
  ])
  return { where: Object.fromEntries(kinds), dynamoEndpoint: backends.dynamoEndpoint }
}

const everywhere = 'http://127.0.0.1:4566'
const elsewhere = 'http://127.0.0.1:8000'

const endpoints: readonly (readonly [rule: string, environment: Readonly<Record<string, string>>, object])[] =
  [
    [
      'AWS_ENDPOINT_URL sends DynamoDB, SQS and S3 there; secrets and SES stay here',
      { AWS_ENDPOINT_URL: everywhere },
      { dynamodb: everywhere, sqs: everywhere, s3: everywhere, secretsmanager: 'ours', ses: 'ours' },
    ],
    [
      'AWS_ENDPOINT_URL_DYNAMODB sends only DynamoDB there',
      { AWS_ENDPOINT_URL_DYNAMODB: elsewhere },
      { dynamodb: elsewhere, sqs: 'ours', s3: 'ours', secretsmanager: 'ours', ses: 'ours' },
    ],
    [
      "a service's own variable wins",
      { AWS_ENDPOINT_URL: everywhere, AWS_ENDPOINT_URL_DYNAMODB: elsewhere },
      { dynamodb: elsewhere, sqs: everywhere, s3: everywhere, secretsmanager: 'ours', ses: 'ours' },
    ],
  ]

for (const [rule, environment, expected] of endpoints) {
  test(`backends: ${rule}`, async () => {
    const { where, dynamoEndpoint } = await open(environment)
    assert.deepEqual(where, expected)
    assert.equal(dynamoEndpoint, undefined)
  })
}

test('backends: where no engine comes with the platform, the error says what to set', async () => {
  const original = process.platform
  Object.defineProperty(process, 'platform', { value: 'sunos' })
  try {
    await assert.rejects(
      open({}),
      /No DynamoDB engine is installed for sunos-\w+: set AWS_ENDPOINT_URL_DYNAMODB to /,
    )
  } finally {
    Object.defineProperty(process, 'platform', { value: original })
  }
})
