import { Duration } from 'aws-cdk-lib'
import { SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2'
import { FargateService, type FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Data } from './data.ts'
import { MailLoadBalancer, type MailPort } from './load-balancer.ts'
import type { Network } from './network.ts'
import { allow } from './node-function.ts'
import { createNodeTask } from './node-task.ts'
import { type DeliveryQueues, deliveryQueueArns, deliveryQueueUrls } from './workers.ts'

interface MailProps {
  readonly bundles: string
  readonly data: Data
  readonly network: Network
  readonly deliveries: DeliveryQueues
  readonly webhooks: Queue
}

/** The container's ports are those of local mode; RFC 5321 §4.5.4.2, RFC 6409, RFC 8314 for the public ones. */
const ports = {
  smtp: { name: 'Smtp', public: 25, container: 1025, idleSeconds: 360 },
  submission: { name: 'Submission', public: 587, container: 1587, idleSeconds: 660 },
  submissions: { name: 'Submissions', public: 465, container: 1465, idleSeconds: 660 },
} as const satisfies Record<string, MailPort>
const healthPort = 1081
const containerName = 'listener'

/** The SMTP listeners behind a load balancer. */
export class Mail extends Construct {
  /** {@link MailLoadBalancer.addresses} */
  readonly addresses: string

  constructor(scope: Construct, id: string, props: MailProps) {
    super(scope, id)
    const { vpc, cluster } = props.network
    const taskGroup = new SecurityGroup(this, 'ListenerGroup', { vpc, description: 'Postern SMTP listener' })
    const service = new FargateService(this, 'Listener', {
      cluster,
      taskDefinition: createTask(this, props),
      desiredCount: 1,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      // Without a NAT gateway a public address is the task's only way to AWS.
      assignPublicIp: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroups: [taskGroup],
      // The resolver is installed first.
      healthCheckGracePeriod: Duration.seconds(120),
    })
    // A first task that starts before the route out exists fails, and the circuit breaker counts it.
    service.node.addDependency(vpc.internetConnectivityEstablished)
    const balancer = new MailLoadBalancer(this, 'Balancer', {
      vpc,
      service,
      containerName,
      taskGroup,
      ports: Object.values(ports),
      healthPort,
    })
    this.addresses = balancer.addresses
  }
}

function createTask(scope: Construct, props: MailProps): FargateTaskDefinition {
  const { bundles, data, deliveries, webhooks } = props
  const task = createNodeTask(scope, 'ListenerTask', {
    bundles,
    name: containerName,
    cpu: 256,
    memoryMb: 2048,
    environment: (definition) => ({
      table: data.table.tableName,
      bucket: data.bucket.bucketName,
      ...deliveryQueueUrls(deliveries),
      webhooksQueueUrl: webhooks.queueUrl,
      fromIdSecretArn: data.fromIdSecret.secretArn,
      smtpPort: String(ports.smtp.container),
      submissionPort: String(ports.submission.container),
      submissionsPort: String(ports.submissions.container),
      healthPort: String(healthPort),
      sealingSecretArn: data.sealingSecret.secretArn,
      ...allowTlsSecret(definition),
    }),
    ports: [...Object.values(ports).map(({ container }) => container), healthPort],
  })
  allowListener(task, props)
  allowSubmission(task, props)
  return task
}
function allowListener({ taskRole }: FargateTaskDefinition, { data, webhooks }: MailProps): void {
  data.allowItems(taskRole, ['GetItem'], ['options', 'addresses', 'mailboxes', 'recipients'])
  data.allowItems(taskRole, ['UpdateItem'], ['mailboxes'])
  // A bounce is found by its FromID, and changes the message that it is about and its recipient's standing.
  allow(taskRole, ['secretsmanager:GetSecretValue'], [data.fromIdSecret.secretArn])
  data.allowItems(taskRole, ['GetItem', 'UpdateItem'], ['messages', 'webhookCalls'])
  data.allowItems(taskRole, ['BatchGetItem'], ['suppressions', 'recipients'])
  // A bounce is about a message that is found by its FromID, or its Message-ID and the decision about its Send.
  data.allowItems(taskRole, ['GetItem'], ['messageIds', 'content'])
  data.allowItems(taskRole, ['PutItem'], ['suppressions'])
  data.allowItems(taskRole, ['UpdateItem'], ['recipients'])
  data.allowItems(taskRole, ['PutItem'], ['mails', 'uids', 'mailboxChanges', 'content', 'webhookCalls'])
  data.allowItems(taskRole, ['PutItem'], ['reports'])
  data.allowObjects(taskRole, 's3:PutObject', 'mail')
  data.allowObjects(taskRole, 's3:PutObject', 'hook')
  allow(taskRole, ['sqs:SendMessage'], [webhooks.queueArn])
}

/** Mail programs log in, and what they submit is accepted as what comes to the webapi. */
function allowSubmission({ taskRole }: FargateTaskDefinition, { data, deliveries }: MailProps): void {
  allow(taskRole, ['secretsmanager:GetSecretValue'], [data.sealingSecret.secretArn])
  data.allowItems(taskRole, ['GetItem', 'UpdateItem'], ['certificate'])
  data.allowItems(taskRole, ['GetItem'], ['credentials'])
  data.allowItems(taskRole, ['GetItem', 'BatchGetItem', 'Query', 'UpdateItem'], ['counters'])
  data.allowItems(taskRole, ['PutItem'], ['messages'])
  data.allowItems(taskRole, ['UpdateItem'], ['messageIds'])
  data.allowObjects(taskRole, 's3:PutObject', 'queue')
  allow(taskRole, ['sqs:SendMessage'], deliveryQueueArns(deliveries))
}

/** `-c tlsSecretArn=…` names a secret of the operator with certificate and key; without it both are made. */
function allowTlsSecret({ node, taskRole }: FargateTaskDefinition): { readonly tlsSecretArn?: string } {
  const tlsSecretArn: unknown = node.tryGetContext('tlsSecretArn')
  if (tlsSecretArn === undefined) return {}
  if (typeof tlsSecretArn !== 'string') throw new Error('context tlsSecretArn must be the ARN of a secret')
  allow(taskRole, ['secretsmanager:GetSecretValue'], [tlsSecretArn])
  return { tlsSecretArn }
}
