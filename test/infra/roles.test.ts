import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { flatten, withContext } from './synthesized.ts'

/** With a sender, so that there is every role. */
const own = withContext('roles', { egress: 'nat-gateway' })

suite('roles', () => {
  const statements = allStatements()

  test('name every resource in full, but for the objects below a prefix and the identities of SES', () => {
    const wild = statements.flatMap(({ role, resources }) =>
      resources.filter((resource) => resource.includes('*')).map((resource) => [role, resource]),
    )
    const identities = 'arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*'
    assert.deepEqual(wild.sort(), [
      ['ApiAdmin', '<DataBucket>/queue/*'],
      // To create an identity, and for the rest.
      ['ApiAdmin', identities],
      ['ApiAdmin', identities],
      ['ApiWebapi', '<DataBucket>/mail/*'],
      ['ApiWebapi', '<DataBucket>/queue/*'],
      ['ApiWebapi', '<DataBucket>/upload/*'],
      ['MailListenerTaskTask', '<DataBucket>/hook/*'],
      ['MailListenerTaskTask', '<DataBucket>/mail/*'],
      ['MailListenerTaskTask', '<DataBucket>/queue/*'],
      ['SenderTaskTask', '<DataBucket>/queue/*'],
      // GetAccount has no resource.
      ['WorkersDeliver', '*'],
      ['WorkersDeliver', '<DataBucket>/queue/*'],
      ['WorkersDeliver', identities],
      ['WorkersSweep', '<DataBucket>/queue/*'],
      ['WorkersWebhook', '<DataBucket>/hook/*'],
    ])
  })

  test('name every action in full and use no managed policy', () => {
    assert.deepEqual(
      statements.flatMap(({ actions }) => actions.filter((action) => action.includes('*'))),
      [],
    )
    for (const { Properties } of Object.values(own.findResources('AWS::IAM::Role')))
      assert.equal(Properties.ManagedPolicyArns, undefined)
  })

  test('reach the table only by the partition keys of named entities', () => {
    const onTable = statements.filter(({ actions }) =>
      actions.some((action) => action.startsWith('dynamodb:')),
    )
    assert.ok(onTable.length > 0)
    for (const { role, actions, keys } of onTable) assert.ok(keys.length > 0, `${role} ${actions}`)
  })

  const holders = [
    {
      rule: 'only admin changes options, and the sweep, which disables webhooks that fail',
      action: 'dynamodb:PutItem',
      key: 'CFG',
      roles: ['ApiAdmin', 'WorkersSweep'],
    },
    {
      rule: 'only webhook notes that webhooks fail',
      action: 'dynamodb:UpdateItem',
      key: 'F#*',
      roles: ['WorkersWebhook'],
    },
    {
      rule: 'only the listener stores reports that come in',
      action: 'dynamodb:PutItem',
      key: 'RP#*',
      roles: ['MailListenerTaskTask'],
    },
    { rule: 'only admin changes credentials', action: 'dynamodb:PutItem', key: 'K#*', roles: ['ApiAdmin'] },
    {
      rule: 'only sweep deletes messages',
      action: 'dynamodb:DeleteItem',
      key: 'M#*',
      roles: ['WorkersSweep'],
    },
    {
      rule: 'only attempts, operators, the sweep, bounces and events of SES change messages',
      action: 'dynamodb:UpdateItem',
      key: 'M#*',
      roles: [
        'ApiAdmin',
        'MailListenerTaskTask',
        'SenderTaskTask',
        'WorkersDeliver',
        'WorkersSesEventsHandler',
        'WorkersSweep',
      ],
    },
    {
      rule: 'only the listener, webapi (copies of what is sent), attempts and the sweep (notices) store mails',
      action: 'dynamodb:PutItem',
      key: 'N#*',
      roles: ['ApiWebapi', 'MailListenerTaskTask', 'SenderTaskTask', 'WorkersDeliver', 'WorkersSweep'],
    },
    {
      rule: 'only webapi removes mails, and no other content',
      action: 'dynamodb:DeleteItem',
      key: 'B#mail/*',
      roles: ['ApiWebapi'],
    },
    {
      rule: 'only webapi, admin and what hears of failures suppress addresses',
      action: 'dynamodb:PutItem',
      key: 'S#*',
      roles: [
        'ApiAdmin',
        'ApiWebapi',
        'MailListenerTaskTask',
        'SenderTaskTask',
        'WorkersDeliver',
        'WorkersSesEventsHandler',
      ],
    },
    {
      rule: 'only webapi and admin suppress addresses no more',
      action: 'dynamodb:DeleteItem',
      key: 'S#*',
      roles: ['ApiAdmin', 'ApiWebapi'],
    },
    {
      rule: 'only webapi and the listener accept messages',
      action: 'dynamodb:PutItem',
      key: 'M#*',
      roles: ['ApiWebapi', 'MailListenerTaskTask'],
    },
    {
      rule: 'only the listener reads the certificate',
      action: 'dynamodb:GetItem',
      key: 'TLS',
      roles: ['MailListenerTaskTask'],
    },
    {
      rule: 'only the API functions and the listener read credentials',
      action: 'dynamodb:GetItem',
      key: 'K#*',
      roles: ['ApiAdmin', 'ApiWebapi', 'MailListenerTaskTask'],
    },
    {
      rule: 'only admin and webhook read webhook secrets',
      action: 'dynamodb:GetItem',
      key: 'W#*',
      roles: ['ApiAdmin', 'WorkersWebhook'],
    },
    {
      rule: 'only admin changes webhook secrets',
      action: 'dynamodb:UpdateItem',
      key: 'W#*',
      roles: ['ApiAdmin'],
    },
    {
      rule: 'only the API functions, the listener and what signs mail read secrets',
      action: 'secretsmanager:GetSecretValue',
      key: undefined,
      roles: ['ApiAdmin', 'ApiWebapi', 'MailListenerTaskTask', 'SenderTaskTask', 'WorkersDeliver'],
    },
    {
      rule: 'only deliver sends through SES',
      action: 'ses:SendEmail',
      key: undefined,
      roles: ['WorkersDeliver'],
    },
    {
      rule: 'only admin makes identities of SES',
      action: 'ses:CreateEmailIdentity',
      key: undefined,
      roles: ['ApiAdmin'],
    },
    {
      rule: 'only attempts read what mail is signed with',
      action: 'dynamodb:GetItem',
      key: 'DK#*',
      roles: ['SenderTaskTask', 'WorkersDeliver'],
    },
    {
      rule: 'only admin brings along what mail is signed with',
      action: 'dynamodb:PutItem',
      key: 'DK#*',
      roles: ['ApiAdmin'],
    },
    {
      rule: 'only deliver reads passwords of relays',
      action: 'dynamodb:GetItem',
      key: 'TP',
      roles: ['WorkersDeliver'],
    },
    {
      rule: 'only admin changes passwords of relays',
      action: 'dynamodb:PutItem',
      key: 'TP',
      roles: ['ApiAdmin'],
    },
    {
      rule: 'only deliver takes turns of SES',
      action: 'dynamodb:UpdateItem',
      key: 'SE',
      roles: ['WorkersDeliver'],
    },
    {
      rule: 'only the sender keeps MTA-STS policies',
      action: 'dynamodb:UpdateItem',
      key: 'STS',
      roles: ['SenderTaskTask'],
    },
    {
      rule: 'only the sender notes what TLS came to',
      action: 'dynamodb:UpdateItem',
      key: 'TR#*',
      roles: ['SenderTaskTask'],
    },
    {
      rule: 'only the sender notes what the servers of domains can do',
      action: 'dynamodb:UpdateItem',
      key: 'DT#*',
      roles: ['SenderTaskTask'],
    },
  ]
  for (const { rule, action, key, roles } of holders) {
    test(rule, () => {
      const found = statements.filter(
        (statement) =>
          statement.actions.includes(action) && (key === undefined || statement.keys.includes(key)),
      )
      assert.deepEqual([...new Set(found.map(({ role }) => role))].sort(), roles)
    })
  }

  test('each queue is read by one role, and no role reads two', () => {
    const reading = statements.filter(({ actions }) => actions.includes('sqs:ReceiveMessage'))
    assert.deepEqual(reading.map(({ role, resources }) => [role, ...resources]).sort(), [
      ['SenderTaskTask', '<WorkersDirect>'],
      ['WorkersDeliver', '<WorkersDeliveries>'],
      ['WorkersSesEventsHandler', '<WorkersSesEvents>'],
      ['WorkersWebhook', '<WorkersWebhooks>'],
    ])
  })
})

interface Statement {
  /** Path of what the role belongs to: `WorkersDeliver`. */
  readonly role: string
  readonly actions: readonly string[]
  /** ARNs; a resource of the stack is `<ConstructPath>`, without the hash of its logical id. */
  readonly resources: readonly string[]
  readonly keys: readonly string[]
}

function allStatements(): Statement[] {
  return Object.values(own.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
    [...Properties.PolicyDocument.Statement].map(({ Action, Resource, Condition }) => ({
      role: String(Properties.Roles[0].Ref).replace(/Role[0-9A-F]{8}$/, ''),
      actions: [Action].flat(),
      resources: [Resource].flat().map(flatten),
      keys: Condition?.['ForAllValues:StringLike']['dynamodb:LeadingKeys'] ?? [],
    })),
  )
}
