import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../infra/local/gateway/json-service.ts'
import type { Call } from '../../infra/local/iam/call.ts'
import { readCalls } from '../../infra/local/iam/read-calls.ts'
import { readObject } from '../../infra/local/iam/s3-calls.ts'

const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:Demo-Password-AbCdEf'

const inventory = {
  deployment: { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' },
  tables: new Map([['T', { partitionKey: 'pk', indexes: new Map([['due', 'kind']]) }]]),
  secrets: [{ name: 'Demo-Password', arn: secretArn }],
}

function callsOf(service: string, operation: string, input: Readonly<Record<string, unknown>>) {
  return readCalls({ accessKeyId: 'K', service, operation, method: 'POST', url: '/', input }, inventory)
}

const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/T'
const key = (pk: string) => ({ pk: { S: pk }, sk: { S: '-' } })

function onTable(action: string, ...leadingKeys: readonly string[]): Call {
  return { action: `dynamodb:${action}`, resource: table, leadingKeys }
}

type Input = Readonly<Record<string, unknown>>

const equals = (names: Input, KeyConditionExpression: string, more: Input = {}) => ({
  TableName: 'T',
  KeyConditionExpression,
  ExpressionAttributeNames: names,
  ExpressionAttributeValues: { ':p': { S: 'M#1' }, ':s': { S: 'x' } },
  ...more,
})

const dynamo: readonly (readonly [rule: string, operation: string, input: Input, calls: readonly Call[]])[] =
  [
    ['GetItem', 'GetItem', { TableName: 'T', Key: key('CFG') }, [onTable('GetItem', 'CFG')]],
    ['PutItem', 'PutItem', { TableName: 'T', Item: { ...key('M#1'), a: {} } }, [onTable('PutItem', 'M#1')]],
    ['UpdateItem', 'UpdateItem', { TableName: 'T', Key: key('M#1') }, [onTable('UpdateItem', 'M#1')]],
    ['DeleteItem', 'DeleteItem', { TableName: 'T', Key: key('M#1') }, [onTable('DeleteItem', 'M#1')]],
    ['a number as key', 'GetItem', { TableName: 'T', Key: { pk: { N: '7' } } }, [onTable('GetItem', '7')]],
    ['a table by its ARN', 'GetItem', { TableName: table, Key: key('CFG') }, [onTable('GetItem', 'CFG')]],
    [
      'BatchGetItem: all keys',
      'BatchGetItem',
      { RequestItems: { T: { Keys: [key('M#1'), key('CFG'), key('CFG')] } } },
      [onTable('BatchGetItem', 'M#1', 'CFG')],
    ],
    [
      'BatchWriteItem: puts and deletes',
      'BatchWriteItem',
      { RequestItems: { T: [{ PutRequest: { Item: key('M#1') } }, { DeleteRequest: { Key: key('B#2') } }] } },
      [onTable('BatchWriteItem', 'M#1', 'B#2')],
    ],
    [
      'TransactWriteItems: each part its own action and key',
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 'T', Item: key('M#1') } },
          { Update: { TableName: 'T', Key: key('B#1') } },
          { Delete: { TableName: 'T', Key: key('H#1') } },
          { ConditionCheck: { TableName: 'T', Key: key('CFG') } },
        ],
      },
      [
        onTable('PutItem', 'M#1'),
        onTable('UpdateItem', 'B#1'),
        onTable('DeleteItem', 'H#1'),
        onTable('ConditionCheckItem', 'CFG'),
      ],
    ],
    [
      'TransactGetItems: GetItem',
      'TransactGetItems',
      { TransactItems: [{ Get: { TableName: 'T', Key: key('CFG') } }] },
      [onTable('GetItem', 'CFG')],
    ],
    ['Query by name', 'Query', equals({}, 'pk = :p AND begins_with(sk, :s)'), [onTable('Query', 'M#1')]],
    ['Query by placeholder', 'Query', equals({ '#p': 'pk' }, '#p=:p'), [onTable('Query', 'M#1')]],
    [
      'Query in parentheses',
      'Query',
      equals({ '#s': 'sk' }, '(#s >= :s) and (pk = :p)'),
      [onTable('Query', 'M#1')],
    ],
    [
      'Query: the sort key does not count',
      'Query',
      equals({}, 'sk = :s AND pk = :p'),
      [onTable('Query', 'M#1')],
    ],
    [
      "Query of an index: the index's own partition key",
      'Query',
      equals({}, 'kind = :p AND pk = :s', { IndexName: 'due' }),
      [{ action: 'dynamodb:Query', resource: `${table}/index/due`, leadingKeys: ['M#1'] }],
    ],
    ['Scan names no key', 'Scan', { TableName: 'T' }, [{ action: 'dynamodb:Scan', resource: table }]],
    [
      'Scan of an index',
      'Scan',
      { TableName: 'T', IndexName: 'due' },
      [{ action: 'dynamodb:Scan', resource: `${table}/index/due` }],
    ],
    [
      'DescribeTable',
      'DescribeTable',
      { TableName: 'T' },
      [{ action: 'dynamodb:DescribeTable', resource: table }],
    ],
  ]

for (const [rule, operation, input, calls] of dynamo) {
  test(`IAM: permissions of a DynamoDB request: ${rule}`, () => {
    assert.deepEqual(callsOf('dynamodb', operation, input), calls)
  })
}

test('IAM: a Query whose partition key cannot be read is refused, not let through', () => {
  const query = { TableName: 'T', KeyConditions: { pk: { ComparisonOperator: 'EQ' } } }
  assert.throws(
    () => callsOf('dynamodb', 'Query', query),
    (error: unknown) => error instanceof ServiceError && error.code === 'ValidationException',
  )
})

const QueueUrl = 'http://127.0.0.1:1/000000000000/Demo-Jobs.fifo'
const queue = 'arn:aws:sqs:us-east-1:000000000000:Demo-Jobs.fifo'

const named: readonly (readonly [service: string, operation: string, input: Input, Call])[] = [
  ['sqs', 'SendMessage', { QueueUrl }, { action: 'sqs:SendMessage', resource: queue }],
  ['sqs', 'SendMessageBatch', { QueueUrl }, { action: 'sqs:SendMessage', resource: queue }],
  ['sqs', 'DeleteMessageBatch', { QueueUrl }, { action: 'sqs:DeleteMessage', resource: queue }],
  [
    'sqs',
    'ChangeMessageVisibilityBatch',
    { QueueUrl },
    { action: 'sqs:ChangeMessageVisibility', resource: queue },
  ],
  ['sqs', 'ReceiveMessage', { QueueUrl }, { action: 'sqs:ReceiveMessage', resource: queue }],
  ['sqs', 'GetQueueUrl', { QueueName: 'Demo-Jobs.fifo' }, { action: 'sqs:GetQueueUrl', resource: queue }],
  ...['Demo-Password', secretArn, secretArn.slice(0, -7)].map(
    (SecretId) =>
      [
        'secretsmanager',
        'GetSecretValue',
        { SecretId },
        { action: 'secretsmanager:GetSecretValue', resource: secretArn },
      ] as const,
  ),
]

for (const [service, operation, input, call] of named) {
  test(`IAM: permissions of ${operation} ${Object.values(input)}`, () => {
    assert.deepEqual(callsOf(service, operation, input), [call])
  })
}

const ses = 'arn:aws:ses:us-east-1:000000000000'
const identity = `${ses}:identity/shop.example`
const configurationSet = `${ses}:configuration-set/events`
const itAndSet = { EmailIdentity: 'shop.example', ConfigurationSetName: 'events' }

const sesCalls: readonly (readonly [operation: string, input: Input, calls: readonly Call[]])[] = [
  ['GetAccount', {}, [{ action: 'ses:GetAccount', resource: '*' }]],
  [
    'SendEmail',
    { FromEmailAddress: 'Ann <ann@shop.example>', ConfigurationSetName: 'events', Content: { Raw: {} } },
    ['ses:SendEmail', 'ses:SendRawEmail'].flatMap((action) =>
      [identity, configurationSet].map((resource) => ({ action, resource })),
    ),
  ],
  [
    'CreateEmailIdentity',
    itAndSet,
    [identity, configurationSet].map((resource) => ({ action: 'ses:CreateEmailIdentity', resource })),
  ],
  [
    'GetEmailIdentity',
    { EmailIdentity: 'shop.example' },
    [{ action: 'ses:GetEmailIdentity', resource: identity }],
  ],
]

for (const [operation, input, calls] of sesCalls) {
  test(`IAM: permissions of ${operation} of SES`, () => {
    assert.deepEqual(callsOf('ses', operation, input), calls)
  })
}

const unknown: readonly (readonly [service: string, operation: string])[] = [
  ['dynamodb', 'CreateTable'],
  ['dynamodb', 'ExecuteStatement'],
  ['dynamodb', 'BatchExecuteStatement'],
  ['sqs', 'CreateQueue'],
  ['secretsmanager', 'DeleteSecret'],
  ['events', 'PutEvents'],
  ['ses', 'PutAccountSendingAttributes'],
]

for (const [service, operation] of unknown) {
  test(`IAM: no role may call ${service}:${operation}`, () => {
    assert.equal(callsOf(service, operation, {}), undefined)
  })
}

function s3(method: string, url: string, copySource?: string) {
  return { accessKeyId: 'K', service: 's3', operation: undefined, method, url, input: undefined, copySource }
}

const s3Calls: readonly (readonly [request: string, ...calls: readonly (readonly [string, string])[]])[] = [
  ['GET /b/mail/1?x-id=GetObject', ['GetObject', 'b/mail/1']],
  ['HEAD /b/mail/1', ['GetObject', 'b/mail/1']],
  ['GET /b/k?response-content-type=text/plain', ['GetObject', 'b/k']],
  ['PUT /b/a%20b%2F..%2Fc', ['PutObject', 'b/a b/../c']],
  ['PUT /b//k', ['PutObject', 'b//k']],
  [
    'PUT /b/k?X-Amz-Signature=0&X-Amz-Copy-Source=%2Fb%2Fother',
    ['PutObject', 'b/k'],
    ['GetObject', 'b/other'],
  ],
  ['DELETE /b/k', ['DeleteObject', 'b/k']],
  ['GET /b?list-type=2&prefix=mail/', ['ListBucket', 'b']],
  ['GET /b/', ['ListBucket', 'b']],
  ['HEAD /b', ['ListBucket', 'b']],
  ['POST /b?delete=', ['DeleteObject', 'b/*']],
  ['POST /b/k?uploads=', ['PutObject', 'b/k']],
  ['PUT /b/k?partNumber=1&uploadId=u', ['PutObject', 'b/k']],
  ['POST /b/k?uploadId=u', ['PutObject', 'b/k']],
  ['GET /b/k?uploadId=u', ['ListMultipartUploadParts', 'b/k']],
  ['DELETE /b/k?uploadId=u', ['AbortMultipartUpload', 'b/k']],
]

for (const [request, ...calls] of s3Calls) {
  test(`IAM: permissions of the S3 request ${request}`, () => {
    const [method = '', url = ''] = request.split(' ')
    const expected = calls.map(([action, path]) => ({
      action: `s3:${action}`,
      resource: `arn:aws:s3:::${path}`,
    }))
    assert.deepEqual(readCalls(s3(method, url), inventory), expected)
  })
}

test('IAM: copying an object needs GetObject of the source, named by header', () => {
  assert.deepEqual(readCalls(s3('PUT', '/b/k', 'from/a%2Fb?versionId=1'), inventory), [
    { action: 's3:PutObject', resource: 'arn:aws:s3:::b/k' },
    { action: 's3:GetObject', resource: 'arn:aws:s3:::from/a/b' },
  ])
})

test('IAM: listing the buckets is an action without resource', () => {
  assert.deepEqual(readCalls(s3('GET', '/'), inventory), [{ action: 's3:ListAllMyBuckets', resource: '*' }])
})

for (const request of [
  'PUT /b',
  'DELETE /b',
  'PUT /b?lifecycle',
  'GET /b/k?acl',
  'GET /b/k?tagging',
  'POST /b/k',
]) {
  test(`IAM: no role may call the S3 operation ${request}`, () => {
    const [method = '', url = ''] = request.split(' ')
    assert.equal(readCalls(s3(method, url), inventory), undefined)
  })
}

test('IAM: only GET and HEAD of an object read it', () => {
  const reads = ['GET /b/k', 'HEAD /b/k', 'PUT /b/k', 'GET /b', 'GET /b/k?uploadId=u'].map((request) => {
    const [method = '', url = ''] = request.split(' ')
    return readObject(s3(method, url))?.key
  })
  assert.deepEqual(reads, ['k', 'k', undefined, undefined, undefined])
})
