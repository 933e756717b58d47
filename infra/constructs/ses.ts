import { ArnFormat, Stack, Validations } from 'aws-cdk-lib'
import { EventBus, Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import type { IRole } from 'aws-cdk-lib/aws-iam'
import {
  ConfigurationSet,
  ConfigurationSetTlsPolicy,
  EmailSendingEvent,
  EventDestination,
} from 'aws-cdk-lib/aws-ses'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { allow } from './node-function.ts'

/** What tells how a message fared; opens and clicks would need links that are rewritten. */
const outcomes = [
  EmailSendingEvent.SEND,
  EmailSendingEvent.DELIVERY,
  EmailSendingEvent.DELIVERY_DELAY,
  EmailSendingEvent.BOUNCE,
  EmailSendingEvent.COMPLAINT,
  EmailSendingEvent.REJECT,
  EmailSendingEvent.RENDERING_FAILURE,
]

/** What mail through SES is sent with. It costs nothing until a transport of the kind `ses` is used. */
export class Ses extends Construct {
  readonly configurationSet: string
  private readonly configurationSetArn: string
  /** Domains come and go while the stack stays, so that no role can name their identities. */
  private readonly identitiesArn: string

  constructor(scope: Construct, id: string) {
    super(scope, id)
    const set = new ConfigurationSet(this, 'ConfigurationSet', {
      // Our own list decides: SES would take a message to an address on its list, and drop it.
      disableSuppressionList: true,
      reputationMetrics: true,
      tlsPolicy: ConfigurationSetTlsPolicy.OPTIONAL,
    })
    set.addEventDestination('Events', {
      // SES knows no other bus.
      destination: EventDestination.eventBus(EventBus.fromEventBusName(this, 'Bus', 'default')),
      events: outcomes,
    })
    this.configurationSet = set.configurationSetName
    this.configurationSetArn = this.arn('configuration-set', this.configurationSet)
    this.identitiesArn = this.arn('identity', '*')
  }

  /** Has the events of all messages come to a queue. */
  publishTo(queue: Queue): void {
    new Rule(this, 'Events', {
      eventPattern: { source: ['aws.ses'], resources: [this.configurationSetArn] },
      targets: [new SqsQueue(queue)],
    })
  }

  /** Lets a role send in the name of every domain, with this configuration set, and ask how much it may send. */
  allowSending(role: IRole): void {
    // For a raw message API v2 asks for the permission of API v1 as well.
    const actions = ['ses:SendEmail', 'ses:SendRawEmail']
    allow(role, actions, [this.identitiesArn, this.configurationSetArn])
    // It has no resource.
    allow(role, ['ses:GetAccount'], ['*'])
    const reason = 'GetAccount takes no resource (Service Authorization Reference, Amazon SES v2).'
    Validations.of(role).acknowledge({ id: 'AwsSolutions-IAM5[Resource::*]', reason })
    this.acknowledgeIdentities(role)
  }

  /** Lets a role make identities of domains and remove them. */
  allowIdentities(role: IRole): void {
    allow(role, ['ses:CreateEmailIdentity'], [this.identitiesArn, this.configurationSetArn])
    const others = ['GetEmailIdentity', 'PutEmailIdentityMailFromAttributes', 'DeleteEmailIdentity']
    allow(
      role,
      others.map((action) => `ses:${action}`),
      [this.identitiesArn],
    )
    this.acknowledgeIdentities(role)
  }

  private acknowledgeIdentities(role: IRole): void {
    const arn = 'arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*'
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${arn}]`,
      reason: 'Domains are added and removed while the stack stays as it is.',
    })
  }

  private arn(resource: string, resourceName: string): string {
    const arnFormat = ArnFormat.SLASH_RESOURCE_NAME
    return Stack.of(this).formatArn({ service: 'ses', resource, resourceName, arnFormat })
  }
}
