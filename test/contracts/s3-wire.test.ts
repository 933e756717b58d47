import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { receive } from '../../infra/local/s3/payload.ts'
import { type Endpoint, openEndpoint, type Presign, presign } from './s3-endpoint.ts'

const Bucket = `contract-${randomUUID()}`
const path = `/${Bucket}/some dir/key+1 (ü).eml`
const Key = path.slice(Bucket.length + 2)
let endpoint: Endpoint

before(async () => {
  endpoint = await openEndpoint()
  await endpoint.client.send(new CreateBucketCommand({ Bucket }))
  await endpoint.client.send(new PutObjectCommand({ Bucket, Key, Body: 'kept' }))
})
after(() => endpoint.close())

const url = (options: Presign = {}, of = path): string => presign(endpoint.url, of, options)

async function refused(answer: Promise<Response>, status: number, code: string, text = ''): Promise<void> {
  const response = await answer
  const body = await response.text()
  assert.equal(response.status, status, body)
  assert.match(body, new RegExp(`<Error><Code>${code}</Code><Message>[^<]*${text}`))
  assert.match(body, /<Resource>\/[^<]*<\/Resource><RequestId>[^<]+<\/RequestId>/)
}

async function stored(): Promise<string | undefined> {
  const { Body } = await endpoint.client.send(new GetObjectCommand({ Bucket, Key }))
  return Body?.transformToString()
}

async function putBack(): Promise<void> {
  await endpoint.client.send(new PutObjectCommand({ Bucket, Key, Body: 'kept' }))
}

describe('presigned URLs', () => {
  test('read an object', async () => {
    const response = await fetch(url())
    assert.deepEqual([response.status, await response.text()], [200, 'kept'])
  })

  test('write an object, with the metadata of the query', async () => {
    const query = { 'x-amz-meta-of': 'query', 'x-id': 'PutObject' }
    const response = await fetch(url({ method: 'PUT', query }), { method: 'PUT', body: 'new' })
    assert.equal(response.status, 200)
    assert.equal(await stored(), 'new')
    const { Metadata } = await endpoint.client.send(new HeadObjectCommand({ Bucket, Key }))
    assert.deepEqual(Metadata, { of: 'query' })
    await putBack()
  })

  test('read with response headers of the signer’s choice', async () => {
    const query = { 'response-content-disposition': 'attachment; filename="a b.eml"' }
    const response = await fetch(url({ query }))
    assert.equal(response.headers.get('content-disposition'), query['response-content-disposition'])
  })

  const past = (seconds: number): Date => new Date(Date.now() - seconds * 1000)
  const refusals: [name: string, options: Presign, status: number, code: string, text: string][] = [
    ['expired', { signedAt: past(61), expires: 60 }, 403, 'AccessDenied', 'Request has expired'],
    ['not yet valid', { signedAt: past(-3600) }, 403, 'AccessDenied', 'not yet valid'],
    ['signed with another secret', { secret: 'other' }, 403, 'SignatureDoesNotMatch', ''],
    ['of an unknown access key', { keyId: 'AKIAOTHER' }, 403, 'InvalidAccessKeyId', ''],
    ['for another method', { method: 'PUT' }, 403, 'SignatureDoesNotMatch', ''],
    ['valid for over a week', { expires: 604_801 }, 400, 'AuthorizationQueryParametersError', 'week'],
  ]
  for (const [name, options, status, code, text] of refusals) {
    test(`are refused when ${name}`, () => refused(fetch(url(options)), status, code, text))
  }

  test('are good up to their last second', async () => {
    assert.equal((await fetch(url({ signedAt: past(50), expires: 60 }))).status, 200)
  })

  const tampered: [what: string, change: (url: string) => string][] = [
    ['the key', (text) => text.replace('key', 'kez')],
    ['the lifetime', (text) => text.replace('X-Amz-Expires=60', 'X-Amz-Expires=6000')],
    ['an added parameter', (text) => `${text}&response-content-type=text%2Fhtml`],
    ['the signature', (text) => text.replace(/.$/, (last) => (last === '0' ? '1' : '0'))],
  ]
  for (const [what, change] of tampered) {
    test(`are refused when changed: ${what}`, () =>
      refused(fetch(change(url())), 403, 'SignatureDoesNotMatch'))
  }

  for (const name of [
    'X-Amz-Credential',
    'X-Amz-Date',
    'X-Amz-Expires',
    'X-Amz-SignedHeaders',
    'X-Amz-Signature',
  ]) {
    test(`are refused without ${name}`, () =>
      refused(
        fetch(url().replace(new RegExp(`&?${name}=[^&]*`), '')),
        400,
        'AuthorizationQueryParametersError',
      ))
  }

  test('are refused together with an Authorization header', () =>
    refused(
      fetch(url(), { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } }),
      400,
      'InvalidArgument',
      'Only one auth mechanism allowed',
    ))

  test('are refused with an x-amz header that is not signed', async () => {
    const headers = { 'x-amz-meta-extra': '1' }
    const body = 'changed'
    await refused(
      fetch(url({ method: 'PUT' }), { method: 'PUT', headers, body }),
      403,
      'AccessDenied',
      'not signed',
    )
    assert.equal((await fetch(url({ method: 'PUT', headers }), { method: 'PUT', headers, body })).status, 200)
    await putBack()
  })

  test('hold a client to the checksum in the query', async () => {
    // What SDKs sign by default when there is no body yet: the CRC32 of nothing.
    const query = { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-sdk-checksum-algorithm': 'CRC32' }
    await refused(fetch(url({ method: 'PUT', query }), { method: 'PUT', body: 'changed' }), 400, 'BadDigest')
    assert.equal(await stored(), 'kept')
  })

  test('are needed: an unsigned request is refused', () =>
    refused(fetch(`${endpoint.url}/${Bucket}/key`), 403, 'AccessDenied'))
})

describe('aws-chunked payloads', () => {
  const sum = (text: string): string => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(crc32(text))
    return bytes.toString('base64')
  }
  const trailer = `x-amz-checksum-crc32:${sum('hello world')}\r\n\r\n`

  const chunkedHeaders = (decodedLength: number): Record<string, string> => ({
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': String(decodedLength),
    'x-amz-trailer': 'x-amz-checksum-crc32',
  })

  function putChunked(body: string, decodedLength = 11): Promise<Response> {
    const authorization = 'AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/s3/aws4_request'
    const target = endpoint.url + encodeURI(path).replace('+', '%2B')
    return fetch(target, {
      method: 'PUT',
      headers: { ...chunkedHeaders(decodedLength), authorization },
      body,
    })
  }

  const accepted: [name: string, body: string][] = [
    ['one chunk', `b\r\nhello world\r\n0\r\n${trailer}`],
    ['several chunks', `5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n${trailer}`],
    [
      'sizes in capitals, with chunk signatures',
      `B;chunk-signature=ab\r\nhello world\r\n0;chunk-signature=cd\r\n${trailer}`,
    ],
  ]
  for (const [name, body] of accepted) {
    test(`are decoded: ${name}`, { skip: foreign() }, async () => {
      const response = await putChunked(body)
      assert.equal(response.status, 200, await response.text())
      assert.equal(response.headers.get('x-amz-checksum-crc32'), sum('hello world'))
      assert.equal(await stored(), 'hello world')
      await putBack()
    })
  }

  test('are decoded however the network cuts them', async () => {
    const [, [, body]] = accepted as [unknown, [string, string]]
    for (let size = 1; size <= body.length; size++) {
      const pieces: Buffer[] = []
      for (let at = 0; at < body.length; at += size) pieces.push(Buffer.from(body.slice(at, at + size)))
      const call = { method: 'PUT', path, bucket: Bucket, key: Key, query: new URLSearchParams() }
      let text = ''
      await receive({ ...call, headers: chunkedHeaders(11), body: Readable.from(pieces) }, async (chunk) => {
        text += chunk
      })
      assert.equal(text, 'hello world', `pieces of ${size}`)
    }
  })

  const refusals: [name: string, body: string, code: string, decodedLength?: number][] = [
    ['a wrong trailing checksum', `b\r\nhello w0rld\r\n0\r\n${trailer}`, 'BadDigest'],
    ['no trailing checksum', 'b\r\nhello world\r\n0\r\n\r\n', 'InvalidRequest'],
    [
      'a malformed trailing checksum',
      'b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:?\r\n\r\n',
      'InvalidRequest',
    ],
    ['fewer bytes than declared', `b\r\nhello world\r\n0\r\n${trailer}`, 'IncompleteBody', 12],
    ['an end inside a chunk', 'b\r\nhello', 'IncompleteBody'],
    ['an end before the last chunk', 'b\r\nhello world\r\n', 'IncompleteBody'],
    ['a chunk longer than its size', `5\r\nhello world\r\n0\r\n${trailer}`, 'IncompleteBody'],
    ['a size that is no number', `x\r\nhello world\r\n0\r\n${trailer}`, 'IncompleteBody'],
    ['bytes after the end', `b\r\nhello world\r\n0\r\n${trailer}more`, 'IncompleteBody'],
    ['no framing at all', 'hello world', 'IncompleteBody'],
  ]
  for (const [name, body, code, decodedLength] of refusals) {
    test(`are refused and not stored: ${name}`, { skip: foreign() }, async () => {
      await refused(putChunked(body, decodedLength), 400, code)
      assert.equal(await stored(), 'kept')
    })
  }
})

describe('answers', () => {
  const signedFetch = (target: string, init: RequestInit = {}): Promise<Response> =>
    fetch(endpoint.url + target, {
      ...init,
      headers: { ...init.headers, authorization: 'AWS4-HMAC-SHA256 Credential=x' },
    })

  test('a HEAD error has no body', async () => {
    const response = await fetch(url({ method: 'HEAD' }, `/${Bucket}/missing`), { method: 'HEAD' })
    assert.deepEqual([response.status, await response.text()], [404, ''])
  })

  test('a payload that is not the signed one is refused', { skip: foreign() }, async () => {
    const headers = { 'x-amz-content-sha256': createHash('sha256').update('signed').digest('hex') }
    const answer = signedFetch(`/${Bucket}/hashed`, { method: 'PUT', headers, body: 'other' })
    await refused(answer, 400, 'XAmzContentSHA256Mismatch')
  })

  const notImplemented: [method: string, target: string][] = [
    ['PUT', '?replication'],
    ['PUT', '?constructor'],
    ['GET', '?versions'],
    ['GET', ''],
    ['GET', '/key?acl'],
    ['PUT', '/key?tagging'],
    ['POST', '/key?restore'],
    ['PATCH', '/key'],
  ]
  for (const [method, target] of notImplemented) {
    test(`${method} /bucket${target} is NotImplemented`, { skip: foreign() }, () =>
      refused(signedFetch(`/${Bucket}${target}`, { method }), 501, 'NotImplemented'),
    )
  }

  test('a header that would be lost is NotImplemented', { skip: foreign() }, () =>
    refused(
      signedFetch(`/${Bucket}/tagged`, { method: 'PUT', body: 'x', headers: { 'x-amz-tagging': 'a=b' } }),
      501,
      'NotImplemented',
    ),
  )

  test('a malformed path is InvalidURI', { skip: foreign() }, () =>
    refused(signedFetch(`/${Bucket}/%ff`), 400, 'InvalidURI'),
  )

  test('a payload of unknown length is refused', { skip: foreign() }, async () => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('x'))
        controller.close()
      },
    })
    await refused(
      signedFetch(`/${Bucket}/chunked`, { method: 'PUT', body, duplex: 'half' }),
      411,
      'MissingContentLength',
    )
  })
})

/** True when the suite runs against an S3 that checks header signatures or implements more. */
function foreign(): boolean {
  return process.env.POSTERN_CONTRACT_S3_ENDPOINT !== undefined
}
