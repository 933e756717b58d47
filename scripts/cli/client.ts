import { CliError } from './cli-error.ts'

/** The admin API (shared/admin) of one installation. Paths begin with a slash and are encoded by the caller. */
export interface AdminClient {
  readonly url: string
  get<Answer>(path: string): Promise<Answer>
  /** One page of a list; `next` is the query string that asks for the page after it. */
  page<Row>(path: string): Promise<{ readonly rows: readonly Row[]; readonly next?: string }>
  /** Bytes, wherever they lie. */
  download(path: string): Promise<Uint8Array>
  /** Undefined when what the path names does not exist. */
  find<Answer>(path: string): Promise<Answer | undefined>
  post<Answer>(path: string, body: object): Promise<Answer>
  put<Answer>(path: string, body: object): Promise<Answer>
  patch<Answer>(path: string, body: object): Promise<Answer>
  remove<Answer>(path: string): Promise<Answer>
  /** The same installation with another administrator's password. */
  withPassword(password: string): AdminClient
}

/** What an error answer says. */
interface ErrorAnswer {
  readonly Code: string
  readonly Message: string
}

/** The API answered, but refused the call. */
export class AdminError extends CliError {
  /** The HTTP status; 401 is a wrong administrator's password. */
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const USER_NAME = 'admin'
/** API Gateway gives up after 30 seconds. */
const TIMEOUT_MS = 35_000
const DOWNLOAD_TIMEOUT_MS = 600_000

/** Every method throws {@link CliError} with one line for the user when the call fails. */
export function adminClient({
  url,
  password,
}: {
  readonly url: string
  readonly password: string
}): AdminClient {
  const authorization = `Basic ${Buffer.from(`${USER_NAME}:${password}`).toString('base64')}`

  async function call(method: string, path: string, body?: object): Promise<Response> {
    const answer = await reach(url, `${url}/admin/api${path}`, {
      method,
      headers: { Authorization: authorization, ...(body && { 'Content-Type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    if (answer.status === 401) {
      throw new AdminError(401, `${url} refused the administrator's password; set POSTERN_ADMIN_PASSWORD`)
    }
    return answer
  }

  return {
    url,
    get: async (path) => await readAnswer(url, await call('GET', path)),
    async page(path) {
      const answer = await call('GET', path)
      const next = nextPage(answer.headers.get('Link'))
      return { rows: await readAnswer(url, answer), ...(next !== undefined && { next }) }
    },
    async download(path) {
      const answer = await call('GET', path)
      const elsewhere = answer.status === 303 ? answer.headers.get('Location') : null
      // What is too large for an answer lies in S3, which refuses a request with other credentials than the URL's.
      const found = elsewhere ? await reach(url, elsewhere, {}, DOWNLOAD_TIMEOUT_MS) : answer
      if (!found.ok) return await readAnswer(url, found)
      return new Uint8Array(await found.arrayBuffer())
    },
    async find(path) {
      const answer = await call('GET', path)
      if (answer.status === 404 && (await readError(answer.clone()))?.Code === 'notFound') return undefined
      return await readAnswer(url, answer)
    },
    post: async (path, body) => await readAnswer(url, await call('POST', path, body)),
    put: async (path, body) => await readAnswer(url, await call('PUT', path, body)),
    patch: async (path, body) => await readAnswer(url, await call('PATCH', path, body)),
    remove: async (path) => await readAnswer(url, await call('DELETE', path)),
    withPassword: (other) => adminClient({ url, password: other }),
  }
}

/** Calls an address of the installation at `url`; throws {@link CliError} when nobody answers. */
export async function reach(
  url: string,
  address: string,
  request: RequestInit,
  timeoutMs = TIMEOUT_MS,
): Promise<Response> {
  try {
    return await fetch(address, {
      ...request,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    throw new CliError(`cannot reach ${url} (${reasonOf(error)}); is Postern running there? See --url`)
  }
}

/** The header field Link (RFC 8288), as the admin API writes it. */
function nextPage(link: string | null): string | undefined {
  return /^<\?([^>]*)>; rel="next"$/.exec(link ?? '')?.[1]
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} seconds`
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return 'code' in cause ? String(cause.code) : cause.message
}

async function readAnswer<Answer>(url: string, answer: Response): Promise<Answer> {
  if (answer.ok) return (await readJson(answer, url)) as Answer
  const error = await readError(answer)
  throw new AdminError(answer.status, error?.Message ?? notOurs(url, answer))
}

async function readJson(answer: Response, url: string): Promise<unknown> {
  try {
    return await answer.json()
  } catch {
    throw new AdminError(answer.status, notOurs(url, answer))
  }
}

async function readError(answer: Response): Promise<ErrorAnswer | undefined> {
  try {
    const value: unknown = await answer.json()
    return isErrorAnswer(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isErrorAnswer(value: unknown): value is ErrorAnswer {
  if (typeof value !== 'object' || value === null || !('Code' in value) || !('Message' in value)) return false
  return typeof value.Code === 'string' && typeof value.Message === 'string'
}

function notOurs(url: string, { status }: Response): string {
  return `${url} answered with status ${status}, but not as Postern's admin API does; is the URL right?`
}
