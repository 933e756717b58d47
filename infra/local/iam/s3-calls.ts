import { ServiceError } from '../gateway/json-service.ts'
import type { SignedRequest } from '../gateway/signed-request.ts'
import type { Call } from './call.ts'

/** The permissions of an S3 request (path-style); undefined for an operation that no role may call here. */
export function readS3Calls({ method, url, copySource }: SignedRequest): readonly Call[] | undefined {
  const { bucket, key, query } = readS3Url(url)
  const level = bucket === '' ? '/' : key === '' ? '/bucket' : '/bucket/key'
  const selectors = [...new Set(query.keys())].filter((name) => !argumentNames.test(name)).sort()
  const route = `${method} ${level}${selectors.length > 0 ? `?${selectors.join('&')}` : ''}`
  const action = Object.hasOwn(actions, route) ? actions[route] : undefined
  if (action === undefined) return undefined
  const resource = { '/': '*', '/bucket': bucketArn(bucket), '/bucket/key': `${bucketArn(bucket)}/${key}` }[
    level
  ]
  // Which keys are deleted is in a body that passes by unread; on AWS a permission for these keys is enough.
  const call = { action, resource: action === 's3:DeleteObject' && key === '' ? `${resource}/*` : resource }
  // A presigned URL may carry the header as a parameter.
  const source = copySource ?? [...query].find(([name]) => name.toLowerCase() === 'x-amz-copy-source')?.[1]
  if (source === undefined || action !== 's3:PutObject') return [call]
  return [call, { action: 's3:GetObject', resource: `arn:aws:s3:::${sourceOf(source)}` }]
}

/** The object that a GET or HEAD asks for; undefined for every other request. */
export function readObject({ method, url }: SignedRequest): S3Object | undefined {
  const { bucket, key, query } = readS3Url(url)
  const isRead = (method === 'GET' || method === 'HEAD') && key !== '' && !query.has('uploadId')
  return isRead ? { bucket, key } : undefined
}

/** The ARN of a bucket. */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`
}

/** An object of a bucket, decoded. */
export interface S3Object {
  readonly bucket: string
  readonly key: string
}

/** By method, level and the query parameters that select an operation, in alphabetical order. */
const actions: Readonly<Record<string, string>> = {
  'GET /': 's3:ListAllMyBuckets',
  'HEAD /bucket': 's3:ListBucket',
  'GET /bucket': 's3:ListBucket',
  'GET /bucket?list-type': 's3:ListBucket',
  'GET /bucket?location': 's3:GetBucketLocation',
  'POST /bucket?delete': 's3:DeleteObject',
  'GET /bucket/key': 's3:GetObject',
  'HEAD /bucket/key': 's3:GetObject',
  'PUT /bucket/key': 's3:PutObject',
  'DELETE /bucket/key': 's3:DeleteObject',
  'POST /bucket/key?uploads': 's3:PutObject',
  'PUT /bucket/key?partNumber&uploadId': 's3:PutObject',
  'POST /bucket/key?uploadId': 's3:PutObject',
  'GET /bucket/key?uploadId': 's3:ListMultipartUploadParts',
  'DELETE /bucket/key?uploadId': 's3:AbortMultipartUpload',
}

/** Query parameters that select no operation; every other one does, so an unknown one is refused. */
const argumentNames =
  /^(x-amz-.*|x-id|prefix|delimiter|max-keys|marker|continuation-token|start-after|encoding-type|fetch-owner|max-parts|part-number-marker|response-.*)$/i

interface S3Url extends S3Object {
  readonly query: URLSearchParams
}

/** Takes `/bucket/key?query` apart; not by `new URL`, which would resolve `..` and `//`. */
function readS3Url(url: string): S3Url {
  const [, path = '', search = ''] = /^\/?([^?]*)\??(.*)$/s.exec(url) ?? []
  const decoded = decode(path)
  const [, bucket = '', key = ''] = /^([^/]*)\/?(.*)$/s.exec(decoded) ?? []
  return { bucket, key, query: new URLSearchParams(search) }
}

function sourceOf(header: string): string {
  const [path = ''] = header.split('?')
  return decode(path).replace(/^\//, '')
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new ServiceError('InvalidURI', "Couldn't parse the specified URI.")
  }
}
