import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { flatten, mainQueue, one, resources, template } from './synthesized.ts'

suite('SES', () => {
  test('our own list of suppressions decides, and TLS is as the recipient has it', () => {
    template.hasResourceProperties('AWS::SES::ConfigurationSet', {
      SuppressionOptions: { SuppressedReasons: [] },
      ReputationOptions: { ReputationMetricsEnabled: true },
      DeliveryOptions: { TlsPolicy: 'OPTIONAL' },
    })
  })

  test('every outcome of a message goes to the default bus', () => {
    const { EventDestination } = one(resources('AWS::SES::ConfigurationSetEventDestination'))
    assert.equal(EventDestination.Enabled, true)
    assert.match(flatten(EventDestination.EventBridgeDestination.EventBusArn), /:event-bus\/default$/)
    assert.deepEqual([...EventDestination.MatchingEventTypes].sort(), [
      'bounce',
      'complaint',
      'delivery',
      'deliveryDelay',
      'reject',
      'renderingFailure',
      'send',
    ])
  })

  test('events of our configuration set, and no others, come to the queue', () => {
    const rule = one(resources('AWS::Events::Rule', 'SesEvents'))
    assert.deepEqual(rule.EventPattern.source, ['aws.ses'])
    assert.deepEqual(rule.EventPattern.resources.map(flatten), [
      'arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:configuration-set/<SesConfigurationSet>',
    ])
    assert.equal(flatten(one<{ Arn: Record<string, unknown> }>(rule.Targets).Arn), '<WorkersSesEvents>')
  })

  test('the queue takes events from that rule alone, and keeps what fails five times', () => {
    const { PolicyDocument } = one(resources('AWS::SQS::QueuePolicy', 'WorkersSesEventsPolicy'))
    const allowing = [...PolicyDocument.Statement].filter(({ Effect }) => Effect === 'Allow')
    const { Principal, Condition } = one(allowing)
    assert.deepEqual(Principal, { Service: 'events.amazonaws.com' })
    assert.equal(flatten(Condition.ArnEquals['aws:SourceArn']), '<SesEvents>')
    assert.equal(mainQueue('WorkersSesEvents').RedrivePolicy.maxReceiveCount, 5)
  })
})
