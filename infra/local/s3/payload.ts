import { createHash } from 'node:crypto'
import { ServiceError } from '../gateway/json-service.ts'
import type { Headers, S3Call } from './call.ts'
import { type Checksum, startChecksum } from './checksum.ts'

/** A payload that arrived whole and passed every check the client asked for. */
interface Received {
  readonly size: number
  readonly md5: string
  /** The `x-amz-checksum-*` header that was verified, to be kept and sent back. */
  readonly checksum: Readonly<Record<string, string>>
}

const largestPayload = 5 * 1024 ** 3

/** Hands the decoded payload to `write` piece by piece and throws S3's error when anything does not match. */
export async function receive(call: S3Call, write: (chunk: Buffer) => Promise<void>): Promise<Received> {
  const expectedSize = declaredSize(call.headers)
  if (expectedSize > largestPayload) {
    throw new ServiceError('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size')
  }
  const trailers = new Map<string, string>()
  const checks = requestedChecks(call.headers, trailers)
  const md5 = createHash('md5')
  let size = 0
  for await (const chunk of isAwsChunked(call.headers) ? awsChunks(call.body, trailers) : call.body) {
    size += chunk.length
    md5.update(chunk)
    for (const check of checks) check.sum.update(chunk)
    await write(chunk)
  }
  if (size !== expectedSize) throw incompleteBody()
  const digest = md5.digest()
  verifyContentMd5(call.headers, digest)
  const checksum: Record<string, string> = {}
  for (const check of checks) Object.assign(checksum, check.verify(check.sum.digest()))
  return { size, md5: digest.toString('hex'), checksum }
}

/** A small payload (an XML or JSON document, at most 4 MiB) as text. */
export async function receiveText(call: S3Call): Promise<string> {
  if (declaredSize(call.headers) > 4 * 1024 ** 2) {
    throw new ServiceError('MaxMessageLengthExceeded', 'Your request was too big.')
  }
  const chunks: Buffer[] = []
  await receive(call, async (chunk) => {
    chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString('utf8')
}

function isAwsChunked(headers: Headers): boolean {
  return (
    headers['x-amz-content-sha256']?.startsWith('STREAMING-') === true ||
    headers['content-encoding']?.includes('aws-chunked') === true
  )
}

function declaredSize(headers: Headers): number {
  const text = isAwsChunked(headers) ? headers['x-amz-decoded-content-length'] : headers['content-length']
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new ServiceError('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411)
  }
  return Number(text)
}

interface Check {
  readonly sum: Checksum
  /** Throws on a mismatch; returns what is kept with the object. */
  readonly verify: (digest: Buffer) => Readonly<Record<string, string>>
}

function requestedChecks(headers: Headers, trailers: ReadonlyMap<string, string>): Check[] {
  const announced = [...Object.keys(headers), ...(headers['x-amz-trailer'] ?? '').split(',')]
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^x-amz-checksum-(?!algorithm$|type$|mode$)/.test(name))
  if (announced.length > 1) {
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  }
  const named = headers['x-amz-sdk-checksum-algorithm'] !== undefined
  if (named && announced.length === 0 && headers['content-md5'] === undefined) {
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    )
  }
  const checks = announced.map((name) => checksumCheck(name, headers, trailers))
  const sha256 = headers['x-amz-content-sha256'] ?? ''
  return /^[0-9a-f]{64}$/.test(sha256) ? [...checks, payloadHashCheck(sha256)] : checks
}

function checksumCheck(name: string, headers: Headers, trailers: ReadonlyMap<string, string>): Check {
  const algorithm = name.slice('x-amz-checksum-'.length)
  const sum = startChecksum(algorithm)
  if (sum === undefined) {
    throw new ServiceError('NotImplemented', `The local S3 cannot compute the checksum ${algorithm}.`, 501)
  }
  const verify = (digest: Buffer): Record<string, string> => {
    const given = headers[name] ?? trailers.get(name) ?? ''
    const decoded = Buffer.from(given, 'base64')
    if (decoded.length !== digest.length || decoded.toString('base64') !== given) {
      throw invalidRequest(`Value for ${name} header is invalid.`)
    }
    if (decoded.equals(digest)) return { [name]: given }
    throw new ServiceError(
      'BadDigest',
      `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`,
    )
  }
  return { sum, verify }
}

function payloadHashCheck(expected: string): Check {
  const verify = (digest: Buffer): Record<string, string> => {
    if (digest.toString('hex') === expected) return {}
    throw new ServiceError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
  }
  return { sum: createHash('sha256'), verify }
}

function verifyContentMd5(headers: Headers, digest: Buffer): void {
  const given = headers['content-md5']
  if (given === undefined) return
  const decoded = Buffer.from(given, 'base64')
  if (decoded.length !== 16 || decoded.toString('base64') !== given) {
    throw new ServiceError('InvalidDigest', 'The Content-MD5 you specified was invalid.')
  }
  if (!decoded.equals(digest)) {
    throw new ServiceError('BadDigest', 'The Content-MD5 you specified did not match what we received.')
  }
}

/**
 * Decodes `aws-chunked`: `<hex size>[;chunk-signature=…]CRLF <data> CRLF`, a chunk of size 0, then trailer lines
 * up to an empty one (Amazon S3 API Reference, "Signature calculations … multiple chunks").
 */
async function* awsChunks(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const reader = startReader(source)
  for (;;) {
    let left = chunkSize(await reader.line())
    if (left === 0) break
    while (left > 0) {
      const piece = await reader.some(left)
      left -= piece.length
      yield piece
    }
    if ((await reader.line()) !== '') throw incompleteBody()
  }
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const colon = line.indexOf(':')
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
  }
  if (!(await reader.isAtEnd())) throw incompleteBody()
}

function chunkSize(line: string): number {
  const [digits = ''] = line.split(';')
  if (!/^[0-9a-f]{1,10}$/i.test(digits)) throw incompleteBody()
  return Number.parseInt(digits, 16)
}

interface Reader {
  line(): Promise<string>
  some(most: number): Promise<Buffer>
  isAtEnd(): Promise<boolean>
}

function startReader(source: AsyncIterable<Buffer>): Reader {
  const iterator = source[Symbol.asyncIterator]()
  let pending: Buffer = Buffer.alloc(0)
  const fill = async (): Promise<boolean> => {
    const next = await iterator.next()
    if (next.done !== true) {
      pending = pending.length === 0 ? next.value : Buffer.concat([pending, next.value])
    }
    return next.done !== true
  }
  return {
    line: async () => {
      while (!pending.includes('\r\n')) {
        if (pending.length > 8192 || !(await fill())) throw incompleteBody()
      }
      const end = pending.indexOf('\r\n')
      const line = pending.toString('latin1', 0, end)
      pending = pending.subarray(end + 2)
      return line
    },
    some: async (most) => {
      if (pending.length === 0 && !(await fill())) throw incompleteBody()
      const piece = pending.subarray(0, most)
      pending = pending.subarray(piece.length)
      return piece
    },
    isAtEnd: async () => pending.length === 0 && !(await fill()),
  }
}

function incompleteBody(): ServiceError {
  return new ServiceError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
  )
}

function invalidRequest(message: string): ServiceError {
  return new ServiceError('InvalidRequest', message)
}
