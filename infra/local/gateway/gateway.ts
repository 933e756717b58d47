import { randomUUID } from 'node:crypto'
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { errorDocument } from '../s3/xml.ts'
import { readSesCall } from '../ses/operations.ts'
import { askBackend, type JsonAnswer } from './ask-backend.ts'
import { authorize } from './authorize.ts'
import type { Faults } from './faults.ts'
import { type JsonObject, type JsonService, ServiceError } from './json-service.ts'
import type { Principals } from './principals.ts'
import { readCredentialScope, type SignedRequest } from './signed-request.ts'

/** What answers for a service: one of our stand-ins, or something that speaks the service's protocol elsewhere. */
export type Backend =
  | { readonly kind: 'json'; readonly service: JsonService; readonly contentType: string }
  | { readonly kind: 'http'; handle(request: IncomingMessage, response: ServerResponse): Promise<void> }
  | { readonly kind: 'proxy'; readonly origin: string }

/** The one HTTP port that stands for all AWS services. */
export interface Gateway {
  readonly endpoint: string
  close(): Promise<void>
}

/** Opens the gateway on a free port of 127.0.0.1; `backends` are named as services are in a credential scope. */
export async function openGateway(options: {
  readonly backends: Readonly<Record<string, Backend>>
  readonly principals: Principals
  readonly faults?: Faults | undefined
  /** The time of all answers, the machine's when left out: an SDK whose own differs takes its clock to be wrong. */
  readonly now?: () => number
  readonly onLog: (line: string) => void
}): Promise<Gateway> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer((request, response) => {
    if (options.now) response.setHeader('date', new Date(options.now()).toUTCString())
    answer(request, response, { ...options, agent }).catch((error: unknown) => {
      // Whoever called has gone, by its own timeout or end.
      if (request.socket.destroyed) return
      options.onLog(
        `[gateway] ${request.method} ${request.url}: ${error instanceof Error ? error.stack : error}`,
      )
      if (response.headersSent) response.destroy()
      else refuse(response, readCredentialScope(request)?.service, internalError())
    })
  })
  // Longer than any client keeps an idle connection, else it would write into one that we just closed.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

interface Routing {
  readonly backends: Readonly<Record<string, Backend>>
  readonly principals: Principals
  readonly faults?: Faults | undefined
  readonly agent: Agent
}

async function answer(request: IncomingMessage, response: ServerResponse, routing: Routing): Promise<void> {
  const scope = readCredentialScope(request)
  if (!scope) {
    const unsigned = new ServiceError('AccessDenied', 'The request is not signed.', 403)
    return refuse(response, operationOf(request) ? 'json' : 's3', unsigned)
  }
  const backend = routing.backends[scope.service]
  if (!backend) {
    const message = `The local cloud has no service ${scope.service}.`
    return refuse(response, scope.service, new ServiceError('UnknownOperationException', message, 404))
  }
  const body = scope.service === 's3' ? undefined : await readBody(request)
  const input = body && parseInput(body)
  if (input instanceof ServiceError) return refuse(response, scope.service, input)
  const { method = '', url = '' } = request
  const signed: SignedRequest = {
    ...scope,
    // SES names its operations by method and path, and the others by a header field.
    ...(scope.service === 'ses'
      ? (readSesCall(method, url, input ?? {}) ?? { operation: undefined, input })
      : { operation: operationOf(request), input }),
    method,
    url,
    copySource: request.headers['x-amz-copy-source']?.toString(),
  }
  const refusal = await authorize(signed, routing.principals)
  if (refusal) return refuse(response, scope.service, refusal)
  if (backend.kind === 'http') return backend.handle(request, response)
  if (routing.faults?.concern(signed)) {
    return answerJson(response, await routing.faults.around(signed, askBackend(backend, request.headers)))
  }
  if (backend.kind === 'proxy') return forward(request, response, body, backend.origin, routing.agent)
  return callService(signed, response, backend)
}

function answerJson(response: ServerResponse, answer: JsonAnswer | 'reset'): void {
  if (answer === 'reset') return void response.socket?.resetAndDestroy()
  response.writeHead(answer.status, {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-requestid': randomUUID(),
  })
  response.end(JSON.stringify(answer.body))
}

async function callService(
  { operation, input, service }: SignedRequest,
  response: ServerResponse,
  backend: Extract<Backend, { kind: 'json' }>,
): Promise<void> {
  try {
    const output = await backend.service.call(operation ?? '', input ?? {})
    response.writeHead(200, { 'content-type': backend.contentType, 'x-amzn-requestid': randomUUID() })
    response.end(JSON.stringify(output))
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    refuse(response, service, error, backend.contentType)
  }
}

/** Passes the request on as it is: the Host header is part of the signature. */
async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer | undefined,
  origin: string,
  agent: Agent,
): Promise<void> {
  const { method, headers } = request
  // Not `new URL(url, origin)`: it would resolve `..` and `//`, which are ordinary characters of an S3 key.
  const upstream = httpRequest(origin, { path: request.url, method, headers, agent })
  response.once('close', () => upstream.destroy())
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve).on('error', reject)
  })
  if (body) upstream.end(body)
  else await Promise.race([pipeline(request, upstream), answered])
  const result = await answered
  const { date: _, ...fields } = result.headers
  response.writeHead(result.statusCode ?? 502, fields)
  await pipeline(result, response)
}

/** AWS's refusal: XML for S3, JSON for the others. */
function refuse(
  response: ServerResponse,
  service: string | undefined,
  error: ServiceError,
  contentType = 'application/x-amz-json-1.0',
): void {
  const requestId = randomUUID()
  const { code, message, status } = error
  const isS3 = service === 's3'
  const body = isS3
    ? errorDocument({ Code: code, Message: message, RequestId: requestId })
    : JSON.stringify({
        __type: code,
        [code.startsWith('com.amazon.coral.') ? 'Message' : 'message']: message,
      })
  response.writeHead(status, {
    'content-type': isS3 ? 'application/xml' : contentType,
    [isS3 ? 'x-amz-request-id' : 'x-amzn-requestid']: requestId,
    // The REST protocol has the code in a field of its own (Smithy, "restJson1", "Operation error serialization").
    ...(service === 'ses' && { 'x-amzn-errortype': code }),
  })
  response.end(body)
}

function internalError(): ServiceError {
  return new ServiceError('InternalServerError', 'The local cloud failed; its log says why.', 500)
}

/** `X-Amz-Target` is `<service and version>.<operation>`. */
function operationOf(request: IncomingMessage): string | undefined {
  const target = request.headers['x-amz-target']
  return typeof target === 'string' ? target.slice(target.lastIndexOf('.') + 1) : undefined
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function parseInput(body: Buffer): JsonObject | ServiceError {
  try {
    return JSON.parse(body.toString() || '{}')
  } catch {
    return new ServiceError('SerializationException', 'The request body is not JSON.')
  }
}
