import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { ServiceError } from '../gateway/json-service.ts'
import * as buckets from './buckets.ts'
import { readCall, type S3Answer, type S3Call, type S3Context, type S3Operation } from './call.ts'
import { listObjects } from './listing.ts'
import * as multipart from './multipart.ts'
import * as objects from './objects.ts'
import { checkAuthentication } from './presign.ts'
import { S3Store } from './store.ts'
import { errorDocument } from './xml.ts'

/** Where the stand-in keeps its data, who may presign, and what time it is. */
interface S3Options {
  readonly directory: string
  readonly region: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The secret key that belongs to an access key id, for checking presigned URLs. */
  readonly secretFor: (accessKeyId: string) => string | undefined
}

/** Amazon S3 for one machine: path-style, durable; what it does not implement it answers with 501. */
export interface S3StandIn {
  /** Answers one request; never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): void
}

/** Opens or creates the objects in `directory`; throws when another process has it open. */
export function openS3(options: S3Options): S3StandIn {
  const { region, now } = options
  const context: S3Context = { store: new S3Store(options.directory), region, now }
  const respond = async (request: IncomingMessage): Promise<S3Answer> => {
    const call = readCall(request)
    checkAuthentication(call, options)
    return await findOperation(call)(call, context)
  }
  return {
    handle: async (request, response) => {
      const requestId = randomBytes(8).toString('hex').toUpperCase()
      const answer = await respond(request).catch((error: unknown) => refusal(error, request, requestId))
      // What the operation left unread would block the connection's next request.
      request.resume()
      await send(answer, requestId, request, response).catch(() => response.destroy())
    },
    close: () => context.store.close(),
  }
}

/** By method, level and the query parameters that select an operation, in alphabetical order. */
const routes: Readonly<Record<string, S3Operation>> = {
  'GET /': buckets.listBuckets,
  'PUT /bucket': buckets.createBucket,
  'HEAD /bucket': buckets.headBucket,
  'DELETE /bucket': buckets.deleteBucket,
  'GET /bucket?location': buckets.getBucketLocation,
  'GET /bucket?list-type': listObjects,
  'POST /bucket?delete': buckets.deleteObjects,
  ...buckets.bucketSettingRoutes(),
  'PUT /bucket/key': objects.putObject,
  'GET /bucket/key': objects.getObject,
  'HEAD /bucket/key': objects.getObject,
  'DELETE /bucket/key': objects.deleteObject,
  'POST /bucket/key?uploads': multipart.createUpload,
  'PUT /bucket/key?partNumber&uploadId': multipart.uploadPart,
  'GET /bucket/key?uploadId': multipart.listParts,
  'POST /bucket/key?uploadId': multipart.completeUpload,
  'DELETE /bucket/key?uploadId': multipart.abortUpload,
}

/** Query parameters that are arguments; every other one selects an operation, so an unknown one finds none. */
const argumentNames =
  /^(x-amz-.*|x-id|prefix|delimiter|max-keys|continuation-token|start-after|encoding-type|fetch-owner|max-parts|part-number-marker|response-(content-(type|language|disposition|encoding)|cache-control|expires))$/i

function findOperation(call: S3Call): S3Operation {
  const level = call.bucket === '' ? '/' : call.key === '' ? '/bucket' : '/bucket/key'
  const selectors = [...new Set(call.query.keys())].filter((name) => !argumentNames.test(name)).sort()
  const route = `${call.method} ${level}${selectors.length > 0 ? `?${selectors.join('&')}` : ''}`
  const operation = Object.hasOwn(routes, route) ? routes[route] : undefined
  if (operation !== undefined) return operation
  throw new ServiceError('NotImplemented', `The local S3 does not implement ${route}.`, 501)
}

function refusal(error: unknown, request: IncomingMessage, requestId: string): S3Answer {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError('InternalError', `We encountered an internal error: ${String(error)}`, 500)
  const [path = ''] = (request.url ?? '/').split('?')
  const document = {
    Code: known.code,
    Message: known.message,
    Resource: path,
    RequestId: requestId,
  }
  return { status: known.status, body: errorDocument(document) }
}

async function send(
  { status, headers = {}, body }: S3Answer,
  requestId: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.statusCode = status
  response.setHeader('x-amz-request-id', requestId)
  if (typeof body === 'string') response.setHeader('content-type', 'application/xml')
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (body === undefined || typeof body === 'string') {
    if (typeof body === 'string') response.setHeader('content-length', Buffer.byteLength(body))
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  await pipeline(body, response)
}
