import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { identify } from '../../infra/local/template/identities.ts'
import { nameTemplate, openTemplate } from '../../infra/local/template/template.ts'

const deployment = { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' }
const addresses = { gateway: 'http://127.0.0.1:4566', api: 'http://127.0.0.1:1080' }

function named(document: object) {
  const template = openTemplate(JSON.stringify(document), deployment)
  return nameTemplate(template, identify(template.resources, deployment, addresses))
}

const resources = {
  Jobs: { Type: 'AWS::SQS::Queue' },
  Ordered: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
  Named: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'my-jobs' } },
  Store: { Type: 'AWS::S3::Bucket' },
  Api: { Type: 'AWS::ApiGatewayV2::Api' },
}

const values: readonly (readonly [rule: string, value: unknown, expected: string])[] = [
  ['Ref of a queue is its URL', { Ref: 'Jobs' }, 'http://127.0.0.1:4566/000000000000/Demo-Jobs'],
  ['an explicit name is kept', { 'Fn::GetAtt': ['Named', 'QueueName'] }, 'my-jobs'],
  ['a FIFO queue is named so', { 'Fn::GetAtt': ['Ordered', 'QueueName'] }, 'Demo-Ordered.fifo'],
  ['a bucket name is in lower case', { Ref: 'Store' }, 'demo-store'],
  ['Fn::GetAtt takes one dotted text', { 'Fn::GetAtt': 'Store.Arn' }, 'arn:aws:s3:::demo-store'],
  ['Fn::Sub names resources', { 'Fn::Sub': `\${Store}/\${Jobs.QueueName}` }, 'demo-store/Demo-Jobs'],
  ['Fn::Sub has variables', { 'Fn::Sub': [`\${A}-\${!A}`, { A: { Ref: 'Store' } }] }, `demo-store-\${A}`],
  ['Fn::Join joins', { 'Fn::Join': ['/', ['a', { Ref: 'AWS::Region' }]] }, 'a/us-east-1'],
  ['Fn::Join skips AWS::NoValue', { 'Fn::Join': ['/', ['a', { Ref: 'AWS::NoValue' }, 'b']] }, 'a/b'],
  ['Fn::Select and Fn::Split', { 'Fn::Select': ['1', { 'Fn::Split': ['-', 'a-b-c'] }] }, 'b'],
  ['Fn::GetAZs lists zones', { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, 'us-east-1a'],
  ['Fn::If chooses by condition', { 'Fn::If': ['Large', 'big', 'small'] }, 'big'],
  ['a parameter has its Default', { Ref: 'Size' }, 'L'],
  [
    "the address of an API is this machine's",
    {
      'Fn::Join': [
        '',
        ['https://', { Ref: 'Api' }, '.execute-api.us-east-1.', { Ref: 'AWS::URLSuffix' }, '/x'],
      ],
    },
    'http://127.0.0.1:1080/x',
  ],
]

for (const [rule, Value, expected] of values) {
  test(`template: ${rule}`, () => {
    const template = named({
      Parameters: { Size: { Type: 'String', Default: 'L' } },
      Conditions: {
        Large: { 'Fn::And': [{ 'Fn::Equals': [{ Ref: 'Size' }, 'L'] }, { Condition: 'Here' }] },
        Here: { 'Fn::Not': [{ 'Fn::Equals': ['a', 'b'] }] },
      },
      Resources: resources,
      Outputs: { It: { Value } },
    })
    assert.deepEqual(template.outputs(), { It: expected })
  })
}

const refusals: readonly (readonly [rule: string, Value: unknown, message: RegExp])[] = [
  ['an unknown intrinsic function', { 'Fn::ImportValue': 'x' }, /Fn::ImportValue is not supported locally/],
  ['an unknown name', { Ref: 'Nobody' }, /no resource or parameter Nobody/],
  ['an unknown attribute', { 'Fn::GetAtt': ['Store', 'WebsiteURL'] }, /no attribute Store.WebsiteURL/],
  ['a parameter without Default', { Ref: 'Size' }, /Parameter Size has no Default/],
]

for (const [rule, Value, message] of refusals) {
  test(`template: ${rule} is refused by name`, () => {
    const template = named({
      Parameters: { Size: { Type: 'String' } },
      Resources: resources,
      Outputs: { It: { Value } },
    })
    assert.throws(() => template.outputs(), message)
  })
}

test('template: an unknown resource type is refused with type and logical id', () => {
  const Resources = { Notify: { Type: 'AWS::SNS::Topic' } }
  assert.throws(() => named({ Resources }), /resource Notify has the type AWS::SNS::Topic/)
})

test('template: a resource whose condition does not hold is not created', () => {
  const template = named({
    Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Condition: 'Never' }, ...resources },
  })
  assert.deepEqual(template.ofType('AWS::SNS::Topic'), [])
})

test('template: a wrong property is refused with logical id, type and property', () => {
  const template = named({
    Resources: { Jobs: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: 'soon' } } },
  })
  const [queue] = template.ofType('AWS::SQS::Queue')
  assert.ok(queue)
  assert.throws(
    () => template.read(queue, z.object({ DelaySeconds: z.coerce.number() })),
    /^Error: Jobs \(AWS::SQS::Queue\): DelaySeconds: /,
  )
})

test('template: a name that is too long for its type is shortened, and differs by its whole text', () => {
  const longId = 'A'.repeat(90)
  const template = named({
    Resources: { [`${longId}1`]: { Type: 'AWS::SQS::Queue' }, [`${longId}2`]: { Type: 'AWS::SQS::Queue' } },
  })
  const [first, second] = ['1', '2'].map((end) => template.identities.attribute(longId + end, 'QueueName'))
  assert.equal(first?.length, 80)
  assert.notEqual(first, second)
})
