import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { type Backend, openGateway } from '../../infra/local/gateway/gateway.ts'
import { ServiceError } from '../../infra/local/gateway/json-service.ts'
import { givePrincipals } from '../../infra/local/gateway/principals.ts'

const principals = givePrincipals(['ReaderRole'])

async function open(backends: Readonly<Record<string, Backend>>): Promise<string> {
  const gateway = await openGateway({ backends, principals, onLog: () => {} })
  after(() => gateway.close())
  return gateway.endpoint
}

function signed(service: string, accessKeyId = 'ASIALOCALREADERROLE'): string {
  return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`
}

function jsonBackend(call: (operation: string, input: object) => Promise<Record<string, unknown>>): Backend {
  return { kind: 'json', service: { call, close: () => {} }, contentType: 'application/x-amz-json-1.0' }
}

test('gateway: a JSON service gets operation and input, its output goes back as JSON', async () => {
  const url = await open({ sqs: jsonBackend(async (operation, input) => ({ operation, input })) })
  const headers = { authorization: signed('sqs'), 'x-amz-target': 'AmazonSQS.ListQueues' }
  const answer = await fetch(url, { method: 'POST', headers, body: '{"MaxResults":1}' })
  assert.deepEqual(await answer.json(), { operation: 'ListQueues', input: { MaxResults: 1 } })
  assert.equal(answer.headers.get('content-type'), 'application/x-amz-json-1.0')
  assert.match(answer.headers.get('x-amzn-requestid') ?? '', /^[-0-9a-f]{36}$/)
})

interface Refusal {
  readonly rule: string
  readonly headers: Readonly<Record<string, string>>
  readonly status: number
  readonly body: RegExp
}

const failing = async () => {
  throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.')
}

const refusals: readonly Refusal[] = [
  {
    rule: 'a refusal of a JSON service has type and message',
    headers: { authorization: signed('sqs'), 'x-amz-target': 'AmazonSQS.GetQueueUrl' },
    status: 400,
    body: /^\{"__type":"QueueDoesNotExist","message":"The specified queue does not exist\."\}$/,
  },
  {
    rule: 'a bug in a stand-in is InternalServerError without its text',
    headers: { authorization: signed('secretsmanager'), 'x-amz-target': 'secretsmanager.ListSecrets' },
    status: 500,
    body: /^\{"__type":"InternalServerError","message":"The local cloud failed; its log says why\."\}$/,
  },
  {
    rule: 'an access key that no role has is refused',
    headers: { authorization: signed('sqs', 'AKIAELSEWHERE'), 'x-amz-target': 'AmazonSQS.GetQueueUrl' },
    status: 400,
    body: /UnrecognizedClientException/,
  },
  {
    rule: 'an access key that no role has is refused as S3 does',
    headers: { authorization: signed('s3', 'AKIAELSEWHERE') },
    status: 403,
    body: /<Code>InvalidAccessKeyId<\/Code>/,
  },
  {
    rule: 'an unsigned request is refused',
    headers: {},
    status: 403,
    body: /<Code>AccessDenied<\/Code>/,
  },
  {
    rule: 'a service that is not there is refused by name',
    headers: { authorization: signed('sns'), 'x-amz-target': 'SNS.Publish' },
    status: 404,
    body: /has no service sns/,
  },
  {
    rule: 'a body that is not JSON is refused',
    headers: { authorization: signed('sqs'), 'x-amz-target': 'AmazonSQS.GetQueueUrl', 'x-body': 'no' },
    status: 400,
    body: /SerializationException/,
  },
]

for (const { rule, headers, status, body } of refusals) {
  test(`gateway: ${rule}`, async () => {
    const url = await open({
      sqs: jsonBackend(failing),
      s3: { kind: 'http', handle: async (_, response) => void response.end() },
      secretsmanager: jsonBackend(() => Promise.reject(new Error('a secret detail'))),
    })
    const answer = await fetch(url, { method: 'POST', headers, body: headers['x-body'] ?? '{}' })
    assert.equal(answer.status, status)
    assert.match(await answer.text(), body)
  })
}

test('gateway: a presigned URL names its service by X-Amz-Credential', async () => {
  const s3: Backend = { kind: 'http', handle: async (request, response) => void response.end(request.url) }
  const url = await open({ s3 })
  const scope = encodeURIComponent('ASIALOCALREADERROLE/20260101/us-east-1/s3/aws4_request')
  const path = `/bucket/a%20key?X-Amz-Credential=${scope}`
  const answer = await fetch(url + path)
  assert.equal(await answer.text(), path)
})

test('gateway: a proxied request keeps method, path, Host header and body', async () => {
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request
    response.writeHead(418, { 'x-seen': `${method} ${url} ${headers.host}` })
    response.end(Buffer.concat(await request.toArray()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = await open({ s3: { kind: 'proxy', origin }, dynamodb: { kind: 'proxy', origin } })
  for (const service of ['s3', 'dynamodb']) {
    const headers = { authorization: signed(service) }
    const answer = await fetch(`${url}/b//key%2F?x`, { method: 'PUT', headers, body: '{"a":1}' })
    assert.equal(answer.status, 418)
    assert.equal(answer.headers.get('x-seen'), `PUT /b//key%2F?x ${new URL(url).host}`)
    assert.equal(await answer.text(), '{"a":1}')
  }
})

test('gateway: an engine that is gone is InternalServerError, which SDKs try again', async () => {
  const url = await open({ dynamodb: { kind: 'proxy', origin: 'http://127.0.0.1:9' } })
  const headers = { authorization: signed('dynamodb'), 'x-amz-target': 'DynamoDB_20120810.GetItem' }
  const answer = await fetch(url, { method: 'POST', headers, body: '{}' })
  assert.equal(answer.status, 500)
  assert.match(await answer.text(), /"__type":"InternalServerError"/)
})
