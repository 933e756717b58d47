import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { EditableTemplate, LocalCloud } from '../../../infra/local/boot.ts'
import { findFreePort } from '../../../infra/local/free-port.ts'
import { awsContentStore } from '../../../shared/adapters/aws/content-store.ts'
import { sqsLanes } from '../../../shared/adapters/aws/hint-channel.ts'
import { dynamoOptionsStore } from '../../../shared/adapters/aws/options-store.ts'
import { dynamoQueueStore } from '../../../shared/adapters/aws/queue-store.ts'
import { systemClock as clock } from '../../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../../shared/adapters/system/random.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import { inGroups } from '../../../shared/base/in-groups.ts'
import { laneHintChannel } from '../../../shared/queue/lane-hint-channel.ts'
import { type SubmitPorts, submit } from '../../../shared/queue/submit.ts'
import { variables } from '../../../shared/runtime/names.ts'
import { adminClient } from '../../cli/client.ts'
import { freePorts } from '../../free-ports.ts'
import type { DnsLab } from '../../labs/dns-lab.ts'
import type { SmtpSink } from '../../labs/smtp-sink-lab.ts'
import { type LocalPosternOptions, localSeed, startLocalPostern } from '../../local-postern.ts'
import { secondsToTake } from './drain.ts'
import { benchMessage, MAIL_FROM } from './message.ts'

const SUBMITTED_AT_ONCE = 25

/** What the sender is given: whom it asks, where it delivers, and where its CPU profile goes, if one is wanted. */
export interface Surroundings {
  readonly dns: DnsLab
  readonly sink: SmtpSink
  readonly profileInto?: string
}

/** Queues the messages in a Postern without its sender, boots it again with one, and says how long they took. */
export async function drainPostern(surroundings: Surroundings, messages: number): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-drain-'))
  try {
    await queueAll(directory, messages)
    return await drain(directory, surroundings, messages)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function bootOptions(directory: string): Promise<LocalPosternOptions> {
  return {
    directory,
    ...(await freePorts()),
    addresses: ['127.0.0.1'],
    egress: 'nat-gateway',
    onLog: showErrors,
  }
}

async function queueAll(directory: string, messages: number): Promise<void> {
  const { cloud, stop } = await startLocalPostern({
    ...(await bootOptions(directory)),
    editTemplate: withoutSender,
  })
  try {
    const admin = adminClient({ url: cloud.apiUrl, password: localSeed.adminPassword })
    await admin.put('/transports/mx', { Kind: 'direct' })
    await admin.put('/routes', [{ FromDomain: [], ToDomain: [], MinimumAttempts: 0, Transport: 'mx' }])
    await submitAll(cloud, messages)
  } finally {
    await stop()
  }
}

/** Its queue stays, and fills. */
function withoutSender({ Resources }: EditableTemplate): void {
  const [, service] =
    Object.entries(Resources).find(
      ([logicalId, { Type }]) => Type === 'AWS::ECS::Service' && logicalId.startsWith('Sender'),
    ) ?? []
  if (!service) throw new Error('the template has no sender')
  service.Properties = { ...service.Properties, DesiredCount: 0 }
}

/** Accepts them as every way in does, once what the request said is checked. */
async function submitAll({ clientConfig, outputs }: LocalCloud, messages: number): Promise<void> {
  const client = new DynamoDBClient(clientConfig())
  const sqs = new SQSClient({ ...clientConfig(), useQueueUrlAsEndpoint: false })
  const table = { client, name: outputs.TableName ?? '', random }
  const urls = { function: outputs.DeliveriesQueueUrl ?? '', direct: outputs.DirectQueueUrl ?? '' }
  const objects = () => Promise.reject(new Error('these messages are small'))
  const ports: SubmitPorts = {
    options: dynamoOptionsStore(table, clock),
    content: awsContentStore({ table, objects, clock }),
    queue: dynamoQueueStore(table, clock),
    deliveries: laneHintChannel(sqsLanes(urls, log, sqs)),
    ...{ clock, random },
  }
  const places = Array.from({ length: messages }, (_, place) => place)
  await inGroups(places, SUBMITTED_AT_ONCE, (place) => submitOne(ports, place))
  client.destroy()
  sqs.destroy()
}

async function submitOne(ports: SubmitPorts, place: number): Promise<void> {
  const { recipient, ...message } = benchMessage(place)
  const addresses = { mailFrom: parseAddress(MAIL_FROM), recipients: [parseAddress(recipient)] }
  const nothingMore = { has8bit: false, smtputf8: false, extra: {} }
  await submit(ports, { account: localSeed.account, ...addresses, ...message, ...nothingMore })
}

async function drain(directory: string, surroundings: Surroundings, messages: number): Promise<number> {
  const { sink } = surroundings
  const drained = secondsToTake(sink, sink.taken(), messages)
  const environment = { sender: await senderEnvironment(surroundings) }
  const [seconds, { stop }] = await Promise.all([
    drained,
    startLocalPostern({ ...(await bootOptions(directory)), environment }),
  ])
  await stop()
  return seconds
}

async function senderEnvironment({ dns, sink, profileInto }: Surroundings): Promise<Record<string, string>> {
  return {
    [variables.dnsServers]: dns.address,
    [variables.smtpDestinationPort]: String(sink.port),
    [variables.deliverToAnyAddress]: 'true',
    [variables.healthPort]: String(await findFreePort('127.0.0.1')),
    ...(profileInto !== undefined && { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileInto}` }),
  }
}

function showErrors(line: string): void {
  if (/"level":"(error|warn)"/.test(line)) console.error(line)
}
