import { readFile } from 'node:fs/promises'
import { Argument, type Command } from 'commander'
import type { WebhookTestJson } from '../../shared/admin/webhook-tests.ts'
import { type WebhookDirection, webhookDirections } from '../../shared/webhook/signing-secret.ts'
import { CliError } from './cli-error.ts'
import { printable } from './print.ts'
import type { Session } from './session.ts'

interface TestOptions {
  readonly webhookUrl?: string
  readonly authorization?: string
  readonly payload?: string
}

const help = `
Makes one call, signed as all calls of the account, with an example of what is told there. Without --webhook-url it goes where
the account's calls go, with their Authorization. The exit code is 1 when the answer is not 2xx.

Examples:
  postern webhook test shop outgoing
  postern webhook test shop incoming --webhook-url https://staging.shop.example/hook --payload message.json`

/** Adds `postern webhook test`. */
export function addWebhookTest(webhook: Command, session: Session): void {
  webhook
    .command('test <account>')
    .description('make one call, to try the receiver')
    .addArgument(new Argument('<direction>', 'as about sent or received mail').choices(webhookDirections))
    .option('--webhook-url <url>', 'the receiver')
    .option('--authorization <value>', 'its Authorization header')
    .option('--payload <file>', 'the body: a file with a JSON object')
    .addHelpText('after', help)
    .action(async (account: string, direction: WebhookDirection, options: TestOptions) => {
      const { webhookUrl, authorization, payload } = options
      const client = await session.client()
      const path = `/accounts/${encodeURIComponent(account)}/webhook-tests/${direction}`
      const outcome = await client.post<WebhookTestJson>(path, {
        ...(webhookUrl !== undefined && { URL: webhookUrl }),
        ...(authorization !== undefined && { Authorization: authorization }),
        ...(payload !== undefined && { Payload: await readPayload(payload) }),
      })
      session.show(outcome, describe(account, outcome))
      if (!outcome.Done || outcome.Error) process.exitCode = 1
    })
}

async function readPayload(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new CliError(`--payload: cannot read ${file}: ${error instanceof Error ? error.message : error}`)
  }
}

function describe(account: string, { ID, Code, Response, Error: error, Done }: WebhookTestJson): string {
  if (!Done) return `no answer yet; see postern webhook print ${account}/${ID}`
  const status = error ? `failed: ${printable(error)}` : `success: HTTP status ${Code}`
  return Response ? `${status}\n  ${printable(Response)}` : status
}
