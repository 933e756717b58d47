import { ServiceError } from '../gateway/json-service.ts'
import { requireBucket } from './buckets.ts'
import { numberParameter, type S3Answer, type S3Call, type S3Context } from './call.ts'
import type { S3Store, StoredObject } from './store.ts'
import { resultDocument } from './xml.ts'

/** ListObjectsV2: keys in UTF-8 byte order, at most 1000 keys and common prefixes per page. */
export function listObjects(call: S3Call, { store }: S3Context): S3Answer {
  requireBucket(store, call.bucket)
  const text = (name: string): string | undefined => call.query.get(name) ?? undefined
  if (text('list-type') !== '2') {
    throw new ServiceError('NotImplemented', 'The local S3 lists with list-type=2 only.', 501)
  }
  const token = text('continuation-token')
  const page = readPage(store, call.bucket, {
    prefix: text('prefix') ?? '',
    delimiter: text('delimiter') ?? '',
    after: token === undefined ? (text('start-after') ?? '') : readToken(token),
    most: Math.min(numberParameter(call, 'max-keys', 0, 2 ** 31 - 1) ?? 1000, 1000),
  })
  const encoded = text('encoding-type') === 'url'
  const name = (key = ''): string => (encoded ? encodeURIComponent(key).replaceAll('%2F', '/') : key)
  const body = resultDocument('ListBucketResult', {
    Name: call.bucket,
    Prefix: name(text('prefix')),
    Delimiter: call.query.has('delimiter') ? name(text('delimiter')) : undefined,
    StartAfter: call.query.has('start-after') ? name(text('start-after')) : undefined,
    EncodingType: text('encoding-type'),
    MaxKeys: page.most,
    KeyCount: page.objects.length + page.prefixes.length,
    IsTruncated: page.next !== undefined,
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : writeToken(page.next),
    Contents: page.objects.map((object) => ({
      Key: name(object.key),
      LastModified: new Date(object.modifiedAt).toISOString(),
      ETag: `"${object.etag}"`,
      Size: object.size,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: name(prefix) })),
  })
  return { status: 200, body }
}

interface Window {
  readonly prefix: string
  readonly delimiter: string
  /** Keys up to and including this one are left out. */
  readonly after: string
  readonly most: number
}

interface Page {
  readonly objects: readonly StoredObject[]
  readonly prefixes: readonly string[]
  readonly most: number
  /** The `after` of the next page, when there is one. */
  readonly next: string | undefined
}

function readPage(store: S3Store, bucket: string, { prefix, delimiter, after, most }: Window): Page {
  const objects: StoredObject[] = []
  const prefixes: string[] = []
  let last = after
  for (;;) {
    const object = nextWithPrefix(store, bucket, prefix, last)
    if (object === undefined || most === 0) return { objects, prefixes, most, next: undefined }
    if (objects.length + prefixes.length === most) return { objects, prefixes, most, next: last }
    const end = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length)
    if (end < 0) {
      objects.push(object)
      last = object.key
    } else {
      const common = object.key.slice(0, end + delimiter.length)
      prefixes.push(common)
      last = common + pastEveryKey
    }
  }
}

/** Longer and greater than any rest of a key, which has at most 1024 bytes. */
const pastEveryKey = '\u{10ffff}'.repeat(256)

function nextWithPrefix(
  store: S3Store,
  bucket: string,
  prefix: string,
  last: string,
): StoredObject | undefined {
  // Compared as bytes: SQLite orders keys by UTF-8, JavaScript by UTF-16.
  const beforePrefix = Buffer.compare(Buffer.from(last), Buffer.from(prefix)) < 0
  const object = store.nextObject(bucket, beforePrefix ? prefix : last, !beforePrefix)
  return object?.key.startsWith(prefix) ? object : undefined
}

function writeToken(after: string): string {
  return Buffer.from(after).toString('base64url')
}

function readToken(token: string): string {
  const after = Buffer.from(token, 'base64url').toString('utf8')
  if (token !== '' && writeToken(after) === token) return after
  throw new ServiceError('InvalidArgument', 'The continuation token provided is incorrect')
}
