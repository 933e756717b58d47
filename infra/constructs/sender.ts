import { Duration } from 'aws-cdk-lib'
import { SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2'
import { FargateService, type FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Data } from './data.ts'
import type { Network } from './network.ts'
import { allow } from './node-function.ts'
import { createNodeTask } from './node-task.ts'
import { allowAttempts, deliveryQueueArns, deliveryQueueUrls, directSeconds } from './workers.ts'

interface SenderProps {
  readonly bundles: string
  readonly data: Data
  readonly network: Network
  readonly deliveries: { readonly functions: Queue; readonly direct: Queue }
  readonly webhooks: Queue
}

const healthPort = 1082

const askForHealth = `
fetch('http://127.0.0.1:${healthPort}/health').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))
`

/** The process that delivers to the servers of recipients, behind the one address that they know it by. */
export class Sender extends Construct {
  constructor(scope: Construct, id: string, props: SenderProps) {
    super(scope, id)
    const { vpc, cluster } = props.network
    const service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: createTask(this, props),
      desiredCount: 1,
      // One at a time: it paces what each domain gets. Mail waits in the queue while it is replaced.
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      circuitBreaker: { rollback: true },
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      // Nobody connects to it.
      securityGroups: [new SecurityGroup(this, 'Group', { vpc, description: 'Postern sender' })],
    })
    for (const subnet of vpc.privateSubnets)
      service.node.addDependency(subnet.internetConnectivityEstablished)
  }
}

function createTask(scope: Construct, props: SenderProps): FargateTaskDefinition {
  const { bundles, data, deliveries, webhooks } = props
  const task = createNodeTask(scope, 'Task', {
    bundles,
    name: 'sender',
    cpu: 512,
    memoryMb: 1024,
    environment: () => ({
      table: data.table.tableName,
      bucket: data.bucket.bucketName,
      ...deliveryQueueUrls(deliveries),
      webhooksQueueUrl: webhooks.queueUrl,
      sealingSecretArn: data.sealingSecret.secretArn,
      deliverLeaseSeconds: String(directSeconds.lease),
      healthPort: String(healthPort),
    }),
    ports: [],
    healthCheck: {
      command: ['CMD', 'node', '-e', askForHealth],
      interval: Duration.seconds(30),
      timeout: Duration.seconds(5),
      retries: 3,
      startPeriod: Duration.seconds(60),
    },
  })
  allowSending(task, props)
  return task
}

function allowSending({ taskRole }: FargateTaskDefinition, props: SenderProps): void {
  const { data, deliveries, webhooks } = props
  allowAttempts(taskRole, data)
  // What the domains of recipients say of TLS, and what became of it.
  data.allowItems(taskRole, ['GetItem', 'Query', 'UpdateItem', 'DeleteItem'], ['stsPolicies'])
  data.allowItems(taskRole, ['GetItem', 'UpdateItem'], ['tlsResults'])
  data.allowItems(taskRole, ['UpdateItem'], ['domainTls'])
  allow(taskRole, ['sqs:SendMessage'], [...deliveryQueueArns(deliveries), webhooks.queueArn])
  allow(taskRole, ['sqs:ReceiveMessage', 'sqs:DeleteMessage'], [deliveries.direct.queueArn])
}
