import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SESv2Client } from '@aws-sdk/client-sesv2'
import { openGateway } from '../../infra/local/gateway/gateway.ts'
import type { JsonObject } from '../../infra/local/gateway/json-service.ts'
import { givePrincipals } from '../../infra/local/gateway/principals.ts'
import { openSes, type SesControl } from '../../infra/local/ses/ses.ts'
import type { SesSettings } from '../../infra/local/ses/settings.ts'

/** SES on a port of loopback, alone: for tests that need no whole cloud. Other processes may call it too. */
export interface ServedSes extends SesControl {
  readonly endpoint: string
  /** Keys for further clients, in whatever process; the region is `us-east-1`. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly client: SESv2Client
  /** All events that were published, in EventBridge's envelope. */
  readonly events: readonly JsonObject[]
  /** To be called after `now` was moved. */
  moved(): void
}

/** Starts it, and stops it with the test. */
export async function serveSes(
  context: { after(end: () => Promise<void>): void },
  options: { readonly settings?: Partial<SesSettings>; readonly now?: () => number } = {},
): Promise<ServedSes> {
  const directory = mkdtempSync(join(tmpdir(), 'ses-'))
  const { now = Date.now, settings } = options
  const deployment = { stack: 'Test', region: 'us-east-1', accountId: '000000000000' }
  const onLog = (line: string) => console.error(line)
  const service = openSes({ directory, deployment, now, settings, onLog })
  const events: JsonObject[] = []
  const principals = givePrincipals([])
  service.publishTo(async (event) => void events.push(event))
  const gateway = await openGateway({
    backends: { ses: { kind: 'json', service, contentType: 'application/json' } },
    principals,
    onLog,
  })
  const { endpoint } = gateway
  const client = new SESv2Client({
    ...{ endpoint, region: deployment.region, credentials: principals.root, maxAttempts: 1 },
  })
  context.after(async () => {
    client.destroy()
    await gateway.close()
    service.close()
    rmSync(directory, { recursive: true })
  })
  const { accepted, set, moved } = service
  return { endpoint, credentials: principals.root, client, events, accepted, set, moved }
}
