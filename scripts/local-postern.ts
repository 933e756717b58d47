import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { buildApp } from '../infra/app.ts'
import { bundleFunctions } from '../infra/bundle.ts'
import { bootLocalCloud, type LocalCloud, type LocalCloudOptions } from '../infra/local/boot.ts'
import { variables } from '../shared/runtime/names.ts'
import { type AdminClient, AdminError, adminClient } from './cli/client.ts'
import { setUp } from './setup.ts'

/** Where a Postern on this machine keeps its data and listens. */
export interface LocalPosternOptions extends LocalPorts {
  readonly directory: string
  readonly addresses: readonly string[]
  /** Variables beyond those that local mode sets, by function or container. */
  readonly environment?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Rare behaviours of AWS, for tests; none when left out. */
  readonly faults?: LocalCloudOptions['faults']
  /** With a sender, as `-c egress=…` deploys it, for tests; left out, nothing delivers directly. */
  readonly egress?: 'nat-instance' | 'nat-gateway'
  /** How SES sends and tells, for tests; as an account in good standing when left out. */
  readonly ses?: LocalCloudOptions['ses']
  /** Changes the template before it is booted, for tests. */
  readonly editTemplate?: LocalCloudOptions['editTemplate']
  readonly onLog?: (line: string) => void
}

/** The ports of a Postern on this machine. */
export interface LocalPorts {
  readonly httpPort: number
  readonly smtpPort: number
  readonly submissionPort: number
  readonly submissionsPort: number
  /** Of health checks, as a load balancer makes them. */
  readonly healthPort: number
}

export interface LocalPostern {
  readonly cloud: LocalCloud
  /** Every variable that was set beyond the template: `function VARIABLE=value`. */
  readonly settings: readonly string[]
  /** What the seed did; nothing on a restart. */
  readonly seeded: readonly string[]
  stop(): Promise<void>
}

type ReadyCloud = Pick<LocalCloud, 'apiUrl' | 'outputs' | 'clientConfig'>

/** What local mode's seed sets up; the design names them, and every example uses them. */
export const localSeed = {
  adminPassword: 'posternadmin',
  hostname: 'localhost',
  domain: 'localhost',
  separators: ['+'],
  account: 'postern',
  address: 'postern@localhost',
  password: 'posternpostern',
} as const

const RELAY = 'local'
const RETENTION_NS = 72 * 3600 * 1e9

/** Synthesizes the template, boots it on this machine and seeds it: the deployed Postern, run here. */
export async function startLocalPostern(options: LocalPosternOptions): Promise<LocalPostern> {
  const { directory, httpPort, addresses } = options
  mkdirSync(directory, { recursive: true })
  const assembly = await synthesize(options)
  const environment = merged(localEnvironment(options), options.environment ?? {})
  let seeded: readonly string[] = []
  const cloud = await bootLocalCloud({
    assembly,
    stack: 'Postern',
    directory,
    httpPort,
    addresses,
    environment,
    prepare: async (ready) => {
      seeded = await seed(ready, options.smtpPort)
      for (const port of [options.smtpPort, options.submissionPort, options.submissionsPort]) {
        await untilListening(port)
      }
    },
    ...(options.faults && { faults: options.faults }),
    ...(options.ses && { ses: options.ses }),
    ...(options.editTemplate && { editTemplate: options.editTemplate }),
    ...(options.onLog && { onLog: options.onLog }),
  })
  return { cloud, settings: settingLines(environment), seeded, stop: () => cloud.stop() }
}

async function synthesize({ directory, egress }: LocalPosternOptions): Promise<string> {
  const bundles = join(directory, 'bundles')
  const assembly = join(directory, 'cdk.out')
  await bundleFunctions(bundles)
  buildApp({ outdir: assembly, bundles, validate: false, ...(egress && { context: { egress } }) }).synth()
  return assembly
}

/** What differs from a deployment; each is a setting that a deployment has too. */
function localEnvironment(options: LocalPosternOptions) {
  const { smtpPort, submissionPort, submissionsPort, healthPort, addresses } = options
  return {
    listener: {
      [variables.smtpPort]: String(smtpPort),
      [variables.submissionPort]: String(submissionPort),
      [variables.submissionsPort]: String(submissionsPort),
      [variables.healthPort]: String(healthPort),
      [variables.listenAddresses]: addresses.join(','),
      [variables.catchallAccount]: localSeed.account,
      [variables.simulateFailures]: 'true',
      [variables.plaintextLoginOnLoopback]: 'true',
      [variables.skipSenderChecks]: 'true',
    },
    WorkersWebhookFunction: { [variables.webhookAllowLoopback]: 'true' },
  }
}

/** Sets up what is missing, over the same API that an operator uses; the password comes last, so it says that all is done. */
async function seed(cloud: ReadyCloud, smtpPort: number): Promise<readonly string[]> {
  const { adminPassword, ...setup } = localSeed
  const url = cloud.apiUrl
  if (await isSeeded(adminClient({ url, password: adminPassword }))) return []
  const admin = adminClient({ url, password: await initialPassword(cloud) })
  const lines = await setUp(admin, setup)
  await admin.put(`/transports/${RELAY}`, { Host: '127.0.0.1', Port: smtpPort, TLS: 'none' })
  await admin.put('/routes', [{ FromDomain: [], ToDomain: [], MinimumAttempts: 0, Transport: RELAY }])
  await admin.patch(`/accounts/${setup.account}`, {
    FromIDLoginAddresses: [setup.address],
    KeepRetiredMessagePeriod: RETENTION_NS,
    KeepRetiredWebhookPeriod: RETENTION_NS,
    MaxOutgoingMessagesPerDay: 0,
    MaxFirstTimeRecipientsPerDay: 0,
  })
  await admin.put('/password', { Password: adminPassword })
  return lines
}

/** The operator reads the generated secret, as `npx postern setup --help` tells for a deployment. */
async function initialPassword(cloud: ReadyCloud): Promise<string> {
  const client = new SecretsManagerClient(cloud.clientConfig())
  try {
    const secret = await client.send(new GetSecretValueCommand({ SecretId: cloud.outputs.AdminSecretArn }))
    return secret.SecretString ?? ''
  } finally {
    client.destroy()
  }
}

/** Once the administrator has the local password, the seed was through. */
async function isSeeded(admin: AdminClient): Promise<boolean> {
  try {
    await admin.get('/routes')
    return true
  } catch (error) {
    if (error instanceof AdminError && error.status === 401) return false
    throw error
  }
}

/** A delivery that comes before our own listener is up would have to wait for its second attempt. */
async function untilListening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isUp) return
    await sleep(50)
  }
  throw new Error(`the SMTP listener did not come up on port ${port}; npm start -- --verbose shows its log`)
}

function merged(
  ours: Readonly<Record<string, Readonly<Record<string, string>>>>,
  more: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Record<string, Record<string, string>> {
  const names = new Set([...Object.keys(ours), ...Object.keys(more)])
  return Object.fromEntries([...names].map((name) => [name, { ...ours[name], ...more[name] }]))
}

function settingLines(environment: Readonly<Record<string, Readonly<Record<string, string>>>>): string[] {
  return Object.entries(environment).flatMap(([name, settings]) =>
    Object.entries(settings).map(([variable, value]) => `${name} ${variable}=${value}`),
  )
}
