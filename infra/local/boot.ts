import { mkdirSync } from 'node:fs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { HeadObjectCommand, NotFound, S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SESv2Client } from '@aws-sdk/client-sesv2'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type LocalClock, openClock } from './clock.ts'
import { lockDirectory } from './data-lock.ts'
import { deleteExpired, type ExpiringTable } from './dynamodb/item-expiry.ts'
import { findFreePort } from './free-port.ts'
import { openBackends } from './gateway/backends.ts'
import { openFaults } from './gateway/faults.ts'
import type { FaultOptions } from './gateway/faults-options.ts'
import { openGateway } from './gateway/gateway.ts'
import { type Credentials, givePrincipals } from './gateway/principals.ts'
import { type Access, type Grant, openAccess } from './iam/access.ts'
import type { S3Object } from './iam/s3-calls.ts'
import { readFunction } from './programs/functions.ts'
import type { LambdaFunction } from './programs/lambda-environment.ts'
import { openLambdaRuntime } from './programs/lambda-runtime.ts'
import { functionLogRefusal } from './programs/log-access.ts'
import { repeat } from './programs/repeat.ts'
import { countWork } from './programs/running-work.ts'
import { type Closer, startPrograms } from './programs/start-programs.ts'
import { createResources } from './resources/resources.ts'
import type { SesControl } from './ses/ses.ts'
import type { SesSettings } from './ses/settings.ts'
import { openAssembly } from './template/assembly.ts'
import { identify } from './template/identities.ts'
import { nameOf } from './template/resource.ts'
import { type NamedTemplate, nameTemplate, openTemplate, type Template } from './template/template.ts'

/** How to boot a synthesized template on this machine. */
export interface LocalCloudOptions {
  /** The cloud assembly directory that `cdk synth` wrote (`cdk.out`). */
  readonly assembly: string
  readonly stack: string
  /** Where all data is kept; one process at a time uses it. */
  readonly directory: string
  /** The port of the HTTP API; 0 takes a free one. */
  readonly httpPort: number
  /** The addresses that the HTTP API listens on. */
  readonly addresses: readonly string[]
  /**
   * Variables beyond the template, merged last. The key is a function's logical id without the CDK's eight-digit
   * suffix, a container's name, or `*` for all of them.
   */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Changes the template in memory before anything of it is read: a test can take a permission or a queue away. */
  readonly editTemplate?: (template: EditableTemplate) => void
  /** The node binary that runs containers; this process's own when left out. */
  readonly nodePath?: string
  /** Runs before the HTTP API's port opens, for what must be there when the first caller comes; its `apiUrl` is private. */
  readonly prepare?: (cloud: Pick<LocalCloud, 'apiUrl' | 'outputs' | 'clientConfig'>) => Promise<void>
  /** Rare behaviours of AWS to show to the programs; none when left out. */
  readonly faults?: FaultOptions
  /** How SES sends, and how it is about its events; as an account in good standing when left out. */
  readonly ses?: Partial<SesSettings>
  readonly onLog?: (line: string) => void
}

/** A CloudFormation template as `cdk synth` wrote it, intrinsic functions and all. */
export interface EditableTemplate {
  Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>
  Outputs?: Record<string, unknown>
}

/** What an AWS SDK client of the operator is made with. */
interface ClientConfig {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
}

/** A running local cloud. */
export interface LocalCloud {
  /** Where the HTTP API is, without a slash at the end. */
  readonly apiUrl: string
  /** The one endpoint of all AWS services. */
  readonly endpoint: string
  readonly outputs: Readonly<Record<string, string>>
  /** The time of everything here: functions, tasks and services. */
  readonly clock: Pick<LocalClock, 'now' | 'offsetMs' | 'advance'>
  /** What SES accepted, and its settings. */
  readonly ses: SesControl
  /** For the operator, who may do everything. */
  clientConfig(): ClientConfig
  /** Invokes the one function whose logical id starts so; throws `FunctionError` when it fails. */
  invoke(functionLogicalIdPrefix: string, event: unknown): Promise<unknown>
  /** What the roles were allowed so far, each grant once (see {@link Grant}). */
  exercised(): readonly Grant[]
  /** What the policies of the roles allow: less what was exercised, it is unused. */
  grants(): readonly Grant[]
  /** Stops everything that was started, within three seconds. */
  stop(): Promise<void>
}

/** Environments over all functions: as many threads as one machine bears. */
const maxEnvironments = 10
const expiryPeriodMs = 60_000
/** How long a move of the clock waits for what runs, so that it finds it overdue only when that hangs. */
const quietLimitMs = 5_000

/** Boots the template: stores, functions, HTTP API, event sources, schedules and tasks. Stops all of it on an error. */
export async function bootLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const closers: Closer[] = []
  const closeAll = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= closeAll()
    return stopping
  }
  try {
    return await boot(options, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function boot(
  options: LocalCloudOptions,
  closers: Closer[],
  stop: () => Promise<void>,
): Promise<LocalCloud> {
  const onLog = options.onLog ?? (() => {})
  const deployment = { stack: options.stack, region: 'us-east-1', accountId: '000000000000' }
  const assembly = openAssembly(options.assembly, options.stack)
  const document = openTemplate(edited(assembly.templateText, options.editTemplate), deployment)
  mkdirSync(options.directory, { recursive: true, mode: 0o700 })
  closers.push(lockDirectory(options.directory))
  const work = countWork()
  const clock = openClock(options.directory, () => work.untilQuiet(quietLimitMs))
  const { now } = clock
  const roles = document.resources.filter(({ type }) => type === 'AWS::IAM::Role')
  const principals = givePrincipals(roles.map(({ logicalId }) => logicalId))
  const backends = await openBackends({
    directory: options.directory,
    deployment,
    principals,
    gatewayEndpoint: () => gateway.endpoint,
    now,
    sesSettings: options.ses,
    environment: process.env,
    onLog,
  })
  closers.push(() => backends.close(), clock.onMove(backends.moved))
  const operatorAccessKeyId = principals.root.accessKeyId
  const surrounding = { operatorAccessKeyId, roleOf: principals.roleOf, now, onLog }
  const faults = options.faults && openFaults(options.faults, surrounding)
  const gateway = await openGateway({ backends: backends.byService, principals, faults, now, onLog })
  closers.push(() => gateway.close())
  const api = await apiAddress(options)
  const template = name(document, gateway.endpoint, api.url)
  const clientConfig = { endpoint: gateway.endpoint, region: deployment.region, credentials: principals.root }
  const expiring = await createStores(template, clientConfig)
  const access = openPolicies(template, clientConfig, closers)
  principals.restrict(access)
  if (backends.dynamoEndpoint) {
    const engineConfig = { ...clientConfig, endpoint: backends.dynamoEndpoint }
    closers.push(startExpiry(engineConfig, expiring, clock, onLog))
  }
  const { endpoint } = gateway
  const surroundings = { template, assembly, principals, endpoint, environment: options.environment ?? {} }
  const functions = template
    .ofType('AWS::Lambda::Function')
    .map((resource) => readFunction(resource, surroundings))
  const logRefusal = (logicalId: string) => functionLogRefusal(logicalId, surroundings)
  const runtime = openLambdaRuntime({ functions, maxEnvironments, clock: clock.shared, logRefusal, onLog })
  closers.push(() => runtime.stop())
  const { addresses, nodePath = process.execPath } = options
  const invoke = (logicalId: string, event: unknown, onLong?: () => void) =>
    work.run(() => runtime.invoke(logicalId, event, onLong))
  const known = { outputs: template.outputs(), clientConfig: () => clientConfig, ses: backends.ses }
  const prepare = async (apiUrl: string) => await options.prepare?.({ ...known, apiUrl })
  const opened = { addresses, port: api.port, prepare, onEvents: backends.ses.publishTo }
  await startPrograms({ surroundings, ...opened, nodePath, clock, invoke, work, onLog, closers })
  return {
    ...known,
    apiUrl: api.url,
    endpoint,
    clock,
    invoke: async (prefix, event) => invoke(findFunction(functions, prefix).logicalId, event),
    exercised: access.exercised,
    grants: access.grants,
    stop,
  }
}

function edited(templateText: string, edit: LocalCloudOptions['editTemplate']): string {
  if (!edit) return templateText
  const template: EditableTemplate = JSON.parse(templateText)
  edit(template)
  return JSON.stringify(template)
}

interface ApiAddress {
  readonly port: number
  readonly url: string
}

async function apiAddress({ httpPort, addresses }: LocalCloudOptions): Promise<ApiAddress> {
  const [host = '127.0.0.1'] = addresses
  const port = httpPort === 0 ? await findFreePort(host) : httpPort
  return { port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` }
}

function name(document: Template, gateway: string, api: string): NamedTemplate {
  return nameTemplate(document, identify(document.resources, document.deployment, { gateway, api }))
}

async function createStores(
  template: NamedTemplate,
  config: ClientConfig,
): Promise<readonly ExpiringTable[]> {
  const clients = {
    dynamodb: new DynamoDBClient(config),
    sqs: new SQSClient({ ...config, useQueueUrlAsEndpoint: false }),
    s3: new S3Client({ ...config, forcePathStyle: true }),
    secrets: new SecretsManagerClient(config),
    ses: new SESv2Client(config),
  }
  try {
    return await createResources(template, clients)
  } finally {
    for (const client of Object.values(clients)) client.destroy()
  }
}

/** To be called when secrets have their ARNs: policies name them. */
function openPolicies(template: NamedTemplate, config: ClientConfig, closers: Closer[]): Access {
  const s3 = new S3Client({ ...config, forcePathStyle: true })
  closers.push(() => s3.destroy())
  const objectExists = async ({ bucket, key }: S3Object): Promise<boolean> => {
    try {
      await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))
      return true
    } catch (error) {
      if (error instanceof NotFound) return false
      throw error
    }
  }
  return openAccess(template, objectExists)
}

function startExpiry(
  config: ClientConfig,
  tables: readonly ExpiringTable[],
  clock: LocalClock,
  onLog: (line: string) => void,
): Closer {
  const client = new DynamoDBClient(config)
  const sweep = async () => {
    for (const table of tables) await deleteExpired(client, table, Math.floor(clock.now() / 1000))
  }
  const report = (error: unknown) => onLog(`[dynamodb] time to live: ${error}`)
  const repeated = repeat(expiryPeriodMs, sweep, report)
  const forget = clock.onMove(() => sweep().catch(report))
  return () => {
    forget()
    repeated.stop()
    client.destroy()
  }
}

/** An exact name wins over names that merely start so. */
function findFunction(functions: readonly LambdaFunction[], prefix: string): LambdaFunction {
  const exact = functions.filter(({ logicalId }) => nameOf(logicalId) === prefix || logicalId === prefix)
  const candidates =
    exact.length > 0 ? exact : functions.filter(({ logicalId }) => logicalId.startsWith(prefix))
  const [first, second] = candidates
  if (first && !second) return first
  const names = (first ? candidates : functions).map(({ logicalId }) => nameOf(logicalId)).join(', ')
  throw new Error(`${first ? 'several functions start' : 'no function starts'} with ${prefix}: ${names}`)
}
