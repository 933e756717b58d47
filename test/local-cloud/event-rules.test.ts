import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSendPermissions } from '../../infra/local/iam/queue-permissions.ts'
import { readEventRule } from '../../infra/local/programs/event-rules.ts'
import { identify } from '../../infra/local/template/identities.ts'
import { nameTemplate, openTemplate } from '../../infra/local/template/template.ts'

const deployment = { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' }
const queueArn = 'arn:aws:sqs:us-east-1:000000000000:Demo-Jobs'
const ruleArn = 'arn:aws:events:us-east-1:000000000000:rule/Demo-It'
const target = { Arn: { 'Fn::GetAtt': ['Jobs', 'Arn'] }, Id: 'T' }

function open(Properties: object, Statement: object[] = []) {
  const document = openTemplate(
    JSON.stringify({
      Resources: {
        It: { Type: 'AWS::Events::Rule', Properties },
        Jobs: { Type: 'AWS::SQS::Queue' },
        Policy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: { PolicyDocument: { Statement }, Queues: [{ Ref: 'Jobs' }] },
        },
      },
    }),
    deployment,
  )
  const addresses = { gateway: 'http://127.0.0.1:1', api: 'http://127.0.0.1:2' }
  const template = nameTemplate(document, identify(document.resources, deployment, addresses))
  const [rule] = template.ofType('AWS::Events::Rule')
  return { template, rule: rule ?? assert.fail('no rule') }
}

test('event rules: pattern and queues are read', () => {
  const { template, rule } = open({ EventPattern: { source: ['aws.ses'] }, Targets: [target] })
  assert.deepEqual(readEventRule(rule, template), {
    ruleArn,
    pattern: { source: ['aws.ses'] },
    queues: [{ arn: queueArn, url: 'http://127.0.0.1:1/000000000000/Demo-Jobs' }],
  })
})

test('event rules: a disabled rule is none', () => {
  const { template, rule } = open({ EventPattern: { source: ['a'] }, State: 'DISABLED' })
  assert.equal(readEventRule(rule, template), undefined)
})

const unsupported: readonly (readonly [rule: string, properties: object])[] = [
  ['a pattern on the detail', { EventPattern: { detail: { eventType: ['Bounce'] } } }],
  ['a comparison', { EventPattern: { source: [{ prefix: 'aws.' }] } }],
  ['an input of its own', { EventPattern: { source: ['a'] }, Targets: [{ ...target, Input: '{}' }] }],
  ['another bus', { EventPattern: { source: ['a'] }, EventBusName: 'mine' }],
]

for (const [rule, properties] of unsupported) {
  test(`event rules: ${rule} is refused, by the name of the rule`, () => {
    const opened = open(properties)
    assert.throws(() => readEventRule(opened.rule, opened.template), /^Error: It \(AWS::Events::Rule\)/)
  })
}

const allow = {
  Effect: 'Allow',
  Action: 'sqs:SendMessage',
  Principal: { Service: 'events.amazonaws.com' },
  Resource: target.Arn,
  Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } },
}
const deny = { Effect: 'Deny', Action: 'sqs:*', Principal: { AWS: '*' }, Resource: target.Arn }

const policies: readonly (readonly [rule: string, statements: object[], isAllowed: boolean])[] = [
  ['the rule that it names may send', [allow], true],
  ['without a policy nobody may', [], false],
  ['another service may not', [{ ...allow, Principal: { Service: 'sns.amazonaws.com' } }], false],
  [
    'another rule may not',
    [{ ...allow, Condition: { ArnEquals: { 'aws:SourceArn': `${ruleArn}2` } } }],
    false,
  ],
  ['an explicit deny for all wins', [allow, deny], false],
  [
    'a deny of what is not over TLS concerns nobody here',
    [allow, { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    true,
  ],
]

for (const [rule, statements, isAllowed] of policies) {
  test(`queue policies: ${rule}`, () => {
    const { template } = open({ EventPattern: {} }, statements)
    const maySend = readSendPermissions(template)
    assert.equal(maySend(queueArn, 'events.amazonaws.com', ruleArn), isAllowed)
  })
}
