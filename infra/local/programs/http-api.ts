import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { z } from 'zod'
import type { NamedTemplate } from '../template/template.ts'
import { buildEvent, readAnswer } from './http-event.ts'
import { findRoute, type Route } from './http-routes.ts'
import { FunctionError } from './lambda-protocol.ts'

/** An HTTP API of the template. */
export interface HttpApi {
  readonly apiId: string
  readonly stage: string
  readonly routes: readonly Route[]
}

/** Limits of an HTTP API ("Quotas for HTTP APIs"). */
const bodyLimitBytes = 10 * 1024 * 1024
const headerLimitBytes = 10_240
const integrationLimitMs = 30_000

/** Reads the template's HTTP API; undefined when it has none. Throws on what this reader does not serve. */
export function readHttpApi(template: NamedTemplate): HttpApi | undefined {
  const [api, second] = template.ofType('AWS::ApiGatewayV2::Api')
  if (!api) return undefined
  if (second) throw new Error(`${second.logicalId}: the local cloud serves one HTTP API only`)
  template.read(api, z.object({ ProtocolType: z.literal('HTTP') }))
  const stages = template.ofType('AWS::ApiGatewayV2::Stage')
  for (const stage of stages) template.read(stage, z.object({ StageName: z.literal('$default') }))
  const routes = template.ofType('AWS::ApiGatewayV2::Route').map((route): Route => {
    const { RouteKey, Target } = template.read(route, routeSchema)
    const ref = Target.replace('integrations/', '')
    const integration = template
      .ofType('AWS::ApiGatewayV2::Integration')
      .find(({ logicalId }) => template.identities.reference(logicalId) === ref)
    if (!integration) throw new Error(`${route.logicalId}: no integration ${ref}`)
    const { IntegrationUri } = template.read(integration, integrationSchema)
    const functionLogicalId = template.identities.logicalIdOf(IntegrationUri, integration.logicalId)
    return { routeKey: RouteKey, functionLogicalId }
  })
  return { apiId: template.identities.reference(api.logicalId), stage: '$default', routes }
}

const routeSchema = z.object({
  RouteKey: z.string(),
  Target: z.string(),
  AuthorizationType: z.literal('NONE').optional(),
})

const integrationSchema = z.object({
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
})

type OwnPath = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What serving an API needs. */
export interface HttpApiOptions {
  readonly api: HttpApi
  readonly accountId: string
  readonly port: number
  readonly addresses: readonly string[]
  readonly now: () => number
  readonly invoke: (functionLogicalId: string, event: unknown) => Promise<unknown>
  /** Whether the function's resource policy lets the API invoke it for a route; always when left out. */
  readonly mayInvoke?: (route: Route) => boolean
  /** Paths of the local cloud itself, which come before the routes. */
  readonly ownPaths?: Readonly<Record<string, OwnPath>>
  readonly onLog: (line: string) => void
}

/** Serves the API on `port` of every address; the result closes it. */
export async function serveHttpApi(options: HttpApiOptions): Promise<{ close(): Promise<void> }> {
  const servers: Server[] = []
  const close = async () => {
    await Promise.all(
      servers.map((server) => {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        return closed
      }),
    )
  }
  try {
    for (const address of options.addresses) servers.push(await listen(address, options))
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

async function listen(address: string, options: HttpApiOptions): Promise<Server> {
  const server = createServer({ maxHeaderSize: headerLimitBytes }, (request, response) => {
    serve(request, response, options).catch((error: unknown) => {
      options.onLog(
        `[http] ${request.method} ${request.url}: ${error instanceof Error ? error.stack : error}`,
      )
      sendMessage(response, 500, 'Internal Server Error')
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, address, resolve)
  })
  return server
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { api, accountId, now, invoke, mayInvoke, ownPaths = {}, onLog }: HttpApiOptions,
): Promise<void> {
  const receivedAt = now()
  const path = decodePath(request.url ?? '/')
  const own = Object.hasOwn(ownPaths, path ?? '') ? ownPaths[path ?? ''] : undefined
  if (own) return await own(request, response)
  const match = path === undefined ? undefined : findRoute(api.routes, request.method ?? '', path)
  if (path === undefined) return sendMessage(response, 400, 'Bad Request')
  if (!match) return sendMessage(response, 404, 'Not Found')
  if (mayInvoke?.(match.route) === false) {
    const { routeKey, functionLogicalId } = match.route
    onLog(`[http] ${routeKey}: no AWS::Lambda::Permission lets the API invoke ${functionLogicalId}`)
    return sendMessage(response, 500, failureTexts[500])
  }
  const body = await readBody(request)
  if (!body) return sendMessage(response, 413, 'Request Entity Too Large')
  const event = buildEvent(request, body, match, { ...api, accountId, receivedAt, path })
  const outcome = await withinLimit(invokeForAnswer(invoke, match.route.functionLogicalId, event))
  if (typeof outcome === 'number') {
    return sendMessage(response, outcome, failureTexts[outcome])
  }
  const { status, headers } = outcome
  response.writeHead(status, {
    ...headers,
    ...(status !== 204 && { 'content-length': outcome.body.length }),
    'apigw-requestid': event.requestContext.requestId,
  })
  response.end(outcome.body)
}

/** What API Gateway answers in place of the function. */
const failureTexts = {
  413: 'Request Entity Too Large',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
} as const

type Outcome = NonNullable<ReturnType<typeof readAnswer>> | keyof typeof failureTexts

async function invokeForAnswer(
  invoke: HttpApiOptions['invoke'],
  functionLogicalId: string,
  event: unknown,
): Promise<Outcome> {
  try {
    return readAnswer(await invoke(functionLogicalId, event)) ?? 500
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error
    return error.errorType === 'RequestEntityTooLargeException' ? 413 : 500
  }
}

async function withinLimit(outcome: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(resolve, integrationLimitMs, 503)
  })
  try {
    return await Promise.race([outcome, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The whole body; undefined when it is larger than an HTTP API takes. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  // Not destroyed on an early return: the client must be able to read the refusal.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > bodyLimitBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decodePath(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '/')
  } catch {
    return undefined
  }
}

function sendMessage(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(status, { 'content-type': 'application/json', 'apigw-requestid': randomUUID() })
  response.end(JSON.stringify({ message }))
}
