import { Duration, Validations } from 'aws-cdk-lib'
import {
  FlowLogDestination,
  IpAddresses,
  type IVpc,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import {
  Cluster,
  ContainerDependencyCondition,
  ContainerImage,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs'
import { Asset } from 'aws-cdk-lib/aws-s3-assets'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { Data } from './data.ts'
import { MailLoadBalancer, type MailPort } from './load-balancer.ts'
import { allow, createLogGroup, toVariables } from './node-function.ts'
import { addResolver, resolverAddress } from './resolver-container.ts'

interface MailProps {
  readonly bundles: string
  readonly data: Data
  readonly deliveries: Queue
  readonly webhooks: Queue
}

/** Stock images for arm64 and x86, each pinned by digest; `-c copyImage=…`, `-c listenerImage=…` and `-c resolverImage=…` replace them. */
const copyImage =
  'public.ecr.aws/aws-cli/aws-cli:2.37.0@sha256:337494c2047176fe9abcf45a5d1eaf1c2c62cae40953284fb1143b5c6170f065'
const nodeImage =
  'public.ecr.aws/docker/library/node:24-alpine@sha256:a0b9bf06e4e6193cf7a0f58816cc935ff8c2a908f81e6f1a95432d679c54fbfd'

const vpcAddresses = '10.0.0.0/16'
/** The container's ports are those of local mode; RFC 5321 §4.5.4.2, RFC 6409, RFC 8314 for the public ones. */
const ports = {
  smtp: { name: 'Smtp', public: 25, container: 1025, idleSeconds: 360 },
  submission: { name: 'Submission', public: 587, container: 1587, idleSeconds: 660 },
  submissions: { name: 'Submissions', public: 465, container: 1465, idleSeconds: 660 },
} as const satisfies Record<string, MailPort>
const healthPort = 1081
const containerName = 'listener'
const codeDirectory = '/code'

/**
 * The SMTP listeners behind a load balancer: a stock Node image that runs our bundle, so that deploying needs no
 * Docker, and beside it a resolver that validates.
 */
export class Mail extends Construct {
  /** {@link MailLoadBalancer.addresses} */
  readonly addresses: string

  constructor(scope: Construct, id: string, props: MailProps) {
    super(scope, id)
    const vpc = createVpc(this)
    const cluster = new Cluster(this, 'Cluster', { vpc }) as ICluster
    Validations.of(cluster).acknowledge({
      id: 'AwsSolutions-ECS4',
      reason:
        'Container Insights bills each metric monthly; ECS gives the CPU and memory of the service for nothing.',
    })
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

function createVpc(scope: Construct): IVpc {
  const vpc = new Vpc(scope, 'Vpc', {
    ipAddresses: IpAddresses.cidr(vpcAddresses),
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false }],
    // Emptying the default group takes a custom resource, a function of its own; nothing here is in that group.
    restrictDefaultSecurityGroup: false,
    flowLogs: {
      all: { destination: FlowLogDestination.toCloudWatchLogs(createLogGroup(scope, 'FlowLogs')) },
    },
  })
  return vpc as IVpc
}

function createTask(scope: Construct, props: MailProps): FargateTaskDefinition {
  const task = new FargateTaskDefinition(scope, 'ListenerTask', {
    cpu: 256,
    memoryLimitMiB: 2048,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.ARM64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
    volumes: [{ name: 'code' }],
  })
  Validations.of(task).acknowledge({
    id: 'AwsSolutions-ECS2',
    reason: 'The variables are names, addresses and numbers; no secret is among them.',
  })
  addContainers(task, props)
  allowListener(task, props)
  allowSubmission(task, props)
  return task
}

function addContainers(task: FargateTaskDefinition, props: MailProps): void {
  const { bundles, data, deliveries, webhooks } = props
  const bundle = new Asset(task, 'Bundle', { path: `${bundles}/listener/main.mjs` })
  allow(task.taskRole, ['s3:GetObject'], [bundle.bucket.arnForObjects(bundle.s3ObjectKey)])
  const logGroup = createLogGroup(task, 'Logs')
  const copy = task.addContainer('copy', {
    image: imageFrom(task, 'copyImage', copyImage),
    command: ['s3', 'cp', '--only-show-errors', bundle.s3ObjectUrl, `${codeDirectory}/main.mjs`],
    essential: false,
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'copy' }),
  })
  copy.addMountPoints({ sourceVolume: 'code', containerPath: codeDirectory, readOnly: false })
  const resolver = addResolver(
    task,
    imageFrom(task, 'resolverImage', nodeImage),
    LogDrivers.awsLogs({ logGroup, streamPrefix: 'resolver' }),
  )
  const main = task.addContainer(containerName, {
    image: imageFrom(task, 'listenerImage', nodeImage),
    command: ['node', `${codeDirectory}/main.mjs`],
    environment: toVariables({
      table: data.table.tableName,
      bucket: data.bucket.bucketName,
      deliveriesQueueUrl: deliveries.queueUrl,
      webhooksQueueUrl: webhooks.queueUrl,
      fromIdSecretArn: data.fromIdSecret.secretArn,
      smtpPort: String(ports.smtp.container),
      submissionPort: String(ports.submission.container),
      submissionsPort: String(ports.submissions.container),
      healthPort: String(healthPort),
      dnsServers: `${resolverAddress.host}:${resolverAddress.port}`,
      sealingSecretArn: data.sealingSecret.secretArn,
      ...allowTlsSecret(task),
    }),
    portMappings: [...Object.values(ports).map(({ container }) => container), healthPort].map(
      (containerPort) => ({ containerPort }),
    ),
    readonlyRootFilesystem: true,
    user: '1000',
    // The most Fargate grants: the listener itself ends its sessions long before.
    stopTimeout: Duration.seconds(120),
    logging: LogDrivers.awsLogs({ logGroup, streamPrefix: 'listener' }),
  })
  main.addMountPoints({ sourceVolume: 'code', containerPath: codeDirectory, readOnly: true })
  main.addContainerDependencies(
    { container: copy, condition: ContainerDependencyCondition.SUCCESS },
    { container: resolver, condition: ContainerDependencyCondition.HEALTHY },
  )
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
  allow(taskRole, ['sqs:SendMessage'], [deliveries.queueArn])
}

/** `-c tlsSecretArn=…` names a secret of the operator with certificate and key; without it both are made. */
function allowTlsSecret({ node, taskRole }: FargateTaskDefinition): { readonly tlsSecretArn?: string } {
  const tlsSecretArn: unknown = node.tryGetContext('tlsSecretArn')
  if (tlsSecretArn === undefined) return {}
  if (typeof tlsSecretArn !== 'string') throw new Error('context tlsSecretArn must be the ARN of a secret')
  allow(taskRole, ['secretsmanager:GetSecretValue'], [tlsSecretArn])
  return { tlsSecretArn }
}

function imageFrom(scope: Construct, contextKey: string, fallback: string): ContainerImage {
  const image: unknown = scope.node.tryGetContext(contextKey) ?? fallback
  if (typeof image !== 'string') throw new Error(`context ${contextKey} must be the name of an image`)
  return ContainerImage.fromRegistry(image)
}
