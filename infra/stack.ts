import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import { Api } from './constructs/api.ts'
import { Data } from './constructs/data.ts'
import { egressKind } from './constructs/egress.ts'
import { Mail } from './constructs/mail.ts'
import { Network } from './constructs/network.ts'
import { Sender } from './constructs/sender.ts'
import { Ses } from './constructs/ses.ts'
import { Workers } from './constructs/workers.ts'

interface PosternStackProps extends StackProps {
  /** Directory that holds a bundle per deployable, as `bundleFunctions` writes them. */
  readonly bundles: string
}

/** All of Postern, in whatever account and region it is deployed to. */
export class PosternStack extends Stack {
  constructor(scope: Construct, id: string, { bundles, ...props }: PosternStackProps) {
    super(scope, id, props)
    const egress = egressKind(this)
    const data = new Data(this, 'Data')
    const ses = new Ses(this, 'Ses')
    const workers = new Workers(this, 'Workers', { bundles, data, ses, hasSender: egress !== 'none' })
    const { deliveries, webhooks } = workers
    const { functions, direct } = deliveries
    const api = new Api(this, 'Api', { bundles, data, ses, deliveries, webhooks })
    const network =
      hasListeners(this) || direct !== undefined ? new Network(this, 'Network', { egress }) : undefined
    const mail =
      network && hasListeners(this)
        ? new Mail(this, 'Mail', { bundles, data, network, deliveries, webhooks })
        : undefined
    if (network && direct) {
      new Sender(this, 'Sender', { bundles, data, network, deliveries: { functions, direct }, webhooks })
    }

    new CfnOutput(this, 'ApiUrl', { value: api.url })
    new CfnOutput(this, 'AdminSecretArn', { value: data.adminSecret.secretArn })
    new CfnOutput(this, 'TableName', { value: data.table.tableName })
    new CfnOutput(this, 'Bucket', { value: data.bucket.bucketName })
    new CfnOutput(this, 'DeliveriesQueueUrl', { value: functions.queueUrl })
    if (direct) new CfnOutput(this, 'DirectQueueUrl', { value: direct.queueUrl })
    new CfnOutput(this, 'WebhooksQueueUrl', { value: webhooks.queueUrl })
    if (network?.egressAddress) new CfnOutput(this, 'EgressAddress', { value: network.egressAddress })
    if (mail) new CfnOutput(this, 'MailAddresses', { value: mail.addresses })
  }
}

/** `-c listeners=none` leaves out all that receives mail over SMTP, and what it costs while nothing happens. */
function hasListeners(scope: Construct): boolean {
  const listeners: unknown = scope.node.tryGetContext('listeners') ?? 'all'
  if (listeners === 'all' || listeners === 'none') return listeners === 'all'
  throw new Error(`context listeners must be all or none, not ${String(listeners)}`)
}
