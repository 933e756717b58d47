import { createReadStream } from 'node:fs'
import { ServiceError } from '../gateway/json-service.ts'
import { requireBucket } from './buckets.ts'
import { type Headers, headerValue, type S3Answer, type S3Call, type S3Context } from './call.ts'
import { receive } from './payload.ts'
import type { S3Store, StoredObject } from './store.ts'
import { resultDocument } from './xml.ts'

/** PutObject, and CopyObject when `x-amz-copy-source` is there. */
export function putObject(call: S3Call, context: S3Context): Promise<S3Answer> {
  if (call.headers['x-amz-copy-source'] !== undefined) return copyObject(call, context)
  const { store, now } = context
  checkNewObject(call, store)
  return store.write(
    (write) => receive(call, write),
    (file, { size, md5, checksum }) => {
      checkWriteConditions(call, store)
      const headers = { ...keptHeaders(call.headers), ...checksum }
      store.putObject(call.bucket, { key: call.key, file, size, etag: md5, modifiedAt: now(), headers })
      return { status: 200, headers: { etag: `"${md5}"`, ...encryption(headers), ...checksum } }
    },
  )
}

/** GetObject; HeadObject when the method is HEAD. */
export function getObject(call: S3Call, { store }: S3Context): S3Answer {
  const object = requireObject(store, call.bucket, call.key)
  const validators = { etag: `"${object.etag}"`, 'last-modified': new Date(object.modifiedAt).toUTCString() }
  if (checkReadConditions(call.headers, object) === 'unchanged') return { status: 304, headers: validators }
  const range = requestedRange(call.headers.range, object.size)
  const { start, end } = range ?? { start: 0, end: object.size - 1 }
  const headers: Record<string, string> = {
    ...shownHeaders(object, call.headers, range === undefined),
    ...overriddenHeaders(call.query),
    ...validators,
    'accept-ranges': 'bytes',
    'content-length': String(end - start + 1),
  }
  if (range !== undefined) headers['content-range'] = `bytes ${start}-${end}/${object.size}`
  const status = range === undefined ? 200 : 206
  if (call.method === 'HEAD' || object.size === 0) return { status, headers }
  return { status, headers, body: createReadStream('', { fd: store.openFile(object.file), start, end }) }
}

/** DeleteObject; a key that does not exist is no error. */
export function deleteObject(call: S3Call, { store }: S3Context): S3Answer {
  requireBucket(store, call.bucket)
  if (call.headers['if-match'] !== undefined) checkWriteConditions(call, store)
  store.deleteObjects(call.bucket, [call.key])
  return { status: 204 }
}

/** What a request that starts a new object must fulfil before its payload is read. */
export function checkNewObject(call: S3Call, store: S3Store): void {
  requireBucket(store, call.bucket)
  if (Buffer.byteLength(call.key) > 1024) {
    throw new ServiceError('KeyTooLongError', 'Your key is too long')
  }
  for (const name of Object.keys(call.headers)) {
    if (unsupportedHeaders.test(name)) {
      throw new ServiceError('NotImplemented', `The local S3 does not implement the header ${name}.`, 501)
    }
  }
  checkWriteConditions(call, store)
}

/** Throws unless If-None-Match: * and If-Match hold; to be called again in the tick that stores the object. */
export function checkWriteConditions({ bucket, key, headers }: S3Call, store: S3Store): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (noneMatch !== undefined && noneMatch !== '*') {
    throw new ServiceError('NotImplemented', 'On a write If-None-Match can only be *.', 501)
  }
  const object = store.object(bucket, key)
  if (noneMatch !== undefined && object !== undefined) throw preconditionFailed('If-None-Match')
  if (match === undefined) return
  if (object === undefined) throw noSuchKey()
  if (!matches(match, object.etag)) throw preconditionFailed('If-Match')
}

/** The header fields S3 keeps with an object; `x-amz-meta-*` may have 2 KB together. */
export function keptHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = { 'content-type': 'binary/octet-stream' }
  let metadataBytes = 0
  for (const [name, value = ''] of Object.entries(headers)) {
    if (!keptNames.test(name)) continue
    kept[name] = headerValue(name, value)
    if (name.startsWith(metadataPrefix)) metadataBytes += name.length - metadataPrefix.length + value.length
  }
  if (metadataBytes > 2048) {
    throw new ServiceError(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
    )
  }
  // `aws-chunked` describes the transfer, not the object.
  const encodings = (kept['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim())
  delete kept['content-encoding']
  const own = encodings.filter((encoding) => encoding !== '' && encoding !== 'aws-chunked')
  return own.length === 0 ? kept : { ...kept, 'content-encoding': own.join(',') }
}

const metadataPrefix = 'x-amz-meta-'
const keptNames =
  /^(content-type|content-encoding|content-disposition|content-language|cache-control|expires|x-amz-meta-.+|x-amz-server-side-encryption(-aws-kms-key-id)?)$/

/** Ignoring one of these would silently do something else than AWS. */
const unsupportedHeaders =
  /^x-amz-(tagging|object-lock-|copy-source-(if|range|server)|server-side-encryption-customer|website-redirect|write-offset)/

async function copyObject(call: S3Call, { store, now }: S3Context): Promise<S3Answer> {
  checkNewObject(call, store)
  const { bucket, key } = copySource(call.headers['x-amz-copy-source'] ?? '')
  const source = requireObject(store, bucket, key)
  const replace = call.headers['x-amz-metadata-directive'] === 'REPLACE'
  if (!replace && bucket === call.bucket && key === call.key) {
    throw new ServiceError(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    )
  }
  const kept = Object.entries(source.headers)
  const checksum = Object.fromEntries(kept.filter(([name]) => name.startsWith(checksumPrefix)))
  const headers = replace ? { ...keptHeaders(call.headers), ...checksum } : source.headers
  const bytes = createReadStream('', { fd: store.openFile(source.file) })
  return store.write(
    (write) => receive({ ...call, headers: { 'content-length': String(source.size) }, body: bytes }, write),
    (file, { size, md5 }) => {
      checkWriteConditions(call, store)
      const modifiedAt = now()
      store.putObject(call.bucket, { key: call.key, file, size, etag: md5, modifiedAt, headers })
      const result = { LastModified: new Date(modifiedAt).toISOString(), ETag: `"${md5}"` }
      return { status: 200, headers: encryption(headers), body: resultDocument('CopyObjectResult', result) }
    },
  )
}

function copySource(header: string): { bucket: string; key: string } {
  let source = ''
  try {
    source = decodeURIComponent(header).replace(/^\//, '')
  } catch {
    // Left empty: refused below.
  }
  const slash = source.indexOf('/')
  if (slash > 0 && slash < source.length - 1 && !header.includes('?')) {
    return { bucket: source.slice(0, slash), key: source.slice(slash + 1) }
  }
  throw new ServiceError(
    'InvalidArgument',
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
  )
}

function requireObject(store: S3Store, bucket: string, key: string): StoredObject {
  requireBucket(store, bucket)
  const object = store.object(bucket, key)
  if (object === undefined) throw noSuchKey()
  return object
}

/** RFC 9110 §13.2.2: the entity-tag conditions go before the dates. */
function checkReadConditions(headers: Headers, object: StoredObject): 'changed' | 'unchanged' {
  const modifiedSecond = Math.floor(object.modifiedAt / 1000) * 1000
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined) {
    if (!matches(match, object.etag)) throw preconditionFailed('If-Match')
  } else if (modifiedSecond > Date.parse(headers['if-unmodified-since'] ?? '')) {
    throw preconditionFailed('If-Unmodified-Since')
  }
  if (noneMatch !== undefined) return matches(noneMatch, object.etag) ? 'unchanged' : 'changed'
  return modifiedSecond <= Date.parse(headers['if-modified-since'] ?? '') ? 'unchanged' : 'changed'
}

function matches(condition: string, etag: string): boolean {
  return condition.split(',').some((tag) => ['*', etag, `"${etag}"`].includes(tag.trim()))
}

/** One `bytes` range; anything else is ignored as S3 does. Throws `InvalidRange` when it holds no byte. */
function requestedRange(header = '', size: number): { start: number; end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header.trim()) ?? []
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(first) > Number(last)) return undefined
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (start <= end) return { start, end }
  throw new ServiceError('InvalidRange', 'The requested range is not satisfiable', 416)
}

const checksumPrefix = 'x-amz-checksum-'

function shownHeaders(object: StoredObject, asked: Headers, whole: boolean): Record<string, string> {
  // A client checks what it received against this sum, so it goes only with the whole object.
  const withChecksum = whole && asked['x-amz-checksum-mode'] === 'ENABLED'
  const shown = Object.entries(object.headers).filter(
    ([name]) => withChecksum || !name.startsWith(checksumPrefix),
  )
  return { ...Object.fromEntries(shown), ...encryption(object.headers) }
}

function overriddenHeaders(query: URLSearchParams): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of query) {
    if (!name.startsWith('response-')) continue
    headers[name.slice('response-'.length)] = headerValue(name, value)
  }
  return headers
}

function encryption(headers: Headers): Record<string, string> {
  return { 'x-amz-server-side-encryption': headers['x-amz-server-side-encryption'] ?? 'AES256' }
}

function noSuchKey(): ServiceError {
  return new ServiceError('NoSuchKey', 'The specified key does not exist.', 404)
}

function preconditionFailed(condition: string): ServiceError {
  return new ServiceError(
    'PreconditionFailed',
    `At least one of the pre-conditions you specified did not hold: ${condition}`,
    412,
  )
}
