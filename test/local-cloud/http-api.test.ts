import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { findFreePort } from '../../infra/local/free-port.ts'
import { serveHttpApi } from '../../infra/local/programs/http-api.ts'
import { findRoute } from '../../infra/local/programs/http-routes.ts'
import { FunctionError } from '../../infra/local/programs/lambda-protocol.ts'

const routes = ['GET /pets/{id}', 'ANY /pets/{id}', 'GET /pets/dog', 'ANY /pets/{proxy+}', '$default'].map(
  (routeKey) => ({ routeKey, functionLogicalId: 'F' }),
)

const matches: readonly (readonly [method: string, path: string, routeKey: string, parameters: object])[] = [
  ['GET', '/pets/dog', 'GET /pets/dog', {}],
  ['GET', '/pets/cat', 'GET /pets/{id}', { id: 'cat' }],
  ['PUT', '/pets/cat', 'ANY /pets/{id}', { id: 'cat' }],
  ['GET', '/pets/dog/1', 'ANY /pets/{proxy+}', { proxy: 'dog/1' }],
  ['GET', '/pets/', '$default', {}],
  ['GET', '/', '$default', {}],
]

for (const [method, path, routeKey, parameters] of matches) {
  test(`HTTP API: ${method} ${path} goes to the most specific route, ${routeKey}`, () => {
    const match = findRoute(routes.toReversed(), method, path)
    assert.equal(match?.route.routeKey, routeKey)
    assert.deepEqual(match?.pathParameters, parameters)
  })
}

type Invoke = (event: APIGatewayProxyEventV2) => Promise<unknown>

/** Serves one route with `invoke` as its function; answers the URL. */
async function serve(invoke: Invoke): Promise<string> {
  const port = await findFreePort('127.0.0.1')
  const api = {
    apiId: 'api1',
    stage: '$default',
    routes: [{ routeKey: 'ANY /api/{proxy+}', functionLogicalId: 'F' }],
  }
  const served = await serveHttpApi({
    api,
    accountId: '000000000000',
    port,
    addresses: ['127.0.0.1'],
    now: () => Date.UTC(2020, 2, 12, 19, 3, 58),
    invoke: (_, event) => invoke(event as APIGatewayProxyEventV2),
    onLog: () => {},
  })
  after(() => served.close())
  return `http://127.0.0.1:${port}`
}

test('HTTP API: the event has the form of payload version 2.0', async () => {
  let event: APIGatewayProxyEventV2 | undefined
  const url = await serve(async (given) => {
    event = given
  })
  const headers = {
    cookie: 'a=1; b=2',
    'X-Tag': 'one',
    'content-type': 'application/json',
    'user-agent': 'me',
  }
  await fetch(`${url}/api/v%201/x?q=a%20b&q=c`, { method: 'POST', headers, body: '{}' })
  const { requestContext, headers: given, ...rest } = event ?? assert.fail('not invoked')
  const { requestId, domainName, domainPrefix, ...context } = requestContext
  assert.deepEqual(rest, {
    version: '2.0',
    routeKey: 'ANY /api/{proxy+}',
    rawPath: '/api/v 1/x',
    rawQueryString: 'q=a%20b&q=c',
    cookies: ['a=1', 'b=2'],
    queryStringParameters: { q: 'a b,c' },
    body: '{}',
    pathParameters: { proxy: 'v 1/x' },
    isBase64Encoded: false,
  })
  assert.deepEqual(context, {
    accountId: '000000000000',
    apiId: 'api1',
    http: {
      method: 'POST',
      path: '/api/v 1/x',
      protocol: 'HTTP/1.1',
      sourceIp: '127.0.0.1',
      userAgent: 'me',
    },
    routeKey: 'ANY /api/{proxy+}',
    stage: '$default',
    time: '12/Mar/2020:19:03:58 +0000',
    timeEpoch: 1584039838000,
  })
  assert.equal(given['x-tag'], 'one')
  assert.equal(given.cookie, undefined)
})

const bodies: readonly (readonly [contentType: string, isBase64Encoded: boolean])[] = [
  ['text/plain; charset=utf-8', false],
  ['application/json', false],
  ['application/problem+json', false],
  ['image/svg+xml', false],
  ['application/x-www-form-urlencoded', true],
  ['multipart/form-data; boundary=x', true],
  ['application/octet-stream', true],
]

for (const [contentType, isBase64Encoded] of bodies) {
  test(`HTTP API: a body of type ${contentType} is ${isBase64Encoded ? 'base64' : 'text'}`, async () => {
    const url = await serve(async ({ body, isBase64Encoded: encoded }) => ({ body, encoded }))
    const answer = await fetch(`${url}/api/x`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body: 'é',
    })
    const body = isBase64Encoded ? Buffer.from('é').toString('base64') : 'é'
    assert.deepEqual(await answer.json(), { body, encoded: isBase64Encoded })
  })
}

test('HTTP API: a structured answer sets status, headers, cookies and a binary body', async () => {
  const url = await serve(async () => ({
    statusCode: 201,
    headers: { 'X-Count': 3, 'Content-Type': 'image/png', 'Content-Length': '999' },
    cookies: ['a=1; Path=/', 'b=2'],
    body: Buffer.from([0, 255, 1]).toString('base64'),
    isBase64Encoded: true,
  }))
  const answer = await fetch(`${url}/api/x`)
  assert.equal(answer.status, 201)
  assert.equal(answer.headers.get('x-count'), '3')
  assert.deepEqual(answer.headers.getSetCookie(), ['a=1; Path=/', 'b=2'])
  assert.deepEqual([...(await answer.bytes())], [0, 255, 1])
})

const failures: readonly (readonly [
  rule: string,
  path: string,
  invoke: Invoke,
  status: number,
  message: string,
])[] = [
  ['no route is 404', '/other', async () => '', 404, 'Not Found'],
  [
    'a failed function is 500',
    '/api/x',
    () => Promise.reject(functionError('Error')),
    500,
    'Internal Server Error',
  ],
  ['a malformed answer is 500', '/api/x', async () => ({ statusCode: 'ok' }), 500, 'Internal Server Error'],
  [
    'an event beyond the payload quota is 413',
    '/api/x',
    () => Promise.reject(functionError('RequestEntityTooLargeException')),
    413,
    'Request Entity Too Large',
  ],
]

for (const [rule, path, invoke, status, message] of failures) {
  test(`HTTP API: ${rule}`, async () => {
    const answer = await fetch((await serve(invoke)) + path)
    assert.equal(answer.status, status)
    assert.deepEqual(await answer.json(), { message })
  })
}

test('HTTP API: a body over 10 MB is 413 and reaches no function', async () => {
  const url = await serve(() => assert.fail('invoked'))
  const answer = await fetch(`${url}/api/x`, { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) })
  assert.equal(answer.status, 413)
  assert.deepEqual(await answer.json(), { message: 'Request Entity Too Large' })
})

test('HTTP API: a function that takes 30 seconds is 503', async (t: TestContext) => {
  const url = await serve(() => {
    // Only from here on, so that the request itself comes in by the real clock.
    t.mock.timers.enable({ apis: ['setTimeout'] })
    setImmediate(() => t.mock.timers.tick(30_000))
    return new Promise(() => {})
  })
  const answer = await fetch(`${url}/api/x`)
  assert.equal(answer.status, 503)
  assert.deepEqual(await answer.json(), { message: 'Service Unavailable' })
})

function functionError(errorType: string): FunctionError {
  return new FunctionError({ errorType, errorMessage: 'no', trace: [] })
}
