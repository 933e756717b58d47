import { type Context, Hono } from 'hono'
import { readBasicCredentials } from '../account/basic-credentials.ts'
import { type Login, logIn } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import { lookUp } from '../base/look-up.ts'
import { LARGEST_ANSWER } from '../content/large-answer.ts'
import { ApiError } from './api-error.ts'
import { readCallBody } from './call-body.ts'
import type { CallResult, WebapiPorts } from './call-context.ts'
import { methods } from './methods.ts'
import { methodPage, methodsPage, PAGE_SCRIPT, PAGE_STYLE } from './pages.ts'

/** The webapi below `/webapi/`: one POST per call, HTTP Basic with an address of the account, 400 for every failed call. */
export function webapi(ports: WebapiPorts): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    context.header('X-Content-Type-Options', 'nosniff')
    context.header('X-Frame-Options', 'deny')
    context.header('Content-Security-Policy', "default-src 'self'")
    context.header('Referrer-Policy', 'same-origin')
  })
  app.get('/webapi', (context) => context.redirect('/webapi/v0/', 303))
  app.get('/webapi/', (context) => context.redirect('/webapi/v0/', 303))
  app.all('/webapi/', (context) => context.text('method not allowed', 405))
  app.all('/webapi/v0/', (context) => context.html(methodsPage()))
  app.get('/webapi/v0/page.js', () => staticAnswer(PAGE_SCRIPT, 'text/javascript'))
  app.get('/webapi/v0/page.css', () => staticAnswer(PAGE_STYLE, 'text/css'))
  app.get('/webapi/v0/openapi.json', async () => {
    // It needs half of zod, and hardly anybody asks for it.
    const { openApiDocument } = await import('./openapi.ts')
    return jsonAnswer(openApiDocument(), 200)
  })
  app.all('/webapi/v0/:method', async (context) => await answerMethod(ports, context))
  app.notFound((context) => context.text('not found', 404))
  app.onError((error, context) => {
    ports.log.error('webapi call failed', error, { path: context.req.path })
    return jsonAnswer({ Code: 'server', Message: 'internal error, try again later' }, 400)
  })
  return app
}

async function answerMethod(ports: WebapiPorts, context: Context): Promise<Response> {
  const name = context.req.param('method') ?? ''
  const method = lookUp(methods, name)
  if (!method) return context.text('no such method', 404)
  if (context.req.method === 'GET') return context.html(methodPage(name, method))
  if (context.req.method !== 'POST') return context.text('method not allowed', 405)
  if (isFromAnotherSite(context)) return context.text('calls from pages of other sites are refused', 403)

  const options = await ports.options.read()
  const login = await authenticate(ports, options, context)
  if (login instanceof Response) return login
  try {
    const body = readCallBody(context.req.header('content-type') ?? '', await bodyOf(context))
    const idempotencyKey = context.req.header('idempotency-key')
    return await answer(ports, await method.call({ ports, options, login, body, idempotencyKey }))
  } catch (error) {
    if (error instanceof ApiError) return refusal(error)
    throw error
  }
}

/**
 * Whoever called a method from its page has a browser that knows the password and sends it along with any form of
 * any site. Browsers say where a request comes from; other clients do not.
 */
function isFromAnotherSite(context: Context): boolean {
  return ['cross-site', 'same-site'].includes(context.req.header('sec-fetch-site') ?? '')
}

/** The login, or the refusal: a call without credentials is no failed login, and nobody waits for it. */
async function authenticate(
  ports: WebapiPorts,
  options: Options,
  context: Context,
): Promise<Login | Response> {
  const credentials = readBasicCredentials(context.req.header('authorization'))
  if (!credentials) return unauthorized('HTTP Basic authentication is needed')
  const admission = await ports.loginLimiter.admit(ports.clientIp(context))
  if (!admission) return context.text('the address of the client is unknown', 500)
  if (admission.kind === 'refused') return tooManyFailures(admission.retryAfterSeconds)
  const result = await logIn({ ...ports, options }, credentials.userName, credentials.password)
  if (result.kind === 'login') {
    await admission.succeeded()
    return result.login
  }
  await admission.failed()
  return unauthorized(result.reason)
}

function tooManyFailures(retryAfterSeconds: number): Response {
  return new Response('too many failed logins from this network, try again later\n', {
    status: 429,
    headers: { 'Retry-After': String(retryAfterSeconds), 'Content-Type': 'text/plain; charset=utf-8' },
  })
}

function unauthorized(reason: string): Response {
  return new Response(`${reason}\n`, {
    status: 401,
    headers: { 'WWW-Authenticate': 'Basic realm=webapi', 'Content-Type': 'text/plain; charset=utf-8' },
  })
}

async function bodyOf(context: Context): Promise<Uint8Array> {
  return new Uint8Array(await context.req.arrayBuffer())
}

/** What is too large for an answer is to be fetched by GET, without the credentials: S3 refuses a second kind. */
async function answer({ largeAnswers }: WebapiPorts, result: CallResult): Promise<Response> {
  if (result.kind === 'content')
    return elsewhere(await largeAnswers.linkTo(result.content, result.contentType))
  const [body, contentType] =
    result.kind === 'json' ? [jsonBody(result.value), JSON_TYPE] : [result.bytes, result.contentType]
  if (body.length > LARGEST_ANSWER) return elsewhere(await largeAnswers.keep(body, contentType))
  const status = (result.kind === 'json' && result.status) || 200
  return new Response(Buffer.from(body), { status, headers: { 'Content-Type': contentType } })
}

function elsewhere(url: string): Response {
  return new Response(null, { status: 303, headers: { Location: url, 'Cache-Control': 'no-store' } })
}

function refusal({ code, message, retryAfterSeconds }: ApiError): Response {
  const response = jsonAnswer({ Code: code, Message: message }, 400)
  if (retryAfterSeconds !== undefined) response.headers.set('Retry-After', String(retryAfterSeconds))
  return response
}

function jsonAnswer(value: object, status: number): Response {
  return new Response(jsonBody(value), { status, headers: { 'Content-Type': JSON_TYPE } })
}

const JSON_TYPE = 'application/json; charset=utf-8'

function jsonBody(value: object): Buffer<ArrayBuffer> {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

function staticAnswer(text: string, mediaType: string): Response {
  return new Response(text, {
    headers: { 'Content-Type': `${mediaType}; charset=utf-8`, 'Cache-Control': 'max-age=3600' },
  })
}
