import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  App,
  aws_apigatewayv2,
  aws_apigatewayv2_integrations,
  aws_dynamodb,
  aws_ec2,
  aws_ecs,
  aws_events,
  aws_events_targets,
  aws_iam,
  aws_lambda,
  aws_lambda_event_sources,
  aws_s3,
  aws_s3_assets,
  aws_secretsmanager,
  aws_ses,
  aws_sqs,
  CfnOutput,
  Duration,
  Stack,
} from 'aws-cdk-lib'

/** What the demo's functions and task run; each text is a whole ES module. */
export interface DemoSources {
  readonly api: string
  readonly worker: string
  readonly task: string
}

/** Synthesizes a small application of everything the local cloud runs into `directory`/cdk.out; returns that path. */
export function synthDemoApp(directory: string, sources: DemoSources): string {
  const assembly = join(directory, 'cdk.out')
  const app = new App({ outdir: assembly, analyticsReporting: false, builtinCloudFormationValidation: false })
  const stack = new Stack(app, 'Demo')
  const stores = addStores(stack)
  addFunctions(stack, directory, sources, stores)
  addEvents(stack, stores)
  addTask(stack, directory, sources.task)
  app.synth()
  return assembly
}

/** What SES says of the mails of a configuration set comes to the queue. */
function addEvents(stack: Stack, { queue }: Stores): void {
  const set = new aws_ses.ConfigurationSet(stack, 'ConfigurationSet')
  set.addEventDestination('Events', {
    destination: aws_ses.EventDestination.eventBus(
      aws_events.EventBus.fromEventBusName(stack, 'Bus', 'default'),
    ),
    events: [aws_ses.EmailSendingEvent.DELIVERY],
  })
  const resource = { service: 'ses', resource: 'configuration-set', resourceName: set.configurationSetName }
  new aws_events.Rule(stack, 'MailEvents', {
    eventPattern: { source: ['aws.ses'], resources: [stack.formatArn(resource)] },
    targets: [new aws_events_targets.SqsQueue(queue)],
  })
  new CfnOutput(stack, 'ConfigurationSetName', { value: set.configurationSetName })
}

interface Stores {
  readonly table: aws_dynamodb.Table
  readonly bucket: aws_s3.Bucket
  readonly queue: aws_sqs.Queue
  readonly deadLetters: aws_sqs.Queue
  readonly secret: aws_secretsmanager.Secret
}

function addStores(stack: Stack): Stores {
  const string = aws_dynamodb.AttributeType.STRING
  const table = new aws_dynamodb.Table(stack, 'Table', {
    partitionKey: { name: 'pk', type: string },
    sortKey: { name: 'sk', type: string },
    billingMode: aws_dynamodb.BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'expires',
  })
  table.addGlobalSecondaryIndex({
    indexName: 'byColour',
    partitionKey: { name: 'colour', type: string },
    projectionType: aws_dynamodb.ProjectionType.KEYS_ONLY,
  })
  const bucket = new aws_s3.Bucket(stack, 'Bucket', {
    enforceSSL: true,
    lifecycleRules: [{ prefix: 'tmp/', expiration: Duration.days(2) }],
  })
  const deadLetters = new aws_sqs.Queue(stack, 'DeadLetters')
  const queue = new aws_sqs.Queue(stack, 'Queue', {
    enforceSSL: true,
    visibilityTimeout: Duration.seconds(2),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 1 },
  })
  const secret = new aws_secretsmanager.Secret(stack, 'Secret', {
    generateSecretString: { passwordLength: 24, excludePunctuation: true },
  })
  return { table, bucket, queue, deadLetters, secret }
}

function addFunctions(stack: Stack, directory: string, sources: DemoSources, stores: Stores): void {
  const environment = {
    TABLE: stores.table.tableName,
    BUCKET: stores.bucket.bucketName,
    QUEUE_URL: stores.queue.queueUrl,
    SECRET_ARN: stores.secret.secretArn,
  }
  const api = addFunction(stack, 'ApiFunction', moduleDirectory(directory, 'api', sources.api), environment)
  const worker = addFunction(
    stack,
    'Worker',
    moduleDirectory(directory, 'worker', sources.worker),
    environment,
  )
  worker.addEventSource(
    new aws_lambda_event_sources.SqsEventSource(stores.queue, {
      batchSize: 10,
      reportBatchItemFailures: true,
    }),
  )
  stores.table.grantReadWriteData(api)
  stores.queue.grantSendMessages(api)
  stores.bucket.grantPut(api)
  stores.secret.grantRead(api)
  const httpApi = new aws_apigatewayv2.HttpApi(stack, 'HttpApi')
  httpApi.addRoutes({
    path: '/api/{proxy+}',
    integration: new aws_apigatewayv2_integrations.HttpLambdaIntegration('ApiRoute', api),
  })
  new aws_events.Rule(stack, 'EveryMinute', {
    schedule: aws_events.Schedule.rate(Duration.minutes(1)),
    targets: [new aws_events_targets.LambdaFunction(worker)],
  })
  new CfnOutput(stack, 'ApiUrl', { value: httpApi.apiEndpoint })
  new CfnOutput(stack, 'TableName', { value: stores.table.tableName })
  new CfnOutput(stack, 'BucketName', { value: stores.bucket.bucketName })
  new CfnOutput(stack, 'QueueUrl', { value: stores.queue.queueUrl })
  new CfnOutput(stack, 'DeadLettersUrl', { value: stores.deadLetters.queueUrl })
  new CfnOutput(stack, 'SecretArn', { value: stores.secret.secretArn })
}

function addFunction(
  stack: Stack,
  id: string,
  code: string,
  environment: Record<string, string>,
): aws_lambda.Function {
  return new aws_lambda.Function(stack, id, {
    code: aws_lambda.Code.fromAsset(code),
    handler: 'handler.handler',
    runtime: aws_lambda.Runtime.NODEJS_24_X,
    architecture: aws_lambda.Architecture.ARM_64,
    timeout: Duration.seconds(2),
    memorySize: 256,
    environment,
  })
}

function addTask(stack: Stack, directory: string, source: string): void {
  const asset = new aws_s3_assets.Asset(stack, 'TaskCode', {
    path: join(moduleDirectory(directory, 'task', source), 'handler.mjs'),
  })
  const vpc = new aws_ec2.Vpc(stack, 'Vpc', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'public', subnetType: aws_ec2.SubnetType.PUBLIC }],
  })
  // The CDK's own classes miss `| undefined` on optional properties of their interfaces.
  const cluster = new aws_ecs.Cluster(stack, 'Cluster', { vpc: vpc as aws_ec2.IVpc })
  const taskDefinition = new aws_ecs.FargateTaskDefinition(stack, 'TaskDefinition', {
    volumes: [{ name: 'code' }],
    executionRole: new aws_iam.Role(stack, 'ExecutionRole', {
      assumedBy: new aws_iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
    }),
  })
  const copy = taskDefinition.addContainer('copy', {
    image: aws_ecs.ContainerImage.fromRegistry('registry.example/aws-cli:2'),
    essential: false,
    command: ['s3', 'cp', asset.s3ObjectUrl, '/copied/main.mjs'],
  })
  copy.addMountPoints({ sourceVolume: 'code', containerPath: '/copied', readOnly: false })
  asset.grantRead(taskDefinition.taskRole)
  const main = taskDefinition.addContainer('main', {
    image: aws_ecs.ContainerImage.fromRegistry('registry.example/node:24'),
    command: ['node', '/code/main.mjs', 'one'],
    environment: { GREETING: 'hello' },
    stopTimeout: Duration.seconds(120),
    portMappings: [{ containerPort: 1025 }],
    logging: aws_ecs.LogDrivers.awsLogs({ streamPrefix: 'main' }),
  })
  main.addMountPoints({ sourceVolume: 'code', containerPath: '/code', readOnly: true })
  main.addContainerDependencies({ container: copy, condition: aws_ecs.ContainerDependencyCondition.SUCCESS })
  new aws_ecs.FargateService(stack, 'Service', {
    cluster: cluster as aws_ecs.ICluster,
    taskDefinition,
    desiredCount: 1,
    minHealthyPercent: 100,
    assignPublicIp: true,
  })
}

function moduleDirectory(directory: string, name: string, source: string): string {
  const folder = join(directory, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'handler.mjs'), source)
  return folder
}
