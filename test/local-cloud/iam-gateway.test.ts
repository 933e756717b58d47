import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type Backend, type Gateway, openGateway } from '../../infra/local/gateway/gateway.ts'
import { givePrincipals } from '../../infra/local/gateway/principals.ts'
import { openAccess } from '../../infra/local/iam/access.ts'
import { identify } from '../../infra/local/template/identities.ts'
import { nameTemplate, openTemplate } from '../../infra/local/template/template.ts'

const deployment = { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' }

function role(...Statement: readonly object[]) {
  const Policies = [{ PolicyName: 'own', PolicyDocument: { Statement } }]
  return { Type: 'AWS::IAM::Role', Properties: { Policies } }
}

const resources = {
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: { KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] },
  },
  Nobody: role(),
  Reader: role({ Effect: 'Allow', Action: ['s3:GetObject', 'dynamodb:GetItem'], Resource: '*' }),
  Lister: role({ Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket'], Resource: '*' }),
  Owner: role({ Effect: 'Allow', Action: '*', Resource: '*' }),
}

const principals = givePrincipals(['Nobody', 'Reader', 'Lister', 'Owner'])
let gateway: Gateway

/** An S3 without objects, and services that answer nothing. */
before(async () => {
  const json: Backend = {
    kind: 'json',
    service: { call: async () => ({}), close: () => {} },
    contentType: 'application/x-amz-json-1.0',
  }
  const s3: Backend = {
    kind: 'http',
    handle: async (_, response) => void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>'),
  }
  const backends = { dynamodb: json, sqs: json, secretsmanager: json, s3 }
  gateway = await openGateway({ backends, principals, onLog: () => {} })
  const addresses = { gateway: gateway.endpoint, api: 'http://127.0.0.1:1' }
  const document = openTemplate(JSON.stringify({ Resources: resources }), deployment)
  const template = nameTemplate(document, identify(document.resources, deployment, addresses))
  principals.restrict(openAccess(template, async ({ key }) => key === 'there'))
})
after(() => gateway.close())

function configOf(name: string) {
  const credentials = name === 'root' ? principals.root : principals.credentialsOf(name)
  return { endpoint: gateway.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 }
}

const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/Demo-Table'
const getItem = new GetItemCommand({ TableName: 'Demo-Table', Key: { pk: { S: 'a' } } })
const putItem = new PutItemCommand({ TableName: 'Demo-Table', Item: { pk: { S: 'a' } } })
const putObject = (Key: string) => new PutObjectCommand({ Bucket: 'b', Key, Body: 'x' })
const getObject = (Key: string) => new GetObjectCommand({ Bucket: 'b', Key })

interface Denial {
  readonly rule: string
  readonly call: () => Promise<unknown>
  readonly name: string
  readonly status: number
  readonly message: string
}

const user = (name: string) => `User: arn:aws:sts::000000000000:assumed-role/Demo-${name}/local`

const denials: readonly Denial[] = [
  {
    rule: 'DynamoDB',
    call: () => new DynamoDBClient(configOf('Nobody')).send(putItem),
    name: 'AccessDeniedException',
    status: 400,
    message: `${user('Nobody')} is not authorized to perform: dynamodb:PutItem on resource: ${table} because no identity-based policy allows the dynamodb:PutItem action`,
  },
  {
    rule: 'SQS',
    call: () =>
      new SQSClient({ ...configOf('Nobody'), useQueueUrlAsEndpoint: false }).send(
        new SendMessageCommand({ QueueUrl: 'http://127.0.0.1/000000000000/Jobs', MessageBody: 'x' }),
      ),
    name: 'AccessDenied',
    status: 403,
    message: `${user('Nobody')} is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:Jobs because no identity-based policy allows the sqs:sendmessage action`,
  },
  {
    rule: 'Secrets Manager',
    call: () =>
      new SecretsManagerClient(configOf('Nobody')).send(new GetSecretValueCommand({ SecretId: 'Password' })),
    name: 'AccessDeniedException',
    status: 400,
    message: `${user('Nobody')} is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:000000000000:secret:Password because no identity-based policy allows the secretsmanager:GetSecretValue action`,
  },
  {
    rule: 'S3, with a key that XML has to escape',
    call: () => new S3Client(configOf('Nobody')).send(putObject('a&<b>')),
    name: 'AccessDenied',
    status: 403,
    message: `${user('Nobody')} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/a&<b>" because no identity-based policy allows the s3:PutObject action`,
  },
  {
    rule: 'a missing key, when the role may not list the bucket',
    call: () => new S3Client(configOf('Reader')).send(getObject('gone')),
    name: 'AccessDenied',
    status: 403,
    message: `${user('Reader')} is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::b" because no identity-based policy allows the s3:ListBucket action`,
  },
  {
    rule: 'an operation that only the operator may call, whatever is granted',
    call: () => new SQSClient(configOf('Owner')).send(new CreateQueueCommand({ QueueName: 'Jobs' })),
    name: 'AccessDenied',
    status: 403,
    message: `${user('Owner')} is not authorized to perform: sqs:CreateQueue: the local cloud lets no role do that`,
  },
]

for (const { rule, call, name, status, message } of denials) {
  test(`IAM: the SDK gets AWS's refusal: ${rule}`, async () => {
    const error = await call().catch((reason: unknown) => reason)
    assert.ok(error instanceof Error && '$metadata' in error)
    const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number }
    assert.deepEqual([error.name, httpStatusCode, error.message], [name, status, message])
  })
}

test('IAM: DynamoDB writes Message in upper case', async () => {
  const { accessKeyId } = principals.credentialsOf('Nobody')
  const answer = await fetch(gateway.endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/dynamodb/aws4_request`,
      'x-amz-target': 'DynamoDB_20120810.GetItem',
    },
    body: '{"TableName":"Demo-Table","Key":{"pk":{"S":"a"}}}',
  })
  assert.match(
    await answer.text(),
    /^\{"__type":"com\.amazon\.coral\.service#AccessDeniedException","Message":"User:/,
  )
})

test('IAM: a HEAD that is denied is 403, without a text', async () => {
  const head = new HeadObjectCommand({ Bucket: 'b', Key: 'there' })
  const error = await new S3Client(configOf('Nobody')).send(head).catch((reason: unknown) => reason)
  assert.ok(error instanceof S3ServiceException)
  assert.deepEqual([error.$metadata.httpStatusCode, error.message], [403, 'UnknownError'])
})

test('IAM: what a policy allows passes', async () => {
  await new DynamoDBClient(configOf('Reader')).send(getItem)
})

test('IAM: a missing key is NoSuchKey to a role that may list the bucket', async () => {
  await assert.rejects(new S3Client(configOf('Lister')).send(getObject('gone')), { name: 'NoSuchKey' })
})

test('IAM: without s3:ListBucket, an object that exists is still answered by S3', async () => {
  await assert.rejects(new S3Client(configOf('Reader')).send(getObject('there')), { name: 'NoSuchKey' })
})

test('IAM: the operator may do everything', async () => {
  await new SQSClient(configOf('root')).send(new CreateQueueCommand({ QueueName: 'Jobs' }))
  await new DynamoDBClient(configOf('root')).send(putItem)
})
