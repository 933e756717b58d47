import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startDynamoEngine } from '../dynamodb/dynamo-engine.ts'
import { openS3 } from '../s3/s3.ts'
import { openSecrets } from '../secrets/secrets.ts'
import { openSes, type SesStandIn } from '../ses/ses.ts'
import type { SesSettings } from '../ses/settings.ts'
import { openSqs } from '../sqs/sqs.ts'
import type { Deployment } from '../template/resource.ts'
import type { Backend } from './gateway.ts'
import type { Principals } from './principals.ts'

/** What answers behind the gateway, by service name of the credential scope. */
export interface Backends {
  readonly byService: Readonly<Record<string, Backend>>
  /** Our own engine; undefined when DynamoDB is elsewhere. */
  readonly dynamoEndpoint: string | undefined
  /** Always our own: another one would not send its events to our queue. */
  readonly ses: SesStandIn
  /** To be called after `now` was moved. */
  moved(): void
  close(): Promise<void>
}

/** Starts the stand-ins on `directory`, except for services that an `AWS_ENDPOINT_URL…` variable sends elsewhere. */
export async function openBackends(options: {
  readonly directory: string
  readonly deployment: Deployment
  readonly principals: Principals
  readonly gatewayEndpoint: () => string
  readonly now: () => number
  readonly sesSettings?: Partial<SesSettings> | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly onLog: (line: string) => void
}): Promise<Backends> {
  const { deployment, principals, now, environment, onLog } = options
  const folder = (name: string): string => {
    const path = join(options.directory, name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }
  const elsewhere = (service: string): Backend | undefined => {
    const origin = environment[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] ?? environment.AWS_ENDPOINT_URL
    return origin ? { kind: 'proxy', origin } : undefined
  }
  const closers: (() => unknown)[] = []
  const moved: (() => void)[] = []
  const ownDynamo = async (): Promise<Backend & { readonly kind: 'proxy' }> => {
    const engine = await startDynamoEngine({ directory: folder('dynamodb'), onLog })
    closers.push(engine.stop)
    return { kind: 'proxy', origin: engine.endpoint }
  }
  const ownSqs = (): Backend => {
    const service = openSqs({
      ...deployment,
      directory: folder('sqs'),
      endpoint: options.gatewayEndpoint,
      now,
    })
    closers.push(() => service.close())
    moved.push(service.moved)
    return { kind: 'json', service, contentType: 'application/x-amz-json-1.0' }
  }
  const ownS3 = (): Backend => {
    const { region } = deployment
    const s3 = openS3({ directory: folder('s3'), region, now, secretFor: principals.secretFor })
    closers.push(() => s3.close())
    return { kind: 'http', handle: (request, response) => s3.handle(request, response) }
  }
  const ownSecrets = (): Backend => {
    const service = openSecrets({ ...deployment, directory: folder('secrets'), now, random: randomBytes })
    closers.push(() => service.close())
    return { kind: 'json', service, contentType: 'application/x-amz-json-1.1' }
  }
  const ownSes = (): SesStandIn => {
    const service = openSes({
      ...{ directory: folder('ses'), deployment, now, onLog },
      settings: options.sesSettings,
    })
    closers.push(() => service.close())
    moved.push(service.moved)
    return service
  }
  const ses = ownSes()
  const otherDynamo = elsewhere('dynamodb')
  const dynamodb = otherDynamo ?? (await ownDynamo())
  return {
    byService: {
      dynamodb,
      sqs: elsewhere('sqs') ?? ownSqs(),
      s3: elsewhere('s3') ?? ownS3(),
      secretsmanager: ownSecrets(),
      ses: { kind: 'json', service: ses, contentType: 'application/json' },
    },
    ses,
    dynamoEndpoint: otherDynamo || dynamodb.kind !== 'proxy' ? undefined : dynamodb.origin,
    moved: () => {
      for (const tell of moved) tell()
    },
    close: async () => {
      await Promise.all(closers.map((close) => close()))
    },
  }
}
