import { createHash, timingSafeEqual } from 'node:crypto'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { readBasicCredentials } from '../account/basic-credentials.ts'
import { ADMINISTRATOR } from '../account/credential-store.ts'
import { accountRoutes } from './accounts.ts'
import { addressRoutes } from './addresses.ts'
import type { AdminPorts } from './admin-ports.ts'
import { LARGEST_BODY } from './call-limits.ts'
import { dkimRoutes } from './dkim.ts'
import { domainRoutes } from './domains.ts'
import { holdRuleRoutes } from './hold-rules.ts'
import { installationRoutes } from './installation.ts'
import { mailRoutes } from './mails.ts'
import { operationRoutes } from './operations.ts'
import { queueRoutes } from './queue.ts'
import { reportRoutes } from './reports.ts'
import { answer, NotFoundError, RequestError } from './request.ts'
import { routeRoutes } from './routes.ts'
import { sesRoutes } from './ses.ts'
import { suppressionRoutes } from './suppressions.ts'
import { tlsResultRoutes } from './tls-results.ts'
import { transportRoutes } from './transports.ts'
import { webhookCallRoutes } from './webhook-calls.ts'
import { webhookSecretRoutes } from './webhook-secrets.ts'
import { webhookTestRoutes } from './webhook-tests.ts'

const USER_NAME = 'admin'

/**
 * What operators can see and change, as JSON below `/admin/api/`: HTTP Basic as `admin`; 400 for requests that
 * name what must be mended, 404 for what does not exist. GET reads what was written last, never a cached copy.
 */
export function adminApi(ports: AdminPorts): Hono {
  const app = new Hono().basePath('/admin/api')
  app.use(async (context, next) => {
    await next()
    context.header('Cache-Control', 'no-store')
    context.header('X-Content-Type-Options', 'nosniff')
  })
  app.use(administratorOnly(ports))
  app.use(bodyLimit({ maxSize: LARGEST_BODY, onError: bodyTooLarge }))
  app.route('/', installationRoutes(ports))
  app.route('/domains', domainRoutes(ports))
  app.route('/domains', dkimRoutes(ports))
  app.route('/domains', sesRoutes(ports))
  app.route('/accounts', accountRoutes(ports))
  app.route('/accounts', webhookSecretRoutes(ports))
  app.route('/accounts', webhookTestRoutes(ports))
  app.route('/addresses', addressRoutes(ports))
  app.route('/transports', transportRoutes(ports))
  app.route('/', routeRoutes(ports))
  app.route('/queue', queueRoutes(ports))
  app.route('/webhooks', webhookCallRoutes(ports))
  app.route('/', operationRoutes(ports))
  app.route('/holdrules', holdRuleRoutes(ports))
  app.route('/mail', mailRoutes(ports))
  app.route('/reports', reportRoutes(ports))
  app.route('/tls-results', tlsResultRoutes(ports))
  app.route('/suppressions', suppressionRoutes(ports))
  app.notFound((context) => {
    const { method, path } = context.req
    return answer(context, { Code: 'notFound', Message: `there is no ${method} ${path}` }, 404)
  })
  app.onError((error, context) => answerError(ports, error, context))
  return app
}

function administratorOnly(ports: AdminPorts): MiddlewareHandler {
  return async (context, next) => {
    const given = readBasicCredentials(context.req.header('Authorization'))
    if (given?.userName === USER_NAME && (await isAdministratorPassword(ports, given.password))) {
      await next()
      return
    }
    return context.text('bad user name or password', 401, {
      'WWW-Authenticate': 'Basic realm="postern admin"',
    })
  }
}

/** The generated secret counts only until a password was set: whoever may read secrets need not be administrator for ever. */
async function isAdministratorPassword(ports: AdminPorts, password: string): Promise<boolean> {
  if (await ports.passwords.verify(ADMINISTRATOR, password)) return true
  if (await ports.credentials.password(ADMINISTRATOR)) return false
  const initial = await ports.initialPassword()
  return initial !== '' && timingSafeEqual(digest(password), digest(initial))
}

/** Digests have one length, which timingSafeEqual demands and which gives no length away. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function bodyTooLarge(context: Context): Response {
  return answer(context, { Code: 'user', Message: `body: must be at most ${LARGEST_BODY} bytes` }, 413)
}

function answerError(ports: AdminPorts, error: Error, context: Context): Response {
  if (error instanceof RequestError) return answer(context, { Code: 'user', Message: error.message }, 400)
  if (error instanceof NotFoundError)
    return answer(context, { Code: 'notFound', Message: error.message }, 404)
  ports.log.error('admin call failed', error, { method: context.req.method, path: context.req.path })
  return answer(context, { Code: 'server', Message: 'internal error' }, 500)
}
