import { type Context, Hono } from 'hono'
import { readBasicCredentials } from '../account/basic-credentials.ts'
import { type Login, logIn } from '../account/log-in.ts'
import type { Options } from '../account/options.ts'
import { ApiError } from './api-error.ts'
import { readCallBody } from './call-body.ts'
import type { CallResult, Method, WebapiPorts } from './call-context.ts'
import { messageGet, messagePartGet, messageRawGet } from './messages.ts'
import { send } from './send.ts'

const methods: Readonly<Record<string, Method>> = {
  Send: send,
  MessageGet: messageGet,
  MessageRawGet: messageRawGet,
  MessagePartGet: messagePartGet,
}

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
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (!method) return context.text('no such method', 404)
  if (context.req.method === 'GET') return context.html(methodPage(name))
  if (context.req.method !== 'POST') return context.text('method not allowed', 405)

  const options = await ports.options.read()
  const login = await authenticate(ports, options, context)
  if (login instanceof Response) return login
  try {
    const body = readCallBody(context.req.header('content-type') ?? '', await bodyOf(context))
    return answer(await method({ ports, options, login, body }))
  } catch (error) {
    if (error instanceof ApiError) return jsonAnswer({ Code: error.code, Message: error.message }, 400)
    throw error
  }
}

async function authenticate(
  ports: WebapiPorts,
  options: Options,
  context: Context,
): Promise<Login | Response> {
  const credentials = readBasicCredentials(context.req.header('authorization'))
  if (!credentials) return unauthorized('HTTP Basic authentication is needed')
  const result = await logIn({ ...ports, options }, credentials.userName, credentials.password)
  return result.kind === 'login' ? result.login : unauthorized(result.reason)
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

function answer(result: CallResult): Response {
  if (result.kind === 'json') return jsonAnswer(result.value, 200)
  return new Response(Buffer.from(result.bytes), { headers: { 'Content-Type': result.contentType } })
}

function jsonAnswer(value: object, status: number): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
  })
}

function methodsPage(): string {
  const items = Object.keys(methods).map((name) => `<li><a href="${name}">${name}</a></li>`)
  return page('Postern webapi, version 0', `<ul>${items.join('')}</ul>`)
}

function methodPage(name: string): string {
  return page(name, `<p>POST a form with the field <code>request</code>, or JSON, to this address.</p>`)
}

function page(title: string, content: string): string {
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${content}</html>`
}
