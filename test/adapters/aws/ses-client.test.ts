import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { lazySes } from '../../../shared/adapters/aws/lazy-ses.ts'
import type { SesAnswer } from '../../../shared/ses/ses-client.ts'

let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {}
const asked: { readonly method: string; readonly path: string; readonly body: string }[] = []
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  asked.push({ method: request.method ?? '', path: request.url ?? '', body })
  answer(request, response)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
after(() => {
  server.closeAllConnections()
  server.close()
})
const { port } = server.address() as AddressInfo
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL_SESV2: `http://127.0.0.1:${port}`,
})
const client = lazySes('postern')

const email = {
  from: 'ann@shop.example',
  to: 'bob@remote.example',
  content: Buffer.from('Subject: hi\r\n\r\nhi\r\n'),
  tags: { account: 'shop', id: '1', attempt: '1' },
}

function json(status: number, body: object, error?: string) {
  return (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(error && { 'x-amzn-errortype': error }),
    })
    response.end(JSON.stringify(body))
  }
}

test('the client of SES: a call has one recipient, the raw message, the tags and the configuration set', async () => {
  asked.length = 0
  answer = json(200, { MessageId: 'm-1' })
  assert.deepEqual(await client.send(email), { kind: 'taken', messageId: 'm-1' })
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
    FromEmailAddress: 'ann@shop.example',
    Destination: { ToAddresses: ['bob@remote.example'] },
    Content: { Raw: { Data: Buffer.from(email.content).toString('base64') } },
    ConfigurationSetName: 'postern',
    EmailTags: [
      { Name: 'account', Value: 'shop' },
      { Name: 'id', Value: '1' },
      { Name: 'attempt', Value: '1' },
    ],
  })
})

const answers: readonly (readonly [rule: string, given: typeof answer, expected: SesAnswer])[] = [
  [
    'a refusal has its name and words',
    json(400, { message: 'Email address is not verified.' }, 'MessageRejected'),
    { kind: 'refused', status: 400, name: 'MessageRejected', message: 'Email address is not verified.' },
  ],
  [
    'throttling is not repeated here',
    json(429, { message: 'Maximum sending rate exceeded.' }, 'TooManyRequestsException'),
    {
      kind: 'refused',
      status: 429,
      name: 'TooManyRequestsException',
      message: 'Maximum sending rate exceeded.',
    },
  ],
  [
    'nor is a fault',
    json(500, { message: 'oops' }, 'InternalServiceErrorException'),
    { kind: 'refused', status: 500, name: 'InternalServiceErrorException', message: 'oops' },
  ],
  [
    'of a call that breaks off nobody knows how it ended',
    (request) => request.socket.destroy(),
    { kind: 'unknown', error: 'ECONNRESET' },
  ],
]

for (const [rule, given, expected] of answers) {
  test(`the client of SES: ${rule}`, async () => {
    asked.length = 0
    answer = given
    assert.deepEqual(await client.send(email), expected)
    assert.equal(asked.length, 1)
  })
}

test('the client of SES: an answer that cannot be read may mean that SES has it', async () => {
  answer = (_, response) => response.end('{"MessageId')
  assert.equal((await client.send(email)).kind, 'unknown')
})

test('the client of SES: where nobody listens, nothing was sent', async () => {
  process.env.AWS_ENDPOINT_URL_SESV2 = 'http://127.0.0.1:1'
  const elsewhere = lazySes('postern')
  assert.deepEqual(await elsewhere.send(email), { kind: 'unreached', error: 'ECONNREFUSED' })
})

test('the client of SES: what the account is granted', async () => {
  const SendQuota = { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 7 }
  answer = json(200, { SendingEnabled: true, SendQuota })
  assert.deepEqual(await client.quota(), {
    ...{ maySend: true, maxSendRate: 14, max24HourSend: 50_000, sentLast24Hours: 7 },
  })
})
