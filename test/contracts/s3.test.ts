import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { type Endpoint, openEndpoint } from './s3-endpoint.ts'

const Bucket = `contract-${randomUUID()}`
let endpoint: Endpoint
let s3: S3Client

before(async () => {
  endpoint = await openEndpoint()
  s3 = endpoint.client
  await s3.send(new CreateBucketCommand({ Bucket }))
})
after(() => endpoint.close())

async function put(Key: string, Body: string | Buffer | Readable, more: Partial<PutObjectCommandInput> = {}) {
  return s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
}

async function get(Key: string, more: Partial<GetObjectCommandInput> = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

async function refused(answer: Promise<unknown>, name: string, status: number): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof S3ServiceException)
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status])
    return true
  })
}

const oddKeys = [
  'plain',
  'a/../b',
  'a//b',
  '/leading',
  'trailing/',
  'space plus+ percent%25 amp&',
  `<tag attr="x">'`,
  'grün/日本/😀',
  'line\nend\ttab',
  "(paren)*!'~",
  'x'.repeat(1024),
]

describe('buckets', () => {
  test('a bucket created twice stays (us-east-1)', async () => {
    await s3.send(new CreateBucketCommand({ Bucket }))
  })

  test('ListBuckets names the bucket', async () => {
    const { Buckets } = await s3.send(new ListBucketsCommand({}))
    assert.ok(Buckets?.some(({ Name, CreationDate }) => Name === Bucket && CreationDate instanceof Date))
  })

  test('a missing bucket is 404 for HeadBucket', () =>
    refused(s3.send(new HeadBucketCommand({ Bucket: 'nowhere.example' })), 'NotFound', 404))

  test('a missing bucket is NoSuchBucket for PutObject', () =>
    refused(put('key', 'x', { Bucket: 'nowhere.example' }), 'NoSuchBucket', 404))

  test('a bucket name with capitals is refused', () =>
    refused(s3.send(new CreateBucketCommand({ Bucket: 'Upper-Case' })), 'InvalidBucketName', 400))

  test('a bucket is deleted only when empty', async () => {
    const own = `contract-${randomUUID()}`
    await s3.send(new CreateBucketCommand({ Bucket: own }))
    await put('key', 'x', { Bucket: own })
    await refused(s3.send(new DeleteBucketCommand({ Bucket: own })), 'BucketNotEmpty', 409)
    await s3.send(new DeleteObjectCommand({ Bucket: own, Key: 'key' }))
    await s3.send(new DeleteBucketCommand({ Bucket: own }))
    await refused(s3.send(new HeadBucketCommand({ Bucket: own })), 'NotFound', 404)
  })

  test('a lifecycle configuration is kept', async () => {
    const read = () => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))
    await refused(read(), 'NoSuchLifecycleConfiguration', 404)
    const Rules = [
      { ID: 'old', Status: 'Enabled' as const, Filter: { Prefix: 'b/' }, Expiration: { Days: 70 } },
    ]
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
    assert.deepEqual((await read()).Rules, Rules)
  })

  test('a bucket policy is kept as it was sent', async () => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [] })
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    assert.equal((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy, Policy)
  })

  test('an unknown sub-resource is not mistaken for CreateBucket', { skip: foreign() }, async () => {
    const own = `contract-${randomUUID()}`
    const website = new PutBucketWebsiteCommand({
      Bucket: own,
      WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' } },
    })
    await refused(s3.send(website), 'NotImplemented', 501)
    await refused(s3.send(new HeadBucketCommand({ Bucket: own })), 'NotFound', 404)
  })
})

describe('objects', () => {
  const bodies: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'every byte': Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    'CRLF and chunk-like text': Buffer.from('5\r\nhello\r\n0\r\n\r\n'),
    '3 MB': randomBytes(3_000_001),
  }
  for (const [name, body] of Object.entries(bodies)) {
    test(`a body comes back as it went: ${name}`, async () => {
      const { ETag } = await put('body', body)
      assert.equal(ETag, `"${createHash('md5').update(body).digest('hex')}"`)
      assert.ok(body.equals(await get('body')))
    })
    if (body.length === 0) continue
    test(`a stream with trailing checksum comes back as it went: ${name}`, async () => {
      const pieces = Readable.from([body.subarray(0, 7), body.subarray(7)])
      await put('stream', pieces, { ContentLength: body.length })
      assert.ok(body.equals(await get('stream')))
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'stream' }))
      assert.deepEqual([head.ContentLength, head.ContentEncoding], [body.length, undefined])
    })
  }

  for (const key of oddKeys) {
    test(`a key is stored as named: ${JSON.stringify(key).slice(0, 40)}`, async () => {
      const Prefix = `odd/${createHash('md5').update(key).digest('hex')}`
      const own = `contract-${createHash('md5').update(Bucket).update(Prefix).digest('hex')}`
      await s3.send(new CreateBucketCommand({ Bucket: own }))
      await put(key, 'one', { Bucket: own })
      assert.equal(String(await get(key, { Bucket: own })), 'one')
      for (const EncodingType of [undefined, 'url' as const]) {
        const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: own, EncodingType }))
        const listed = Contents?.map(({ Key = '' }) =>
          EncodingType === 'url' ? decodeURIComponent(Key) : Key,
        )
        assert.deepEqual(listed, [key])
      }
      const CopySource = encodeURIComponent(`${own}/${key}`)
      await s3.send(new CopyObjectCommand({ Bucket: own, Key: 'copy', CopySource }))
      const Delete = { Objects: [{ Key: key }] }
      const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket: own, Delete }))
      assert.deepEqual(Deleted, [{ Key: key }])
      await refused(get(key, { Bucket: own }), 'NoSuchKey', 404)
      assert.equal(String(await get('copy', { Bucket: own })), 'one')
    })
  }

  test('a key of more than 1024 bytes is refused', () =>
    refused(put('x'.repeat(1025), 'x'), 'KeyTooLongError', 400))

  test('the content type of an object put without one is binary/octet-stream', async () => {
    await put('untyped', Buffer.from('x'), { ContentType: undefined })
    const { ContentType } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'untyped' }))
    assert.ok(['binary/octet-stream', 'application/octet-stream'].includes(ContentType ?? ''))
  })

  test('headers and metadata come back, also when the response asks for others', async () => {
    const kept = {
      ContentType: 'message/rfc822',
      ContentEncoding: 'br',
      CacheControl: 'no-store',
      ContentDisposition: 'inline',
      Metadata: { account: 'a 1', 'x-y': 'z' },
    }
    await put('meta', Readable.from([Buffer.from('x')]), { ContentLength: 1, ...kept })
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'meta' }))
    for (const [name, value] of Object.entries(kept)) {
      assert.deepEqual(head[name as keyof typeof kept], value, name)
    }
    const other = { ResponseContentType: 'text/plain', ResponseContentDisposition: 'attachment' }
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'meta', ...other }))
    assert.deepEqual([got.ContentType, got.ContentDisposition], ['text/plain', 'attachment'])
  })

  test('metadata of more than 2 KB is refused', () =>
    refused(put('meta', 'x', { Metadata: { big: 'x'.repeat(2048) } }), 'MetadataTooLarge', 400))

  const ranges: [range: string, expected: string, contentRange?: string][] = [
    ['bytes=0-3', '0123', 'bytes 0-3/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=-20', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=3-2', '0123456789'],
  ]
  for (const [Range, expected, contentRange] of ranges) {
    test(`Range ${Range} (RFC 9110 §14.1.2)`, async () => {
      await put('digits', '0123456789')
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'digits', Range }))
      assert.equal(await got.Body?.transformToString(), expected)
      assert.equal(got.ContentRange, contentRange)
    })
  }
  for (const Range of ['bytes=10-', 'bytes=-0']) {
    test(`Range ${Range} of 10 bytes is InvalidRange`, async () => {
      await put('digits', '0123456789')
      await refused(get('digits', { Range }), 'InvalidRange', 416)
    })
  }

  test('a read can be conditional (RFC 9110 §13)', async () => {
    const { ETag } = await put('conditional', 'x')
    const past = new Date(Date.now() - 3_600_000)
    const read = async (more: Partial<GetObjectCommandInput>): Promise<number> =>
      get('conditional', more).then(
        () => 200,
        (error: S3ServiceException) => error.$metadata.httpStatusCode ?? 0,
      )
    assert.equal(await read({ IfNoneMatch: ETag }), 304)
    assert.equal(await read({ IfNoneMatch: '"other"' }), 200)
    assert.equal(await read({ IfMatch: ETag, IfUnmodifiedSince: past }), 200)
    assert.equal(await read({ IfMatch: '"other"' }), 412)
    assert.equal(await read({ IfUnmodifiedSince: past }), 412)
    assert.equal(await read({ IfModifiedSince: past }), 200)
    assert.equal(await read({ IfModifiedSince: new Date(Date.now() + 3_600_000) }), 304)
    assert.equal(await read({ IfNoneMatch: '"other"', IfModifiedSince: new Date() }), 200)
  })

  test('of ten writers with If-None-Match: * exactly one creates the object', async () => {
    const writers = Array.from({ length: 10 }, (_, index) =>
      put('once', `writer ${index}`, { IfNoneMatch: '*' }),
    )
    const results = await Promise.allSettled(writers)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(String(await get('once')), `writer ${winner}`)
    await refused(put('once', 'late', { IfNoneMatch: '*' }), 'PreconditionFailed', 412)
  })

  test('If-Match replaces only the version it names', async () => {
    const { ETag } = await put('versioned', 'one')
    await put('versioned', 'two', { IfMatch: ETag })
    await refused(put('versioned', 'three', { IfMatch: ETag }), 'PreconditionFailed', 412)
    await refused(put('no such key', 'x', { IfMatch: ETag }), 'NoSuchKey', 404)
    assert.equal(String(await get('versioned')), 'two')
  })

  test('deleting a missing key is no error', async () => {
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'never there' }))
  })

  test('Quiet deletes answer without the keys', async () => {
    await put('quiet', 'x')
    const Delete = { Objects: [{ Key: 'quiet' }, { Key: 'missing' }], Quiet: true }
    assert.equal((await s3.send(new DeleteObjectsCommand({ Bucket, Delete }))).Deleted, undefined)
    await refused(get('quiet'), 'NoSuchKey', 404)
  })

  test('a copy keeps the metadata or takes new one', async () => {
    await put('source', 'x', { ContentType: 'text/a', Metadata: { of: 'source' } })
    const copy = { Bucket, CopySource: `${Bucket}/source`, ContentType: 'text/b' }
    await s3.send(new CopyObjectCommand({ ...copy, Key: 'kept' }))
    await s3.send(new CopyObjectCommand({ ...copy, Key: 'replaced', MetadataDirective: 'REPLACE' }))
    const kept = await s3.send(new HeadObjectCommand({ Bucket, Key: 'kept' }))
    assert.deepEqual([kept.ContentType, kept.Metadata], ['text/a', { of: 'source' }])
    const replaced = await s3.send(new HeadObjectCommand({ Bucket, Key: 'replaced' }))
    assert.deepEqual([replaced.ContentType, replaced.Metadata], ['text/b', {}])
    assert.equal(String(await get('replaced')), 'x')
    await refused(s3.send(new CopyObjectCommand({ ...copy, Key: 'source' })), 'InvalidRequest', 400)
  })
})

describe('checksums', () => {
  const algorithms = {
    ChecksumCRC32: 'y/Q5Jg==',
    ChecksumCRC32C: '4waSgw==',
    ChecksumCRC64NVME: 'rosUhgp5mIg=',
    ChecksumSHA1: '98O8HYCOBHMq32eZZczDTKeuNEE=',
    ChecksumSHA256: 'FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=',
  }
  for (const [name, value] of Object.entries(algorithms)) {
    test(`${name} of "123456789" is checked and given back`, async () => {
      assert.equal((await put('sum', '123456789', { [name]: value }))[name as keyof typeof algorithms], value)
      const read = new GetObjectCommand({ Bucket, Key: 'sum', ChecksumMode: 'ENABLED' })
      assert.equal((await s3.send(read))[name as keyof typeof algorithms], value)
      await refused(put('sum', '123456780', { [name]: value }), 'BadDigest', 400)
      await refused(put('sum', '123456789', { [name]: 'AAAA' }), 'InvalidRequest', 400)
      assert.equal(String(await get('sum')), '123456789')
    })
  }

  test('Content-MD5 is checked', async () => {
    const ContentMD5 = createHash('md5').update('right').digest('base64')
    await put('md5', 'right', { ContentMD5 })
    await put('md5', 'right', { ChecksumAlgorithm: 'MD5' })
    await refused(put('md5', 'wrong', { ContentMD5 }), 'BadDigest', 400)
    await refused(put('md5', 'right', { ContentMD5: 'short' }), 'InvalidDigest', 400)
    assert.equal(String(await get('md5')), 'right')
  })
})

describe('ListObjectsV2', () => {
  const own = `contract-${randomUUID()}`
  // U+FF5E sorts before U+1F600 as UTF-8 but after it as UTF-16.
  const keys = ['a', 'a/', 'a/1', 'a/2', 'a/b/3', 'a0', 'b', 'b//x', 'c/é', 'c/～', 'c/😀', 'd/1', 'd/2', 'e']
  keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))

  before(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: own }))
    for (const Key of keys) await put(Key, Key, { Bucket: own })
  })

  /** What S3 documents: roll up to the delimiter, then cut. */
  function expected(Prefix: string, Delimiter: string, StartAfter: string): string[] {
    const after = Buffer.from(StartAfter)
    const shown = keys
      .filter((key) => key.startsWith(Prefix) && Buffer.compare(Buffer.from(key), after) > 0)
      .map((key) => {
        const end = Delimiter === '' ? -1 : key.indexOf(Delimiter, Prefix.length)
        return end < 0 ? key : `${key.slice(0, end + Delimiter.length)}*`
      })
    return [...new Set(shown)]
  }

  async function pages(input: { Prefix: string; Delimiter: string; StartAfter: string }, MaxKeys: number) {
    const shown: string[] = []
    let ContinuationToken: string | undefined
    do {
      const listing = { Bucket: own, ...input, MaxKeys, ContinuationToken }
      const page = await s3.send(new ListObjectsV2Command(listing))
      const keysAndPrefixes = [
        ...(page.Contents ?? []).map(({ Key = '' }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => `${Prefix}*`),
      ]
      assert.equal(page.KeyCount, keysAndPrefixes.length)
      assert.ok(keysAndPrefixes.length > 0 && keysAndPrefixes.length <= MaxKeys)
      assert.equal(page.IsTruncated, page.NextContinuationToken !== undefined)
      shown.push(...keysAndPrefixes)
      ContinuationToken = page.NextContinuationToken
    } while (ContinuationToken !== undefined)
    return shown
  }

  for (const Prefix of ['', 'a', 'a/', 'c/']) {
    for (const Delimiter of ['', '/', '/b']) {
      for (const StartAfter of ['', 'a/1', 'c/～']) {
        const wanted = expected(Prefix, Delimiter, StartAfter)
        if (wanted.length === 0) continue
        test(`pages of 1, 2, 3 and 1000 show each once: ${JSON.stringify([Prefix, Delimiter, StartAfter])}`, async () => {
          for (const most of [1, 2, 3, 1000]) {
            const shown = await pages({ Prefix, Delimiter, StartAfter }, most)
            assert.deepEqual(shown.toSorted(), wanted.toSorted())
          }
        })
      }
    }
  }

  test('keys come in UTF-8 byte order', async () => {
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: own }))
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      keys,
    )
  })

  test('no key is shown for MaxKeys 0 or an unused prefix', async () => {
    for (const more of [{ MaxKeys: 0 }, { Prefix: 'unused' }]) {
      const page = await s3.send(new ListObjectsV2Command({ Bucket: own, ...more }))
      assert.deepEqual([page.KeyCount, page.IsTruncated, page.Contents], [0, false, undefined])
    }
  })

  test('a made-up continuation token is refused', () =>
    refused(
      s3.send(new ListObjectsV2Command({ Bucket: own, ContinuationToken: '***' })),
      'InvalidArgument',
      400,
    ))
})

describe('multipart uploads', () => {
  const large = randomBytes(5 * 1024 * 1024)

  async function start(Key: string): Promise<{ Bucket: string; Key: string; UploadId: string }> {
    const create = new CreateMultipartUploadCommand({
      Bucket,
      Key,
      ContentType: 'text/x',
      Metadata: { a: 'b' },
    })
    const { UploadId = '' } = await s3.send(create)
    return { Bucket, Key, UploadId }
  }
  type Started = Awaited<ReturnType<typeof start>>

  async function part(upload: Started, PartNumber: number, Body: Buffer) {
    const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }))
    return { ETag, PartNumber }
  }

  const complete = (upload: Started, Parts: { ETag: string | undefined; PartNumber: number }[], more = {}) =>
    s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }))

  test('parts become one object, in the order of their numbers', async () => {
    const upload = await start('joined')
    const last = await part(upload, 7, Buffer.from('the end'))
    await part(upload, 2, Buffer.from('replaced'))
    const first = await part(upload, 2, large)
    await refused(get('joined'), 'NoSuchKey', 404)
    const { ETag } = await complete(upload, [first, last])
    assert.match(ETag ?? '', /^"[0-9a-f]{32}-2"$/)
    assert.ok(Buffer.concat([large, Buffer.from('the end')]).equals(await get('joined')))
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'joined' }))
    assert.deepEqual([head.ContentType, head.Metadata, head.ETag], ['text/x', { a: 'b' }, ETag])
    await refused(s3.send(new ListPartsCommand(upload)), 'NoSuchUpload', 404)
  })

  test('a completion that does not fit the parts is refused and the upload stays', async () => {
    const upload = await start('refused')
    const small = await part(upload, 1, Buffer.from('small'))
    const next = await part(upload, 2, Buffer.from('next'))
    await refused(complete(upload, [small, next]), 'EntityTooSmall', 400)
    await refused(complete(upload, [next, small]), 'InvalidPartOrder', 400)
    await refused(complete(upload, [{ ...small, ETag: '"other"' }]), 'InvalidPart', 400)
    await refused(complete(upload, [{ ...small, PartNumber: 3 }]), 'InvalidPart', 400)
    await put('refused', 'there')
    await refused(complete(upload, [small], { IfNoneMatch: '*' }), 'PreconditionFailed', 412)
    await complete(upload, [small])
    assert.equal(String(await get('refused')), 'small')
  })

  test('ListParts pages by part number', async () => {
    const upload = await start('listed')
    for (const number of [1, 5, 9]) await part(upload, number, Buffer.from(String(number)))
    const page = await s3.send(new ListPartsCommand({ ...upload, MaxParts: 2 }))
    assert.deepEqual([page.Parts?.map(({ PartNumber }) => PartNumber), page.IsTruncated], [[1, 5], true])
    const PartNumberMarker = page.NextPartNumberMarker
    const rest = await s3.send(new ListPartsCommand({ ...upload, PartNumberMarker }))
    assert.deepEqual([rest.Parts?.map(({ PartNumber }) => PartNumber), rest.IsTruncated], [[9], false])
  })

  test('an aborted upload is gone', async () => {
    const upload = await start('aborted')
    await part(upload, 1, Buffer.from('x'))
    await s3.send(new AbortMultipartUploadCommand(upload))
    await refused(part(upload, 2, Buffer.from('x')), 'NoSuchUpload', 404)
    await refused(s3.send(new AbortMultipartUploadCommand(upload)), 'NoSuchUpload', 404)
  })

  test('part numbers go from 1 to 10000', async () => {
    const upload = await start('numbers')
    await refused(part(upload, 0, Buffer.from('x')), 'InvalidArgument', 400)
    await refused(part(upload, 10_001, Buffer.from('x')), 'InvalidArgument', 400)
    await part(upload, 10_000, Buffer.from('x'))
  })
})

/** True when the suite runs against an S3 that implements more than the stand-in. */
function foreign(): boolean {
  return process.env.POSTERN_CONTRACT_S3_ENDPOINT !== undefined
}
