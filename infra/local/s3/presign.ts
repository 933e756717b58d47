import { createHash, createHmac } from 'node:crypto'
import { ServiceError } from '../gateway/json-service.ts'
import type { S3Call } from './call.ts'

/** What a presigned URL is checked against. */
interface PresignRules {
  readonly region: string
  readonly now: () => number
  readonly secretFor: (accessKeyId: string) => string | undefined
}

/**
 * Lets a request pass that is signed in its header (not checked again here) or by a valid presigned query
 * (Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters"); throws as S3 refuses otherwise.
 */
export function checkAuthentication(call: S3Call, rules: PresignRules): void {
  const inQuery = call.query.has('X-Amz-Signature') || call.query.has('X-Amz-Algorithm')
  const inHeader = call.headers.authorization !== undefined
  if (inQuery && inHeader) {
    throw new ServiceError(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    )
  }
  if (!inQuery && !inHeader) throw accessDenied('Access Denied')
  if (inQuery) checkPresigned(call, rules)
}

const longestExpirySeconds = 604_800
const clockSkewMs = 15 * 60 * 1000

function checkPresigned(call: S3Call, rules: PresignRules): void {
  const signed = readParameters(call)
  const [accessKeyId = '', day = '', region = '', service = '', terminator = ''] =
    signed.credential.split('/')
  if (region !== rules.region || service !== 's3' || terminator !== 'aws4_request') {
    throw queryError(
      `Error parsing the X-Amz-Credential parameter; it must end with /${rules.region}/s3/aws4_request`,
    )
  }
  const signedAt = Date.parse(
    signed.date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  )
  if (Number.isNaN(signedAt) || !signed.date.startsWith(day)) {
    throw queryError("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
  }
  if (rules.now() < signedAt - clockSkewMs) throw accessDenied('Request is not yet valid')
  if (rules.now() >= signedAt + signed.expiresSeconds * 1000) throw accessDenied('Request has expired')
  const secret = rules.secretFor(accessKeyId)
  if (secret === undefined) {
    throw new ServiceError(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      403,
    )
  }
  requireSignedHeaders(call, signed.signedHeaders)
  const scope = `${day}/${region}/${service}/${terminator}`
  const canonical = canonicalRequest(call, signed.signedHeaders)
  const toSign = ['AWS4-HMAC-SHA256', signed.date, scope, sha256(canonical)].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((k, part) => hmac(k, part), `AWS4${secret}`)
  if (hmac(key, toSign).toString('hex') !== signed.signature) {
    throw new ServiceError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      403,
    )
  }
}

interface PresignParameters {
  readonly credential: string
  readonly date: string
  readonly expiresSeconds: number
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

function readParameters({ query }: S3Call): PresignParameters {
  const parameter = (name: string): string => {
    const value = query.get(name)
    if (value !== null) return value
    throw queryError(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  if (parameter('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') {
    throw queryError('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
  }
  const expires = parameter('X-Amz-Expires')
  if (!/^\d{1,9}$/.test(expires)) throw queryError('X-Amz-Expires should be a number')
  if (Number(expires) > longestExpirySeconds) {
    throw queryError(`X-Amz-Expires must be less than a week (in seconds); ${longestExpirySeconds} at most`)
  }
  return {
    credential: parameter('X-Amz-Credential'),
    date: parameter('X-Amz-Date'),
    expiresSeconds: Number(expires),
    signedHeaders: parameter('X-Amz-SignedHeaders').split(';'),
    signature: parameter('X-Amz-Signature'),
  }
}

/** `host` and every `x-amz-*` header must be covered, or a URL's holder could change what it does. */
function requireSignedHeaders(call: S3Call, signedHeaders: readonly string[]): void {
  const covered = new Set([...signedHeaders, ...[...call.query.keys()].map((name) => name.toLowerCase())])
  const open = Object.keys(call.headers).filter((name) => name === 'host' || name.startsWith('x-amz-'))
  const missing = open.filter((name) => !covered.has(name))
  if (missing.length > 0) {
    throw accessDenied(
      `There were headers present in the request which were not signed: ${missing.join(', ')}`,
    )
  }
}

function canonicalRequest(call: S3Call, signedHeaders: readonly string[]): string {
  const query = [...call.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map((pair) => pair.join('='))
  const headers = signedHeaders.map((name) => `${name}:${tidy(call.headers[name])}\n`)
  return [
    call.method,
    encode(call.path).replaceAll('%2F', '/'),
    query.join('&'),
    headers.join(''),
    signedHeaders.join(';'),
    call.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD',
  ].join('\n')
}

function tidy(value: string | undefined): string {
  return (value ?? '').trim().replace(/ +/g, ' ')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function accessDenied(message: string): ServiceError {
  return new ServiceError('AccessDenied', message, 403)
}

function queryError(message: string): ServiceError {
  return new ServiceError('AuthorizationQueryParametersError', message)
}
