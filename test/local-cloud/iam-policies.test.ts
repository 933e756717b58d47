import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Access, openAccess } from '../../infra/local/iam/access.ts'
import type { Call } from '../../infra/local/iam/call.ts'
import { identify } from '../../infra/local/template/identities.ts'
import { nameTemplate, openTemplate } from '../../infra/local/template/template.ts'

type Properties = Readonly<Record<string, unknown>>

const deployment = { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' }
const addresses = { gateway: 'http://127.0.0.1:1', api: 'http://127.0.0.1:2' }

const stores = {
  Table: {
    Type: 'AWS::DynamoDB::Table',
    Properties: { KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] },
  },
  Jobs: { Type: 'AWS::SQS::Queue' },
  Files: { Type: 'AWS::S3::Bucket' },
}

const table = 'arn:aws:dynamodb:us-east-1:000000000000:table/Demo-Table'
const queue = 'arn:aws:sqs:us-east-1:000000000000:Demo-Jobs'
const bucket = 'arn:aws:s3:::demo-files'

/** Reads the policies of a template with a table, a queue, a bucket, `Role`, and these resources. */
function accessWith(resources: Properties, role: Properties = {}): Access {
  const Resources = { ...stores, Role: { Type: 'AWS::IAM::Role', Properties: role }, ...resources }
  const document = openTemplate(JSON.stringify({ Resources }), deployment)
  const template = nameTemplate(document, identify(document.resources, deployment, addresses))
  return openAccess(template, async () => true)
}

function identityPolicy(Statement: unknown, more: Properties = {}) {
  const Properties = { PolicyDocument: { Statement }, Roles: [{ Ref: 'Role' }], ...more }
  return { Policy: { Type: 'AWS::IAM::Policy', Properties } }
}

function queuePolicy(Statement: unknown) {
  const Properties = { PolicyDocument: { Statement }, Queues: [{ Ref: 'Jobs' }] }
  return { JobsPolicy: { Type: 'AWS::SQS::QueuePolicy', Properties } }
}

function bucketPolicy(Statement: unknown) {
  const Properties = { PolicyDocument: { Statement }, Bucket: { Ref: 'Files' } }
  return { FilesPolicy: { Type: 'AWS::S3::BucketPolicy', Properties } }
}

const send = { action: 'sqs:SendMessage', resource: queue }
const allowSend = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Jobs', 'Arn'] } }
const denySend = { ...allowSend, Effect: 'Deny' }
const get = { action: 's3:GetObject', resource: `${bucket}/mail/1` }

const nobody = { Effect: 'Deny', Action: 's3:*', Resource: '*', Principal: { AWS: '*' } }
const unlessTls = { ...nobody, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }

function allow(Action: unknown, Resource: unknown, more: Properties = {}) {
  return { Effect: 'Allow', Action, Resource, ...more }
}

function forKeys(operator: string, ...keys: readonly string[]) {
  const Condition = { [operator]: { 'dynamodb:LeadingKeys': keys } }
  return identityPolicy(allow('dynamodb:*', table, { Condition }))
}

function onKeys(...leadingKeys: readonly string[]): Call {
  return { action: 'dynamodb:GetItem', resource: table, leadingKeys }
}

const allowed: readonly (readonly [rule: string, resources: Properties, call: Call])[] = [
  ['an Allow for action and resource', identityPolicy(allowSend), send],
  [
    'one of several actions and resources',
    identityPolicy(allow(['sqs:a', 'sqs:SendMessage'], [bucket, queue])),
    send,
  ],
  ['* stands for any characters, slashes too', identityPolicy(allow('s3:*', `${bucket}/*`)), get],
  ['? stands for one character', identityPolicy(allow('s3:GetObjec?', `${bucket}/mail/?`)), get],
  ['the case of an action does not matter', identityPolicy(allow('S3:getobject', '*')), get],
  [
    'ForAllValues: all leading keys match',
    forKeys('ForAllValues:StringLike', 'M#*', 'CFG'),
    onKeys('M#1', 'CFG'),
  ],
  ['ForAllValues: exact keys', forKeys('ForAllValues:StringEquals', 'CFG'), onKeys('CFG')],
  ['ForAllValues holds without the key, as on AWS', forKeys('ForAllValues:StringLike', 'M#*'), onKeys()],
  [
    'requests count as TLS',
    { ...identityPolicy(allow('s3:GetObject', '*')), ...bucketPolicy(unlessTls) },
    get,
  ],
  [
    "a resource policy's Allow for the role is enough",
    queuePolicy({ ...allowSend, Principal: { AWS: { 'Fn::GetAtt': ['Role', 'Arn'] } } }),
    send,
  ],
  ["a resource policy's Allow for everybody is enough", queuePolicy({ ...allowSend, Principal: '*' }), send],
  [
    'the policy of another resource is not asked',
    { ...identityPolicy(allowSend), ...bucketPolicy({ ...nobody, Action: '*' }) },
    send,
  ],
]

for (const [rule, resources, call] of allowed) {
  test(`IAM: allowed: ${rule}`, () => {
    assert.equal(accessWith(resources).refusal('Role', call), undefined)
  })
}

const nothingAllows = /because no identity-based policy allows the \S+ action$/
const identityDenies = /with an explicit deny in an identity-based policy$/
const resourceDenies = /with an explicit deny in a resource-based policy$/
const account = { AWS: 'arn:aws:iam::000000000000:root' }

const denied: readonly (readonly [rule: string, resources: Properties, call: Call, text: RegExp])[] = [
  ['a role without policies', {}, send, nothingAllows],
  ['another action', identityPolicy(allow('sqs:ReceiveMessage', '*')), send, nothingAllows],
  ['another resource', identityPolicy(allow('sqs:*', `${queue}-other`)), send, nothingAllows],
  ['the case of a resource matters', identityPolicy(allow('*', `${bucket}/MAIL/*`)), get, nothingAllows],
  ['a dot is a dot', identityPolicy(allow('*', 'arn.aws:s3:::*')), get, nothingAllows],
  [
    'one leading key that does not match',
    forKeys('ForAllValues:StringLike', 'M#*'),
    onKeys('M#1', 'CFG'),
    nothingAllows,
  ],
  [
    'a key that no role has',
    identityPolicy(allow('*', '*', { Condition: { ArnLike: { 'aws:SourceArn': '*' } } })),
    send,
    nothingAllows,
  ],
  ['an explicit Deny wins', identityPolicy([allowSend, denySend]), send, identityDenies],
  [
    "a resource policy's Deny wins",
    { ...identityPolicy(allowSend), ...queuePolicy({ ...denySend, Principal: { AWS: '*' } }) },
    send,
    resourceDenies,
  ],
  [
    'a Deny for the account is for its roles',
    { ...identityPolicy(allowSend), ...queuePolicy({ ...denySend, Principal: account }) },
    send,
    resourceDenies,
  ],
  [
    'an Allow for the account leaves it to the identity policies',
    queuePolicy({ ...allowSend, Principal: account }),
    send,
    nothingAllows,
  ],
  [
    'an Allow for a service is for no role',
    queuePolicy({ ...allowSend, Principal: { Service: 'events.amazonaws.com' } }),
    send,
    nothingAllows,
  ],
]

for (const [rule, resources, call, text] of denied) {
  test(`IAM: denied: ${rule}`, () => {
    assert.match(accessWith(resources).refusal('Role', call) ?? '', text)
  })
}

const logs = { action: 'logs:PutLogEvents', resource: 'arn:aws:logs:us-east-1:000000000000:log-group:x:*' }
const basicExecution = {
  'Fn::Join': [
    '',
    ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
  ],
}

test('IAM: a role has its inline policies', () => {
  const access = accessWith(
    {},
    { Policies: [{ PolicyName: 'own', PolicyDocument: { Statement: [allowSend] } }] },
  )
  assert.equal(access.refusal('Role', send), undefined)
})

test('IAM: a role has the managed policies it names', () => {
  assert.equal(accessWith({}, { ManagedPolicyArns: [basicExecution] }).refusal('Role', logs), undefined)
})

test("IAM: a policy is only its own roles'", () => {
  const access = accessWith({ ...identityPolicy(allowSend), Other: { Type: 'AWS::IAM::Role' } })
  assert.match(access.refusal('Other', send) ?? '', nothingAllows)
})

const texts: readonly (readonly [rule: string, call: Call, text: string])[] = [
  [
    'DynamoDB',
    onKeys('CFG'),
    `dynamodb:GetItem on resource: ${table} because no identity-based policy allows the dynamodb:GetItem action`,
  ],
  [
    'SQS, whose action is in lower case',
    send,
    `sqs:sendmessage on resource: ${queue} because no identity-based policy allows the sqs:sendmessage action`,
  ],
  [
    'S3, whose resource is in quotes',
    get,
    `s3:GetObject on resource: "${bucket}/mail/1" because no identity-based policy allows the s3:GetObject action`,
  ],
]

for (const [rule, call, text] of texts) {
  test(`IAM: the refusal has AWS's text: ${rule}`, () => {
    const user = 'User: arn:aws:sts::000000000000:assumed-role/Demo-Role/local'
    assert.equal(accessWith({}).refusal('Role', call), `${user} is not authorized to perform: ${text}`)
  })
}

const unsupported: readonly (readonly [
  rule: string,
  resources: Properties,
  role: Properties,
  message: RegExp,
])[] = [
  [
    'NotAction',
    identityPolicy({ Effect: 'Allow', NotAction: '*', Resource: '*' }),
    {},
    /^Policy: NotAction is not/,
  ],
  [
    'NotResource',
    identityPolicy({ Effect: 'Allow', Action: '*', NotResource: '*' }),
    {},
    /NotResource is not/,
  ],
  [
    'NotPrincipal',
    queuePolicy({ ...denySend, NotPrincipal: account }),
    {},
    /^JobsPolicy: NotPrincipal is not/,
  ],
  ['a misspelt Effect', identityPolicy({ ...allowSend, Effect: 'allow' }), {}, /^Policy: Effect: /],
  [
    'a Principal in an identity policy',
    identityPolicy({ ...allowSend, Principal: '*' }),
    {},
    /^Policy: a statement of an identity policy must not specify a Principal/,
  ],
  [
    'a resource policy without Principal',
    queuePolicy(allowSend),
    {},
    /^JobsPolicy: a statement of a resource policy must specify a Principal/,
  ],
  [
    'a principal that is neither account nor service',
    queuePolicy({ ...allowSend, Principal: { Federated: 'x' } }),
    {},
    /the principal Federated is not supported locally/,
  ],
  [
    'an unknown operator',
    identityPolicy({ ...allowSend, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    {},
    /^Policy: the condition operator IpAddress is not supported locally/,
  ],
  [
    'a known operator IfExists',
    identityPolicy({ ...allowSend, Condition: { BoolIfExists: { 'aws:SecureTransport': 'true' } } }),
    {},
    /the condition operator BoolIfExists is not supported locally/,
  ],
  [
    'an unknown key',
    identityPolicy({ ...allowSend, Condition: { StringEquals: { 'aws:PrincipalTag/team': 'a' } } }),
    {},
    /the condition key aws:PrincipalTag\/team is not supported locally/,
  ],
  [
    'LeadingKeys as a single value',
    forKeys('StringLike', 'M#*'),
    {},
    /LeadingKeys has several values, only a ForAll/,
  ],
  [
    'a policy variable',
    identityPolicy(allow('s3:GetObject', `${bucket}/\${aws:username}`)),
    {},
    /the policy variable in \S+ is not supported locally/,
  ],
  [
    'groups',
    identityPolicy(allowSend, { Groups: ['g'] }),
    {},
    /^Policy \(AWS::IAM::Policy\): Groups: not supported/,
  ],
  [
    'a role from elsewhere',
    identityPolicy(allowSend, { Roles: ['x'] }),
    {},
    /^Policy: the template has no role x$/,
  ],
  [
    'an unknown managed policy',
    {},
    { ManagedPolicyArns: ['arn:a'] },
    /^Role: the local cloud does not know .* arn:a$/,
  ],
  [
    'a permissions boundary',
    {},
    { PermissionsBoundary: 'arn:b' },
    /PermissionsBoundary: not supported locally/,
  ],
  [
    "a managed policy of the template's own",
    { M: { Type: 'AWS::IAM::ManagedPolicy' } },
    {},
    /^M: an AWS::IAM::Managed/,
  ],
  [
    'a policy of a table',
    { Table: { Type: 'AWS::DynamoDB::Table', Properties: { ResourcePolicy: {} } } },
    {},
    /^Table: the ResourcePolicy of a table is not supported/,
  ],
]

for (const [rule, resources, role, message] of unsupported) {
  test(`IAM: ${rule} is refused by name when the policies are read`, () => {
    assert.throws(
      () => accessWith(resources, role),
      (error: unknown) => error instanceof Error && message.test(error.message),
    )
  })
}

test('IAM: a grant counts as exercised once, with the resource and the key of the policy', () => {
  const access = accessWith(forKeys('ForAllValues:StringLike', 'M#*', 'CFG'))
  assert.deepEqual(access.exercised(), [])
  for (const key of ['M#1', 'M#2']) access.refusal('Role', onKeys(key))
  assert.deepEqual(access.exercised(), [
    { role: 'Role', action: 'dynamodb:GetItem', resource: table, leadingKey: 'M#*' },
  ])
})

test('IAM: neither a refused call nor a mere question counts as exercised', () => {
  const access = accessWith(identityPolicy(allowSend))
  access.refusal('Role', get)
  access.wouldRefuse('Role', send)
  assert.deepEqual(access.exercised(), [])
})

test('IAM: the grants are all that the Allow statements of the roles list', () => {
  const access = accessWith(identityPolicy([allow(['a:1', 'a:2'], [queue, bucket]), denySend]))
  const grant = (action: string, resource: string) => ({ role: 'Role', action, resource })
  assert.deepEqual(access.grants(), [
    grant('a:1', queue),
    grant('a:1', bucket),
    grant('a:2', queue),
    grant('a:2', bucket),
  ])
})

test('IAM: a role that the template names itself has that name', () => {
  const access = accessWith(identityPolicy(allowSend), { RoleName: 'sender' })
  assert.equal(access.refusal('Role', send), undefined)
  assert.match(access.refusal('Role', get) ?? '', /:assumed-role\/sender\/local /)
})
