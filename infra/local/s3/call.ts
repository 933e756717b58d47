import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { ServiceError } from '../gateway/json-service.ts'
import type { S3Store } from './store.ts'

/** Header fields by lower-case name. */
export type Headers = Readonly<Record<string, string | undefined>>

/** One request, path-style: `/bucket/key?query`. `path`, `bucket` and `key` are decoded; the last two may be empty. */
export interface S3Call {
  readonly method: string
  readonly path: string
  readonly bucket: string
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly body: AsyncIterable<Buffer>
}

/** What goes back; a string body is XML unless `content-type` says otherwise. */
export interface S3Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Readable
}

/** What every operation works on. */
export interface S3Context {
  readonly store: S3Store
  readonly region: string
  readonly now: () => number
}

/** One S3 operation; throws {@link ServiceError} with S3's code, text and status. */
export type S3Operation = (call: S3Call, context: S3Context) => S3Answer | Promise<S3Answer>

/** Takes a request apart; throws `InvalidURI` when the path is not percent-encoded UTF-8. */
export function readCall(request: IncomingMessage): S3Call {
  // Not `new URL`: it would resolve `..` and `//`, which are ordinary characters of a key.
  const [rawPath = '', search = ''] = splitOnce(request.url ?? '/', '?')
  const query = new URLSearchParams(search)
  const path = decodePath(rawPath)
  const [bucket = '', key = ''] = splitOnce(path.slice(1), '/')
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value
  }
  return {
    method: request.method ?? 'GET',
    path,
    bucket,
    key,
    query,
    headers: query.has('X-Amz-Signature') ? { ...headers, ...signedParameters(query) } : headers,
    // Destroying the request on an early refusal would cut the connection before the answer is read.
    body: request.iterator({ destroyOnReturn: false }),
  }
}

/** A header value as it may be stored and sent; throws `InvalidArgument` when HTTP could not carry it. */
export function headerValue(name: string, value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value
  throw new ServiceError('InvalidArgument', `The value of ${name} cannot be sent as an HTTP header.`)
}

/** A whole number parameter of the query; throws `InvalidArgument` outside `least`…`most`. */
export function numberParameter(call: S3Call, name: string, least: number, most: number): number | undefined {
  const text = call.query.get(name)
  if (text === null) return undefined
  const number = /^\d{1,10}$/.test(text) ? Number(text) : -1
  if (number >= least && number <= most) return number
  throw new ServiceError(
    'InvalidArgument',
    `${name} must be an integer between ${least} and ${most}, inclusive`,
  )
}

/** S3 reads the `x-amz-*` parameters of a presigned URL as if they were headers: SDKs move headers there. */
function signedParameters(query: URLSearchParams): Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const [name, value] of query) {
    if (/^x-amz-/i.test(name)) parameters[name.toLowerCase()] = value
  }
  return parameters
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new ServiceError('InvalidURI', "Couldn't parse the specified URI.")
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
