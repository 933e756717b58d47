import { type Command, Option } from 'commander'
import { MINIMUM_PASSWORD_LENGTH } from '../../shared/account/password.ts'
import { setUp } from '../setup.ts'
import { CliError } from './cli-error.ts'
import { ask, askSecret, canAsk } from './prompt.ts'
import type { Session } from './session.ts'

interface SetupOptions {
  readonly domain?: string
  readonly account?: string
  readonly address?: string
  readonly password?: string
  readonly hostname?: string
  readonly adminPassword?: string
  readonly fullName?: string
  readonly separator: readonly string[]
}

const help = `
Asks for what is not given. What exists already stays as it is, so a setup can be run again.

In AWS the administrator's first password is a generated secret; the stack's output AdminSecretArn names it:
  aws secretsmanager get-secret-value --secret-id ARN --query SecretString --output text
Give it as POSTERN_ADMIN_PASSWORD; --admin-password replaces it. Other users of this machine may see passwords that
are arguments: better set the variables, or let setup ask.

Examples:
  postern setup
  postern setup --url https://api.example.org --domain example.org --hostname mail.example.org \\
    --account shop --address shop@example.org`

/** Adds `postern setup`. */
export function addSetupCommand(program: Command, session: Session): void {
  program
    .command('setup')
    .description('set up the first domain, account and address, and the administrator')
    .option('--domain <name>', 'the first domain')
    .option('--hostname <name>', 'the name that the server gives itself')
    .option('--account <name>', 'the first account')
    .option('--address <address>', 'its address, which is its login too')
    .addOption(new Option('--password <text>', 'its password').env('POSTERN_ACCOUNT_PASSWORD'))
    .option('--full-name <text>', 'its display name')
    .addOption(
      new Option('--separator <text...>', 'what may end a local part of the domain').default(['+'], '+'),
    )
    .addOption(
      new Option('--admin-password <text>', "the administrator's new password").env(
        'POSTERN_NEW_ADMIN_PASSWORD',
      ),
    )
    .addHelpText('after', help)
    .action(async (options: SetupOptions) => {
      const client = await session.client()
      const complete = await completed(options)
      const { fullName, separator } = options
      const lines = await setUp(client, {
        ...complete,
        separators: separator,
        ...(fullName !== undefined && { fullName }),
      })
      session.show(lines, lines.join('\n'))
    })
}

/** Checks passwords here: setUp has done much before the API sees the last of them. */
async function completed(options: SetupOptions) {
  const domain = options.domain ?? (await asked('--domain', 'First domain'))
  const hostname = options.hostname ?? (await asked('--hostname', 'Name of the server', `mail.${domain}`))
  const account = options.account ?? (await asked('--account', 'First account'))
  const address = options.address ?? (await asked('--address', 'Its address', `${account}@${domain}`))
  const password =
    options.password ?? (await askedSecret('--password or POSTERN_ACCOUNT_PASSWORD', 'Its password'))
  checkPassword('--password', password)
  const adminPassword = options.adminPassword ?? (await askedAdminPassword())
  if (adminPassword !== '') checkPassword('--admin-password', adminPassword)
  return { domain, hostname, account, address, password, ...(adminPassword !== '' && { adminPassword }) }
}

async function asked(option: string, question: string, fallback?: string): Promise<string> {
  if (!canAsk()) throw new CliError(`give ${option}`)
  const answer = await ask(question, fallback)
  if (answer === '') throw new CliError(`${option} is needed; nothing was done`)
  return answer
}

async function askedSecret(option: string, question: string): Promise<string> {
  if (!canAsk()) throw new CliError(`give ${option}`)
  return await askSecret(question)
}

/** Empty keeps the present one. */
async function askedAdminPassword(): Promise<string> {
  return canAsk() ? await askSecret("New administrator's password (empty keeps the present one)") : ''
}

function checkPassword(option: string, password: string): void {
  if (password.length < MINIMUM_PASSWORD_LENGTH) {
    throw new CliError(`${option}: must be at least ${MINIMUM_PASSWORD_LENGTH} characters; nothing was done`)
  }
}
