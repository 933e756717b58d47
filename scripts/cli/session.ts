import type { Command } from 'commander'
import { CliError } from './cli-error.ts'
import { type AdminClient, adminClient } from './client.ts'
import { askSecret, canAsk } from './prompt.ts'

/** Where `npm start` listens. */
export const LOCAL_URL = 'http://localhost:1080'
const LOCAL_PASSWORD = 'posternadmin'

/** What every command has: the installation it is about, and a way to show its result. */
export interface Session {
  /** Where the installation is, without a slash at the end. */
  url(): string
  client(): Promise<AdminClient>
  /** Shows `value` as JSON with `--json`, else `text`. */
  show(value: unknown, text: string): void
}

interface GlobalOptions {
  readonly url: string
  readonly json?: boolean
}

/** The session of one run; `environment` is where the administrator's password may stand. */
export function openSession(
  program: Command,
  environment: Readonly<Record<string, string | undefined>>,
): Session {
  const url = () => baseUrl(program.opts<GlobalOptions>().url)
  return {
    url,
    async client() {
      return adminClient({
        url: url(),
        password: await administratorPassword(url(), environment.POSTERN_ADMIN_PASSWORD),
      })
    },
    show(value, text) {
      const { json } = program.opts<GlobalOptions>()
      process.stdout.write(`${json ? JSON.stringify(value, undefined, 2) : text}\n`)
    },
  }
}

function baseUrl(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new CliError(`--url: ${JSON.stringify(text)} is no http or https URL`)
  }
  const { username, password, search, hash } = new URL(text)
  if (username || password || search || hash) {
    throw new CliError('--url: must be the bare URL of the installation, such as https://api.example.org')
  }
  return text.replace(/\/+$/, '')
}

async function administratorPassword(url: string, given: string | undefined): Promise<string> {
  if (given) return given
  if (url === LOCAL_URL) return LOCAL_PASSWORD
  if (canAsk()) return await askSecret(`Administrator's password of ${url}`)
  throw new CliError(`set POSTERN_ADMIN_PASSWORD to the administrator's password of ${url}`)
}
