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
import type { IRole } from 'aws-cdk-lib/aws-iam'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { retiredIndex } from '../../shared/runtime/names.ts'
import type { Data } from './data.ts'
import { allow, createLogGroup, NodeFunction } from './node-function.ts'
import type { Ses } from './ses.ts'
import { allowOperations, type DeliveryQueues, deliveryQueueArns, deliveryQueueUrls } from './workers.ts'

interface ApiProps {
  readonly bundles: string
  readonly data: Data
  readonly deliveries: DeliveryQueues
  readonly ses: Ses
  readonly webhooks: Queue
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
    // A whole processor, and room for several copies of the largest message.
    memoryMb: 1769,
    environment: {
      table: data.table.tableName,
      bucket: data.bucket.bucketName,
      ...deliveryQueueUrls(deliveries),
      fromIdSecretArn: data.fromIdSecret.secretArn,
    },
  })
  const { role } = webapi
  allow(role, ['secretsmanager:GetSecretValue'], [data.fromIdSecret.secretArn])
  data.allowItems(role, ['GetItem'], ['options', 'addresses', 'credentials', 'mails', 'content'])
  data.allowItems(role, ['PutItem'], ['content', 'messages'])
  data.allowItems(role, ['GetItem', 'BatchGetItem', 'Query', 'UpdateItem'], ['counters'])
  data.allowItems(role, ['BatchGetItem', 'UpdateItem'], ['recipients'])
  data.allowItems(role, ['UpdateItem'], ['messageIds'])
  data.allowItems(role, ['GetItem', 'UpdateItem', 'DeleteItem'], ['keyedSends'])
  data.allowItems(role, ['GetItem', 'PutItem', 'UpdateItem'], ['uploads'])
  // Whoever has a URL that this role has signed acts in its name.
  data.allowObjects(role, 's3:PutObject', 'upload')
  data.allowObjects(role, 's3:GetObject', 'upload')
  data.allowObjects(role, 's3:PutObject', 'queue')
  // A repeated call reads what the one before it had composed.
  data.allowObjects(role, 's3:GetObject', 'queue')
  data.allowItems(role, ['GetItem', 'Query', 'PutItem', 'DeleteItem'], ['suppressions'])
  allowMailboxes(role, data)
  allow(role, ['sqs:SendMessage'], deliveryQueueArns(deliveries))
  return webapi
}

/** Mails are read, changed, moved and removed; a sent one is put into Sent. */
function allowMailboxes(role: IRole, data: Data): void {
  data.allowItems(role, ['UpdateItem'], ['mails', 'mailboxes'])
  data.allowItems(role, ['GetItem', 'Query'], ['mailboxes'])
  data.allowItems(role, ['PutItem'], ['mails', 'uids', 'mailboxChanges'])
  data.allowItems(role, ['DeleteItem'], ['uids', 'mailContent'])
  data.allowObjects(role, 's3:GetObject', 'mail')
  data.allowObjects(role, 's3:PutObject', 'mail')
  data.allowObjects(role, 's3:DeleteObject', 'mail')
}

function createAdmin(scope: Construct, { bundles, data, ses, deliveries, webhooks }: ApiProps): NodeFunction {
  const admin = new NodeFunction(scope, 'Admin', {
    bundles,
    name: 'admin',
    timeoutSeconds,
    environment: {
      table: data.table.tableName,
      bucket: data.bucket.bucketName,
      adminSecretArn: data.adminSecret.secretArn,
      sealingSecretArn: data.sealingSecret.secretArn,
      ...deliveryQueueUrls(deliveries),
      webhooksQueueUrl: webhooks.queueUrl,
      sesConfigurationSet: ses.configurationSet,
    },
  })
  const { role } = admin
  data.allowItems(role, ['GetItem', 'PutItem'], ['options', 'addresses', 'credentials'])
  data.allowItems(role, ['UpdateItem'], ['options', 'addresses'])
  data.allowItems(role, ['DeleteItem'], ['addresses', 'credentials'])
  data.allowItems(role, ['Query'], ['addresses', 'mails'])
  data.allowItems(role, ['GetItem', 'UpdateItem', 'DeleteItem'], ['webhookSecrets'])
  // A webhook that is set again has not failed yet.
  data.allowItems(role, ['DeleteItem'], ['failingWebhooks'])
  allowOperations(role, data)
  data.allowItems(role, ['GetItem', 'PutItem', 'Query'], ['operations'])
  data.allowIndex(role, retiredIndex, ['mail', 'hook'])
  // A message that waits can be looked at.
  data.allowItems(role, ['GetItem'], ['content'])
  data.allowObjects(role, 's3:GetObject', 'queue')
  allow(role, ['sqs:SendMessage'], [...deliveryQueueArns(deliveries), webhooks.queueArn])
  data.allowItems(role, ['BatchGetItem', 'Query', 'PutItem', 'DeleteItem'], ['suppressions'])
  data.allowItems(role, ['PutItem', 'DeleteItem'], ['dkimKeys', 'transportPasswords'])
  data.allowItems(role, ['GetItem', 'Query'], ['reports'])
  data.allowItems(role, ['Query'], ['tlsResults'])
  // Each domain is an identity of SES.
  ses.allowIdentities(role)
  const secrets = [data.adminSecret.secretArn, data.sealingSecret.secretArn]
  allow(role, ['secretsmanager:GetSecretValue'], secrets)
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
