import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { ServiceError } from '../gateway/json-service.ts'
import { numberParameter, type S3Answer, type S3Call, type S3Context } from './call.ts'
import { checkNewObject, checkWriteConditions, keptHeaders } from './objects.ts'
import { receive, receiveText } from './payload.ts'
import type { Part, S3Store, Upload } from './store.ts'
import { elements, elementText, resultDocument } from './xml.ts'

/** CreateMultipartUpload. */
export function createUpload(call: S3Call, { store }: S3Context): S3Answer {
  checkNewObject(call, store)
  const id = randomBytes(24).toString('base64url')
  store.createUpload({ id, bucket: call.bucket, key: call.key, headers: keptHeaders(call.headers) })
  return {
    status: 200,
    body: resultDocument('InitiateMultipartUploadResult', {
      Bucket: call.bucket,
      Key: call.key,
      UploadId: id,
    }),
  }
}

/** UploadPart; a part number used again replaces the part. */
export async function uploadPart(call: S3Call, { store, now }: S3Context): Promise<S3Answer> {
  const number = numberParameter(call, 'partNumber', 1, 10_000) ?? 0
  const { id } = requireUpload(call, store)
  if (call.headers['x-amz-copy-source'] !== undefined) {
    throw new ServiceError('NotImplemented', 'The local S3 does not implement UploadPartCopy.', 501)
  }
  return store.write(
    (write) => receive(call, write),
    (file, { size, md5, checksum }) => {
      requireUpload(call, store)
      store.putPart(id, { number, file, size, etag: md5, modifiedAt: now() })
      return { status: 200, headers: { etag: `"${md5}"`, ...checksum } }
    },
  )
}

/** ListParts. */
export function listParts(call: S3Call, { store }: S3Context): S3Answer {
  const { id } = requireUpload(call, store)
  const marker = numberParameter(call, 'part-number-marker', 0, 10_000) ?? 0
  const most = Math.min(numberParameter(call, 'max-parts', 0, 2 ** 31 - 1) ?? 1000, 1000)
  const rest = store.parts(id).filter((part) => part.number > marker)
  const shown = rest.slice(0, most)
  const body = resultDocument('ListPartsResult', {
    Bucket: call.bucket,
    Key: call.key,
    UploadId: id,
    PartNumberMarker: marker,
    NextPartNumberMarker: shown.at(-1)?.number ?? 0,
    MaxParts: most,
    IsTruncated: shown.length < rest.length,
    StorageClass: 'STANDARD',
    Part: shown.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modifiedAt).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.size,
    })),
  })
  return { status: 200, body }
}

/** AbortMultipartUpload. */
export function abortUpload(call: S3Call, { store }: S3Context): S3Answer {
  store.deleteUpload(requireUpload(call, store).id)
  return { status: 204 }
}

/** CompleteMultipartUpload: the object appears whole, and its ETag is the MD5 of the parts' MD5s with `-<count>`. */
export async function completeUpload(call: S3Call, { store, now }: S3Context): Promise<S3Answer> {
  const upload = requireUpload(call, store)
  if (Object.keys(call.headers).some((name) => /^x-amz-checksum-(?!type$)/.test(name))) {
    throw new ServiceError('NotImplemented', 'The local S3 checks the parts, not the joined object.', 501)
  }
  const parts = chosenParts(await receiveText(call), store.parts(upload.id))
  checkWriteConditions(call, store)
  const md5s = Buffer.from(parts.map((part) => part.etag).join(''), 'hex')
  const etag = `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`
  return store.write(
    (write) => join(store, parts, write),
    (file, size) => {
      requireUpload(call, store)
      checkWriteConditions(call, store)
      const { key, headers } = upload
      store.putObject(call.bucket, { key, file, size, etag, modifiedAt: now(), headers }, upload.id)
      const location = `http://${call.headers.host ?? ''}${encodeURI(call.path)}`
      const result = { Location: location, Bucket: call.bucket, Key: key, ETag: `"${etag}"` }
      return { status: 200, body: resultDocument('CompleteMultipartUploadResult', result) }
    },
  )
}

function requireUpload(call: S3Call, store: S3Store): Upload {
  const upload = store.upload(call.query.get('uploadId') ?? '')
  if (upload?.bucket === call.bucket && upload.key === call.key) return upload
  throw new ServiceError(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    404,
  )
}

const smallestPart = 5 * 1024 ** 2

function chosenParts(xml: string, uploaded: readonly Part[]): Part[] {
  const byNumber = new Map(uploaded.map((part) => [part.number, part]))
  const chosen = elements(xml, 'Part').map((element) => {
    const part = byNumber.get(Number(elementText(element, 'PartNumber')))
    if (part !== undefined && part.etag === elementText(element, 'ETag')?.replaceAll('"', '')) return part
    throw new ServiceError(
      'InvalidPart',
      "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    )
  })
  if (chosen.length === 0) {
    throw new ServiceError('MalformedXML', 'You must specify at least one part')
  }
  if (chosen.some((part, index) => part.number <= (chosen[index - 1]?.number ?? 0))) {
    throw new ServiceError(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    )
  }
  if (chosen.slice(0, -1).some((part) => part.size < smallestPart)) {
    throw new ServiceError('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size')
  }
  return chosen
}

async function join(
  store: S3Store,
  parts: readonly Part[],
  write: (chunk: Buffer) => Promise<void>,
): Promise<number> {
  for (const part of parts) {
    for await (const chunk of createReadStream('', { fd: store.openFile(part.file) })) await write(chunk)
  }
  return parts.reduce((size, part) => size + part.size, 0)
}
