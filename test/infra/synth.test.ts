import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { suite, test } from 'node:test'
import { Match } from 'aws-cdk-lib/assertions'
import { CfnQueue } from 'aws-cdk-lib/aws-sqs'
import { buildApp } from '../../infra/app.ts'
import { bundleFunctions } from '../../infra/bundle.ts'
import { variables } from '../../shared/runtime/names.ts'
import {
  assembly,
  bundles,
  containers,
  directory,
  listener,
  mainQueue,
  one,
  type Resources,
  resources,
  stack,
  template,
  withContext,
} from './synthesized.ts'

const report = JSON.parse(readFileSync(join(assembly.directory, 'validation-report.json'), 'utf8'))

suite('synthesis', () => {
  test('needs neither credentials, account nor region, and gives one stack', () => {
    assert.deepEqual(
      assembly.stacks.map(({ stackName, environment }) => [stackName, environment.name]),
      [['Postern', 'aws://unknown-account/unknown-region']],
    )
  })

  test('has no finding of CloudFormation’s rules or AWS Solutions', () => {
    assert.deepEqual(report.pluginReports, [])
  })

  for (const rule of ['AwsSolutions-SQS3', 'CloudFormation-Validate::F3034']) {
    test(`stops at a finding of ${rule} and names the construct`, () => {
      const app = buildApp({ outdir: join(directory, 'planted'), bundles, validate: true })
      new CfnQueue(app.node.findChild('Postern'), 'Planted', { visibilityTimeout: 43_201 })
      assert.throws(() => app.synth(), new RegExp(`(?=[^]*Postern/Planted)(?=[^]*${rule})`))
    })
  }

  test('without validation gives the same template and no report', () => {
    const quick = buildApp({ outdir: join(directory, 'quick'), bundles, validate: false }).synth()
    assert.deepEqual(quick.getStackByName('Postern').template, stack.template)
    assert.equal(existsSync(join(quick.directory, 'validation-report.json')), false)
  })

  test('has no custom resource, which would hide a function from local mode', () => {
    const types = Object.values(template.toJSON().Resources as Resources).map(({ Type }) => Type)
    assert.deepEqual(
      types.filter((type) => /^Custom::|CustomResource$/.test(type)),
      [],
    )
  })

  test('outputs what an operator needs first', () => {
    assert.deepEqual(Object.keys(template.findOutputs('*')).sort(), [
      'AdminSecretArn',
      'ApiUrl',
      'Bucket',
      'DeliveriesQueueUrl',
      'MailAddresses',
      'TableName',
      'WebhooksQueueUrl',
    ])
  })
})

suite('data', () => {
  const kept = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' }
  const key = (name: string, type: string) => ({ AttributeName: name, KeyType: type })
  const cases = [
    {
      rule: 'the table expires items, can be restored and is kept',
      type: 'AWS::DynamoDB::Table',
      Properties: {
        KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      },
    },
    {
      rule: 'both indexes hold keys only',
      type: 'AWS::DynamoDB::Table',
      Properties: {
        GlobalSecondaryIndexes: [
          {
            IndexName: 'due',
            KeySchema: [key('due', 'HASH'), key('dueAt', 'RANGE')],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
          {
            IndexName: 'retired',
            KeySchema: [key('retired', 'HASH'), key('retiredAt', 'RANGE')],
            Projection: { ProjectionType: 'KEYS_ONLY' },
          },
        ],
      },
    },
    {
      rule: 'the bucket is closed, encrypted, kept, and forgets what is not received mail',
      type: 'AWS::S3::Bucket',
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        LifecycleConfiguration: {
          Rules: [
            Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
            Match.objectLike({ Prefix: 'queue/', ExpirationInDays: 90 }),
            Match.objectLike({ Prefix: 'hook/', ExpirationInDays: 30 }),
            Match.objectLike({ Prefix: 'upload/', ExpirationInDays: 2 }),
          ],
        },
      },
    },
    {
      rule: 'the admin password is generated and kept',
      type: 'AWS::SecretsManager::Secret',
      Properties: { GenerateSecretString: { PasswordLength: 24, ExcludePunctuation: true } },
    },
  ]
  for (const { rule, type, Properties } of cases) {
    test(rule, () => template.hasResource(type, { ...kept, Properties }))
  }
})

suite('workers', () => {
  const attempts = [
    { name: 'Deliver', queue: 'WorkersDeliveries', lease: variables.deliverLeaseSeconds },
    { name: 'Webhook', queue: 'WorkersWebhooks', lease: variables.webhookLeaseSeconds },
  ]
  for (const { name, queue, lease } of attempts) {
    test(`${name}: function timeout < queue visibility < lease`, () => {
      const worker = one(resources('AWS::Lambda::Function', `Workers${name}Function`))
      const { VisibilityTimeout } = mainQueue(queue)
      const seconds = [worker.Timeout, VisibilityTimeout, Number(worker.Environment.Variables[lease])]
      assert.ok(seconds[0] < seconds[1] && seconds[1] < seconds[2], seconds.join(' < '))
    })

    test(`${name}: a hint that fails five times goes to a queue of its own for 14 days`, () => {
      const { RedrivePolicy } = mainQueue(queue)
      assert.equal(RedrivePolicy.maxReceiveCount, 5)
      const deadLetters = template.toJSON().Resources[RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]]
      assert.equal(deadLetters.Properties.MessageRetentionPeriod, 14 * 24 * 3600)
    })
  }

  test('each record of a batch fails alone', () => {
    for (const source of resources('AWS::Lambda::EventSourceMapping')) {
      assert.deepEqual(source.FunctionResponseTypes, ['ReportBatchItemFailures'])
    }
  })

  test('webhooks go through a FIFO queue whose senders name the deduplication id', () => {
    const { QueueName, FifoQueue, ContentBasedDeduplication } = mainQueue('WorkersWebhooks')
    assert.deepEqual([FifoQueue, ContentBasedDeduplication], [true, false])
    assert.match(QueueName, /\.fifo$/)
  })

  test('a sweep ends before the next begins', () => {
    const sweep = one(resources('AWS::Lambda::Function', 'WorkersSweepFunction'))
    const { ScheduleExpression } = one(resources('AWS::Events::Rule', 'WorkersEveryMinute'))
    assert.equal(ScheduleExpression, 'rate(1 minute)')
    assert.ok(sweep.Timeout < 60)
  })
})

suite('api', () => {
  test('routes webapi and admin, nothing else', () => {
    assert.deepEqual(
      resources('AWS::ApiGatewayV2::Route')
        .map(({ RouteKey }) => RouteKey)
        .sort(),
      ['$default', 'ANY /admin/{proxy+}'],
    )
  })

  test('the access log has neither query string nor authorization', () => {
    const { AccessLogSettings } = one(resources('AWS::ApiGatewayV2::Stage'))
    const fields: string[] = Object.values(JSON.parse(AccessLogSettings.Format))
    assert.ok(fields.includes('$context.requestId'))
    assert.deepEqual(
      fields.filter((field) => /query|authori[sz]|\.protocol|requestOverride/i.test(field)),
      [],
    )
  })
})

suite('functions and the listener', () => {
  test('see only variables that names.ts names', () => {
    const known = new Set<string>(Object.values(variables))
    const functions = resources('AWS::Lambda::Function')
    assert.equal(functions.length, 6)
    const names = [
      ...functions.flatMap(({ Environment }) => Object.keys(Environment.Variables)),
      ...listener().Environment.map(({ Name }: { Name: string }) => Name),
    ]
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    )
  })

  test('run on Node 24 and arm64 with their own log group', () => {
    const groups = new Set<string>()
    for (const lambda of resources('AWS::Lambda::Function')) {
      assert.deepEqual([lambda.Runtime, lambda.Architectures], ['nodejs24.x', ['arm64']])
      groups.add(lambda.LoggingConfig.LogGroup.Ref)
    }
    assert.equal(groups.size, 6)
  })

  test('containers run images pinned by digest, the listener unprivileged on a read-only root', () => {
    for (const { Image } of containers(template))
      assert.match(Image, /^[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/)
    const { User, ReadonlyRootFilesystem, StopTimeout } = listener()
    assert.deepEqual([User, ReadonlyRootFilesystem, StopTimeout], ['1000', true, 120])
  })

  test('context replaces all images', () => {
    const images = {
      copyImage: 'registry.example/copy:1',
      resolverImage: 'registry.example/unbound:1',
      listenerImage: 'registry.example/node:24',
    }
    assert.deepEqual(
      containers(withContext('images', images)).map(({ Image }) => Image),
      Object.values(images),
    )
  })

  test('context names the secret of certificate and key, which only the listener may read', () => {
    const tlsSecretArn = 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:tls-AbCdEf'
    const other = withContext('tls-secret', { tlsSecretArn })
    const main = containers(other).find(({ Name }) => Name === 'listener')
    const Environment = Object.fromEntries(
      main?.Environment.map(({ Name, Value }: { Name: string; Value: unknown }) => [Name, Value]),
    )
    assert.equal(Environment[variables.tlsSecretArn], tlsSecretArn)
    const holders = Object.entries(other.findResources('AWS::IAM::Policy')).filter(([, policy]) =>
      JSON.stringify(policy).includes(tlsSecretArn),
    )
    assert.deepEqual(
      holders.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')),
      ['MailListenerTaskTaskRoleDefaultPolicy'],
    )
  })
})

suite('bundles', () => {
  test('are one file per deployable, with CommonJS packages inside', async () => {
    const sources = join(directory, 'functions')
    mkdirSync(join(sources, 'sample'), { recursive: true })
    mkdirSync(join(sources, 'service'))
    const legacy = "module.exports = [require('node:path').sep, typeof __dirname, typeof __filename]"
    writeFileSync(join(sources, 'sample/legacy.cjs'), legacy)
    writeFileSync(
      join(sources, 'sample/handler.ts'),
      "import legacy from './legacy.cjs'\nexport const handler = async (): Promise<unknown> => legacy",
    )
    writeFileSync(join(sources, 'service/main.ts'), 'export const started: boolean = true')
    const outdir = join(directory, 'dist')

    await bundleFunctions(outdir, sources)

    const { handler } = await import(join(outdir, 'sample/handler.mjs'))
    assert.deepEqual(await handler(), [sep, 'string', 'string'])
    assert.equal((await import(join(outdir, 'service/main.mjs'))).started, true)
    const { outputs } = JSON.parse(readFileSync(join(outdir, 'metafile.json'), 'utf8'))
    assert.equal(Object.keys(outputs).length, 2)
  })

  test('are refused where there is nothing to bundle', async () => {
    await assert.rejects(bundleFunctions(join(directory, 'none'), bundles), /no <name>\/handler.ts/)
  })
})
