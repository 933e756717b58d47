import { ServiceError } from '../gateway/json-service.ts'
import type { S3Answer, S3Call, S3Context, S3Operation } from './call.ts'
import { receiveText } from './payload.ts'
import type { S3Store } from './store.ts'
import { elements, elementText, resultDocument } from './xml.ts'

/** Throws `NoSuchBucket`. */
export function requireBucket(store: S3Store, bucket: string): void {
  if (store.hasBucket(bucket)) return
  throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404)
}

/** ListBuckets. */
export function listBuckets(_call: S3Call, { store }: S3Context): S3Answer {
  const list = store
    .buckets()
    .map(({ name, createdAt }) => ({ Name: name, CreationDate: new Date(createdAt).toISOString() }))
  return { status: 200, body: resultDocument('ListAllMyBucketsResult', { Buckets: { Bucket: list } }) }
}

/** CreateBucket. Creating one's own bucket again is an error everywhere but in us-east-1, as on AWS. */
export function createBucket({ bucket }: S3Call, { store, region, now }: S3Context): S3Answer {
  if (!/^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new ServiceError('InvalidBucketName', 'The specified bucket is not valid.')
  }
  if (!store.hasBucket(bucket)) store.createBucket(bucket, now())
  else if (region !== 'us-east-1') {
    throw new ServiceError(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      409,
    )
  }
  return { status: 200, headers: { location: `/${bucket}` } }
}

/** HeadBucket. */
export function headBucket({ bucket }: S3Call, { store, region }: S3Context): S3Answer {
  requireBucket(store, bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': region } }
}

/** GetBucketLocation, which is empty in us-east-1. */
export function getBucketLocation({ bucket }: S3Call, { store, region }: S3Context): S3Answer {
  requireBucket(store, bucket)
  return { status: 200, body: resultDocument('LocationConstraint', region === 'us-east-1' ? '' : region) }
}

/** DeleteBucket. */
export function deleteBucket({ bucket }: S3Call, { store }: S3Context): S3Answer {
  requireBucket(store, bucket)
  if (store.nextObject(bucket, '', false) !== undefined) {
    throw new ServiceError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409)
  }
  store.deleteBucket(bucket)
  return { status: 204 }
}

/** DeleteObjects: at most 1000 keys; a key that does not exist counts as deleted. */
export async function deleteObjects(call: S3Call, { store }: S3Context): Promise<S3Answer> {
  requireBucket(store, call.bucket)
  const xml = await receiveText(call)
  const objects = elements(xml, 'Object')
  const keys = objects.map((object) => elementText(object, 'Key') ?? '')
  if (keys.length === 0 || keys.length > 1000 || keys.includes('')) throw malformedXml()
  if (objects.some((object) => /<(VersionId|ETag|Size|LastModifiedTime)>/.test(object))) {
    throw new ServiceError('NotImplemented', 'The local S3 deletes by Key only.', 501)
  }
  store.deleteObjects(call.bucket, keys)
  const deleted = elementText(xml, 'Quiet') === 'true' ? [] : keys.map((key) => ({ Key: key }))
  return { status: 200, body: resultDocument('DeleteResult', { Deleted: deleted }) }
}

/**
 * The bucket sub-resources that are kept and given back but have no effect here; `missing` is what GET answers
 * before the first PUT, as [code, text], or the document S3 has by default.
 */
interface BucketSetting {
  readonly root?: string
  readonly missing: readonly [code: string, message: string] | string
}

const settings: Readonly<Record<string, BucketSetting>> = {
  lifecycle: {
    root: 'LifecycleConfiguration',
    missing: ['NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'],
  },
  policy: { missing: ['NoSuchBucketPolicy', 'The bucket policy does not exist'] },
  encryption: {
    root: 'ServerSideEncryptionConfiguration',
    missing: resultDocument('ServerSideEncryptionConfiguration', {
      Rule: {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
        BucketKeyEnabled: false,
      },
    }),
  },
  publicAccessBlock: {
    root: 'PublicAccessBlockConfiguration',
    missing: ['NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found'],
  },
  versioning: { root: 'VersioningConfiguration', missing: resultDocument('VersioningConfiguration', '') },
  ownershipControls: {
    root: 'OwnershipControls',
    missing: ['OwnershipControlsNotFoundError', 'The bucket ownership controls were not found'],
  },
  cors: {
    root: 'CORSConfiguration',
    missing: ['NoSuchCORSConfiguration', 'The CORS configuration does not exist'],
  },
  tagging: { root: 'Tagging', missing: ['NoSuchTagSet', 'The TagSet does not exist'] },
}

/** The routes of the kept sub-resources, for {@link settings} above. */
export function bucketSettingRoutes(): Record<string, S3Operation> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, setting]) => [
      [`PUT /bucket?${name}`, (call: S3Call, context: S3Context) => putSetting(call, context, name, setting)],
      [`GET /bucket?${name}`, (call: S3Call, context: S3Context) => getSetting(call, context, name, setting)],
      [`DELETE /bucket?${name}`, (call: S3Call, context: S3Context) => deleteSetting(call, context, name)],
    ]),
  )
}

async function putSetting(
  call: S3Call,
  { store }: S3Context,
  name: string,
  { root }: BucketSetting,
): Promise<S3Answer> {
  requireBucket(store, call.bucket)
  const document = await receiveText(call)
  if (root !== undefined && !new RegExp(`^(<\\?[^>]*>)?\\s*<${root}[\\s/>]`).test(document)) {
    throw malformedXml()
  }
  store.putSetting(call.bucket, name, document)
  return { status: name === 'policy' || name === 'tagging' ? 204 : 200 }
}

function getSetting(
  { bucket }: S3Call,
  { store }: S3Context,
  name: string,
  { root, missing }: BucketSetting,
): S3Answer {
  requireBucket(store, bucket)
  const kept = store.setting(bucket, name)
  if (kept !== undefined) {
    return {
      status: 200,
      headers: { 'content-type': root === undefined ? 'application/json' : 'application/xml' },
      body: kept,
    }
  }
  if (typeof missing === 'string') return { status: 200, body: missing }
  throw new ServiceError(missing[0], missing[1], 404)
}

function deleteSetting({ bucket }: S3Call, { store }: S3Context, name: string): S3Answer {
  requireBucket(store, bucket)
  store.deleteSetting(bucket, name)
  return { status: 204 }
}

function malformedXml(): ServiceError {
  return new ServiceError(
    'MalformedXML',
    'The XML you provided was not well-formed or did not validate against our published schema',
  )
}
