import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { INITIAL_PASSWORD, type TestAdmin } from '../support/admin-ports.ts'

/** How a run of the command ended. */
export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `postern` with these arguments. */
export type RunPostern = (...args: readonly string[]) => Promise<Outcome>

const MAIN = fileURLToPath(new URL('../../scripts/cli/main.ts', import.meta.url))
/** Hundreds of runs: each takes half as long where its modules need not be stripped of types and compiled anew. */
const COMPILED = fileURLToPath(new URL('../../node_modules/.cache/postern-command', import.meta.url))

/** Serves the admin API on loopback, and answers its URL. */
export async function serveAdmin(context: TestContext, admin: TestAdmin): Promise<string> {
  return await serve(context, async (request) => {
    const body = await buffer(request)
    return await admin.app.request(request.url ?? '', {
      method: request.method ?? '',
      headers: {
        Authorization: request.headers.authorization ?? '',
        'Content-Type': request.headers['content-type'] ?? '',
      },
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    })
  })
}

/** Serves whatever `answer` says on loopback, and answers the URL. */
export async function serve(
  context: TestContext,
  answer: (request: IncomingMessage) => Promise<Response>,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const { status, headers, body } = await answer(request)
    response.writeHead(status, Object.fromEntries(headers))
    response.end(body ? await buffer(body) : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A URL on loopback where nobody listens. */
export async function closedUrl(): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

/** The command against an installation of the test's own, with the right password. */
export async function posternFor(context: TestContext, admin: TestAdmin): Promise<RunPostern> {
  const url = await serveAdmin(context, admin)
  return async (...args) =>
    await runPostern(args, { POSTERN_URL: url, POSTERN_ADMIN_PASSWORD: INITIAL_PASSWORD })
}

/** Runs the command with nobody at a terminal, no other environment, and `input` as its standard input. */
export async function runPostern(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Outcome> {
  const child = startPostern(args, environment)
  child.stdin.end(input)
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { status, stdout, stderr }
}

/** Starts the command, for tests that do something while it runs. */
export function startPostern(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildProcessWithoutNullStreams {
  const env = { NODE_COMPILE_CACHE: COMPILED, ...environment }
  return spawn(process.execPath, [MAIN, ...args], { stdio: 'pipe', env })
}
