import { randomUUID } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { isObject } from '../template/intrinsics.ts'
import type { RouteMatch } from './http-routes.ts'

/** What API Gateway knows of a request besides the request itself. */
export interface RequestSurroundings {
  readonly apiId: string
  readonly accountId: string
  readonly stage: string
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  /** The path, decoded: HTTP APIs give functions no other. */
  readonly path: string
}

/** The answer of a function, ready to be sent. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

/** Builds the event of payload format 2.0 ("Create AWS Lambda proxy integrations for HTTP APIs"). */
export function buildEvent(
  request: IncomingMessage,
  body: Buffer,
  { route, pathParameters }: RouteMatch,
  surroundings: RequestSurroundings,
): APIGatewayProxyEventV2 {
  const rawQueryString = (request.url ?? '').split('?')[1] ?? ''
  const queryStringParameters = combineQuery(rawQueryString)
  const isBase64Encoded = body.length > 0 && !isText(request.headers['content-type'])
  const cookies = request.headers.cookie?.split(';').map((cookie) => cookie.trim())
  return {
    version: '2.0',
    routeKey: route.routeKey,
    rawPath: surroundings.path,
    rawQueryString,
    ...(cookies && { cookies }),
    headers: headersOf(request),
    ...(queryStringParameters && { queryStringParameters }),
    requestContext: requestContext(request, route.routeKey, surroundings),
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    ...(Object.keys(pathParameters).length > 0 && { pathParameters: { ...pathParameters } }),
    isBase64Encoded,
  }
}

/** Reads a function's answer; undefined when API Gateway would find it malformed and answer 500. */
export function readAnswer(result: unknown): HttpAnswer | undefined {
  if (!isObject(result) || !('statusCode' in result)) {
    const body = Buffer.from(typeof result === 'string' ? result : JSON.stringify(result))
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  }
  const status = Number(result.statusCode)
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined
  const { body = '', isBase64Encoded, cookies } = result
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const headers = isObject(result.headers) ? Object.entries(result.headers) : []
  const sent = headers.filter(([name, value]) => value !== null && !connectionHeaders.has(name.toLowerCase()))
  return {
    status,
    headers: {
      'content-type': 'text/plain;charset=utf-8',
      ...Object.fromEntries(sent.map(([name, value]) => [name.toLowerCase(), String(value)])),
      ...(Array.isArray(cookies) && cookies.length > 0 && { 'set-cookie': cookies.map(String) }),
    },
    body: Buffer.from(text, isBase64Encoded === true ? 'base64' : 'utf8'),
  }
}

const textTypes = /^(text\/.*|application\/(json|javascript|xml)|.*\+(json|xml))$/i

/** API Gateway hands over as text what these content types name, everything else in base64. */
function isText(contentType: string | undefined): boolean {
  return textTypes.test((contentType ?? '').split(';')[0]?.trim() ?? '')
}

/** Fields of one connection: both sides of API Gateway have their own. */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
])

/** Cookies have a place of their own in the event. */
const movedHeaders = new Set(['cookie', 'expect'])

function headersOf(request: IncomingMessage): Record<string, string> {
  const kept = Object.entries(request.headersDistinct).filter(
    ([name]) => name === 'content-length' || !(connectionHeaders.has(name) || movedHeaders.has(name)),
  )
  const headers = Object.fromEntries(kept.map(([name, values = []]) => [name, values.join(',')]))
  const forwarded = [headers['x-forwarded-for'], sourceIp(request)].filter((address) => address !== undefined)
  return {
    ...headers,
    'x-amzn-trace-id': `Root=1-${randomUUID()}`,
    'x-forwarded-for': forwarded.join(', '),
    'x-forwarded-port': String(request.socket.localPort),
    'x-forwarded-proto': 'http',
  }
}

function combineQuery(query: string): Record<string, string> | undefined {
  if (query === '') return undefined
  const combined: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    combined[name] = Object.hasOwn(combined, name) ? `${combined[name]},${value}` : value
  }
  return combined
}

function requestContext(
  request: IncomingMessage,
  routeKey: string,
  { apiId, accountId, stage, receivedAt, path }: RequestSurroundings,
): APIGatewayProxyEventV2['requestContext'] {
  const domainName = request.headers.host ?? 'localhost'
  return {
    accountId,
    apiId,
    domainName,
    domainPrefix: domainName.split('.')[0] ?? domainName,
    http: {
      method: request.method ?? 'GET',
      path,
      protocol: `HTTP/${request.httpVersion}`,
      sourceIp: sourceIp(request) ?? '',
      userAgent: request.headers['user-agent'] ?? '',
    },
    requestId: randomUUID(),
    routeKey,
    stage,
    time: commonLogTime(receivedAt),
    timeEpoch: receivedAt,
  }
}

function sourceIp(request: IncomingMessage): string | undefined {
  return request.socket.remoteAddress?.replace(/^::ffff:/, '')
}

/** `12/Mar/2020:19:03:58 +0000`. */
function commonLogTime(at: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(at).toUTCString()) ?? []
  return `${day}/${month}/${year}:${time} +0000`
}
