import { Validations } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { dueIndex, retiredIndex } from '../../shared/runtime/names.ts'
import type { Data } from './data.ts'
import { allow, createLogGroup, NodeFunction } from './node-function.ts'

interface ApiProps {
  readonly bundles: string
  readonly data: Data
  readonly deliveries: Queue
}

/** One second less than API Gateway waits, so that a slow function's own error is the one that is logged. */
const timeoutSeconds = 29

/** The HTTP API and the functions behind it. */
export class Api extends Construct {
  /** `https://…` without a slash at the end. */
  readonly url: string

  constructor(scope: Construct, id: string, props: ApiProps) {
    super(scope, id)
    const api = new HttpApi(this, 'Http', { createDefaultStage: false })
    this.url = api.apiEndpoint
    addStage(api)
    addRoute(api, createAdmin(this, props), HttpRouteKey.with('/admin/{proxy+}', HttpMethod.ANY))
    // API Gateway takes no route key that ends in a slash, and `/webapi/` must arrive: the rest is the webapi's.
    addRoute(api, createWebapi(this, props), HttpRouteKey.DEFAULT)
  }
}

function addStage(api: HttpApi): void {
  api.addStage('DefaultStage', {
    stageName: '$default',
    autoDeploy: true,
    throttle: { rateLimit: 1000, burstLimit: 2000 },
    accessLogSettings: {
      destination: new LogGroupLogDestination(createLogGroup(api, 'AccessLogs')),
      format: AccessLogFormat.custom(accessLogLine()),
    },
  })
}

/** Neither query string nor authorization: both can hold what must not lie in a log. */
function accessLogLine(): string {
  return JSON.stringify({
    requestId: '$context.requestId',
    requestTime: '$context.requestTime',
    ip: '$context.identity.sourceIp',
    method: '$context.httpMethod',
    path: '$context.path',
    routeKey: '$context.routeKey',
    status: '$context.status',
    responseLength: '$context.responseLength',
    responseLatency: '$context.responseLatency',
    integrationError: '$context.integrationErrorMessage',
  })
}

function createWebapi(scope: Construct, { bundles, data, deliveries }: ApiProps): NodeFunction {
  const webapi = new NodeFunction(scope, 'Webapi', {
    bundles,
    name: 'webapi',
    timeoutSeconds,
    environment: {
      table: data.table.tableName,
      bucket: data.bucket.bucketName,
      deliveriesQueueUrl: deliveries.queueUrl,
    },
  })
  const { role } = webapi
  data.allowItems(role, ['GetItem', 'Query', 'BatchGetItem'], ['options', 'addresses', 'credentials'])
  data.allowItems(role, ['GetItem', 'BatchGetItem'], ['mails', 'content'])
  data.allowItems(role, ['PutItem'], ['content', 'messages'])
  data.allowObjects(role, 's3:PutObject', 'queue')
  data.allowObjects(role, 's3:GetObject', 'mail')
  allow(role, ['sqs:SendMessage'], [deliveries.queueArn])
  return webapi
}

function createAdmin(scope: Construct, { bundles, data }: ApiProps): NodeFunction {
  const admin = new NodeFunction(scope, 'Admin', {
    bundles,
    name: 'admin',
    timeoutSeconds,
    environment: { table: data.table.tableName, adminSecretArn: data.adminSecret.secretArn },
  })
  const { role } = admin
  data.allowItems(
    role,
    ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'BatchGetItem'],
    ['options', 'addresses', 'credentials'],
  )
  const rows = ['messages', 'webhookCalls', 'mails', 'uids', 'mailboxes'] as const
  data.allowItems(role, ['GetItem', 'Query', 'BatchGetItem'], rows)
  data.allowItems(role, ['GetItem', 'BatchGetItem'], ['content'])
  data.allowIndex(role, dueIndex, ['mail', 'hook', 'held'])
  data.allowIndex(role, retiredIndex, ['mail', 'hook'])
  allow(role, ['secretsmanager:GetSecretValue'], [data.adminSecret.secretArn])
  return admin
}

function addRoute(api: HttpApi, { lambda }: NodeFunction, routeKey: HttpRouteKey): void {
  const name = lambda.node.scope?.node.id
  const integration = new HttpLambdaIntegration(`${name}Integration`, lambda)
  const route = new HttpRoute(api, `${name}Route`, { httpApi: api, routeKey, integration })
  Validations.of(route).acknowledge({
    id: 'AwsSolutions-APIG4',
    reason:
      'The function checks HTTP Basic credentials of accounts (webapi) or the admin password (admin) itself.',
  })
}
