import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { buildApp } from '../../infra/app.ts'
import { bundleFunctions } from '../../infra/bundle.ts'
import { bootLocalCloud, type EditableTemplate, type LocalCloud } from '../../infra/local/boot.ts'
import { findFreePort } from '../../infra/local/free-port.ts'
import { nameOf } from '../../infra/local/template/resource.ts'
import { eventually } from '../../scripts/eventually.ts'
import { formatHint } from '../../shared/attempts/hint-channel.ts'
import type { RowId } from '../../shared/base/row-id.ts'
import { variables } from '../../shared/runtime/names.ts'
import { integrationRun } from '../support/integration-run.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-missing-'))
const assembly = join(directory, 'cdk.out')
before(async () => {
  const bundles = join(directory, 'bundles')
  await bundleFunctions(bundles)
  const context = { egress: 'nat-gateway' }
  buildApp({ outdir: assembly, bundles, validate: false, context }).synth()
})
after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))

type Edit = (template: EditableTemplate) => void

interface Booted {
  readonly cloud: LocalCloud
  readonly log: readonly string[]
}

/** The template of Postern, a sender included, with `edit`, and nothing in its table. */
async function boot(edit: Edit): Promise<Booted> {
  const log: string[] = []
  const cloud = await bootLocalCloud({
    assembly,
    stack: 'Postern',
    directory: mkdtempSync(join(directory, 'data-')),
    httpPort: 0,
    addresses: ['127.0.0.1'],
    environment: {
      listener: {
        [variables.smtpPort]: String(await findFreePort('127.0.0.1')),
        [variables.submissionPort]: String(await findFreePort('127.0.0.1')),
        [variables.submissionsPort]: String(await findFreePort('127.0.0.1')),
        [variables.healthPort]: String(await findFreePort('127.0.0.1')),
        [variables.listenAddresses]: '127.0.0.1',
      },
      sender: { [variables.healthPort]: String(await findFreePort('127.0.0.1')) },
    },
    editTemplate: edit,
    onLog: (line) => log.push(line),
  })
  return { cloud, log }
}

async function booted(edit: Edit, action: (booted: Booted) => Promise<void>): Promise<void> {
  const running = await boot(edit)
  try {
    await action(running)
  } finally {
    await running.cloud.stop()
  }
}

/** Takes the resource of that name out; its logical id ends in the CDK's eight digits. */
function without(name: string): Edit {
  return (template) => {
    delete template.Resources[idOf(template, name)]
  }
}

function idOf({ Resources }: EditableTemplate, name: string): string {
  return (
    Object.keys(Resources).find((id) => nameOf(id) === name) ?? assert.fail(`the template has no ${name}`)
  )
}

describe('what others refer to', () => {
  const parts = [
    'WorkersDeliveries',
    'WorkersDeliveriesDeadLetters',
    'WorkersDirect',
    'WorkersDirectDeadLetters',
    'WorkersWebhooks',
    'WorkersWebhooksDeadLetters',
    'WorkersSesEvents',
    'WorkersSesEventsDeadLetters',
    'SesConfigurationSet',
    'DataTable',
    'DataBucket',
    'DataAdminPassword',
    'DataFromIdKeys',
    'DataSealingKeys',
    'WorkersDeliverRole',
    'WorkersDeliverFunction',
    'ApiHttpAdminRouteAdminIntegration',
    'MailListenerTask',
    'SenderTask',
    'SenderTaskTaskRole',
  ]
  for (const part of parts) {
    test(`without ${part} the template has an unresolved reference, and nothing starts`, async () => {
      const message = new RegExp(`the template has no resource or parameter ${part}[0-9A-F]{8}$`)
      await assert.rejects(boot(without(part)), message)
    })
  }
})

describe('routes', () => {
  const cases = [
    {
      rule: 'without the route of admin the default route takes its requests',
      missing: 'ApiHttpAdminRoute',
      path: '/admin/api/hostname',
      answer: 'not found',
    },
    {
      rule: 'without the default route API Gateway answers',
      missing: 'ApiHttpWebapiRoute',
      path: '/webapi/v0/Send',
      answer: '{"message":"Not Found"}',
    },
  ]
  for (const { rule, missing, path, answer } of cases) {
    test(`${rule}: 404`, async () => {
      await booted(without(missing), async ({ cloud }) => {
        const response = await fetch(`${cloud.apiUrl}${path}`)
        assert.deepEqual([response.status, await response.text()], [404, answer])
      })
    })
  }
})

describe('permissions to invoke', () => {
  const routes = [
    { name: 'Admin', path: '/admin/api/hostname', routeKey: 'ANY /admin/{proxy+}' },
    { name: 'Webapi', path: '/webapi/v0/Send', routeKey: '$default' },
  ]
  for (const { name, path, routeKey } of routes) {
    test(`a route that may not invoke ${name} answers 500, and the log says why`, async () => {
      const missing = `ApiHttp${name}Route${name}IntegrationPermission`
      await booted(without(missing), async ({ cloud, log }) => {
        const response = await fetch(`${cloud.apiUrl}${path}`)
        assert.deepEqual(
          [response.status, await response.text()],
          [500, '{"message":"Internal Server Error"}'],
        )
        const line = `[http] ${routeKey}: no AWS::Lambda::Permission lets the API invoke Api${name}Function`
        assert.ok(log.some((each) => each.startsWith(line)))
      })
    })
  }

  test('a rule that may not invoke the sweep does not, and the log says so', async () => {
    const withoutPermission: Edit = ({ Resources }) => {
      const [id = assert.fail('no permission'), second] = Object.entries(Resources)
        .filter(([, { Type, Properties }]) => Type === 'AWS::Lambda::Permission' && isForEvents(Properties))
        .map(([logicalId]) => logicalId)
      assert.equal(second, undefined)
      delete Resources[id]
    }
    await booted(withoutPermission, async ({ log }) => {
      const line =
        /^\[events\] .*EveryMinute\w+: no AWS::Lambda::Permission lets the rule invoke WorkersSweepFunction/
      assert.ok(log.some((each) => line.test(each)))
    })
  })
})

function isForEvents(properties: Record<string, unknown> | undefined): boolean {
  return properties?.Principal === 'events.amazonaws.com'
}

describe('environment variables', () => {
  const programs = {
    table: [
      ...(['ApiAdmin', 'ApiWebapi', 'WorkersDeliver', 'WorkersSesEventsHandler', 'WorkersSweep'] as const),
      ...(['WorkersWebhook', 'listener', 'sender'] as const),
    ],
    bucket: [
      ...(['ApiAdmin', 'ApiWebapi', 'WorkersDeliver', 'WorkersSweep', 'WorkersWebhook'] as const),
      ...(['listener', 'sender'] as const),
    ],
    deliveriesQueueUrl: [
      ...(['ApiAdmin', 'ApiWebapi', 'WorkersDeliver', 'WorkersSesEventsHandler', 'WorkersSweep'] as const),
      ...(['listener', 'sender'] as const),
    ],
    webhooksQueueUrl: [
      ...(['ApiAdmin', 'WorkersDeliver', 'WorkersSesEventsHandler', 'WorkersSweep'] as const),
      ...(['listener', 'sender'] as const),
    ],
    adminSecretArn: ['ApiAdmin'],
    fromIdSecretArn: ['ApiWebapi', 'listener'],
    sealingSecretArn: ['ApiAdmin', 'WorkersDeliver', 'listener', 'sender'],
    sesConfigurationSet: ['ApiAdmin', 'WorkersDeliver'],
  } as const
  for (const [key, names] of Object.entries(programs)) {
    const variable = variables[key as keyof typeof programs]
    test(`without ${variable} ${names.join(', ')} do not start, and say which variable is missing`, async () => {
      const found: string[] = []
      const withoutVariable: Edit = (template) => void found.push(...removeVariable(template, variable))
      await booted(withoutVariable, async ({ cloud, log }) => {
        assert.deepEqual(found.sort(), [...names].sort())
        const message = `the environment variable ${variable} is not set`
        for (const name of names.filter((each) => !isContainer(each))) {
          await assert.rejects(cloud.invoke(`${name}Function`, {}), { message })
        }
        for (const name of names.filter(isContainer)) await ends(log, name, message)
      })
    })
  }

  test(`without ${variables.directQueueUrl} only the sender does not start: the others know of none`, async () => {
    const found: string[] = []
    const withoutVariable: Edit = (template) =>
      void found.push(...removeVariable(template, variables.directQueueUrl))
    await booted(withoutVariable, async ({ cloud, log }) => {
      assert.deepEqual(found.sort(), [
        ...['ApiAdmin', 'ApiWebapi', 'WorkersDeliver', 'WorkersSesEventsHandler', 'WorkersSweep'],
        ...['listener', 'sender'],
      ])
      for (const name of ['WorkersDeliver', 'WorkersSesEventsHandler']) await takesNothing(cloud, name)
      await ends(log, 'sender', `the environment variable ${variables.directQueueUrl} is not set`)
    })
  })

  test('the other variables have defaults: functions start without them', async () => {
    const optional = [
      variables.deliverLeaseSeconds,
      variables.webhookLeaseSeconds,
      variables.smtpPort,
      variables.submissionPort,
      variables.submissionsPort,
      variables.healthPort,
      variables.dnsServers,
    ]
    const required = [...Object.keys(programs), 'directQueueUrl'].map(
      (key) => variables[key as keyof typeof variables],
    )
    const found = new Set<string>()
    const withoutOptional: Edit = (template) => {
      for (const name of programsOf(template).flatMap((program) => program.names())) found.add(name)
      for (const variable of optional) removeVariable(template, variable)
    }
    await booted(withoutOptional, async ({ cloud }) => {
      assert.deepEqual([...found].sort(), [...required, ...optional].sort())
      for (const name of ['WorkersDeliver', 'WorkersWebhook']) await takesNothing(cloud, name)
    })
  })
})

function isContainer(program: string): boolean {
  return program === 'listener' || program === 'sender'
}

async function ends(log: readonly string[], container: string, message: string): Promise<void> {
  await eventually(`the ${container} ends`, () =>
    log.some((line) => line.startsWith(`[${container}]`) && line.includes(message)),
  )
}

async function takesNothing(cloud: LocalCloud, name: string): Promise<void> {
  assert.deepEqual(await cloud.invoke(`${name}Function`, { Records: [] }), { batchItemFailures: [] })
}

interface Program {
  readonly name: string
  names(): readonly string[]
  remove(variable: string): void
}

/** The functions and the containers that have variables. */
function programsOf({ Resources }: EditableTemplate): readonly Program[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]): readonly Program[] => {
    if (Type === 'AWS::Lambda::Function') return [functionProgram(id, Properties)]
    return Type === 'AWS::ECS::TaskDefinition' ? containerPrograms(Properties) : []
  })
}

function functionProgram(id: string, properties: unknown): Program {
  const { Variables } = (properties as { Environment: { Variables: Record<string, unknown> } }).Environment
  return {
    name: nameOf(id).replace(/Function$/, ''),
    names: () => Object.keys(Variables),
    remove: (variable) => {
      delete Variables[variable]
    },
  }
}

function containerPrograms(properties: unknown): readonly Program[] {
  const { ContainerDefinitions } = properties as {
    ContainerDefinitions: { Name: string; Environment?: { Name: string }[] }[]
  }
  return ContainerDefinitions.map((container) => ({
    name: container.Name,
    names: () => (container.Environment ?? []).map(({ Name }) => Name),
    remove: (variable) => {
      container.Environment = container.Environment?.filter(({ Name }) => Name !== variable) ?? []
    },
  }))
}

/** Answers the programs that had it. */
function removeVariable(template: EditableTemplate, variable: string): readonly string[] {
  const having = programsOf(template).filter((program) => program.names().includes(variable))
  for (const program of having) program.remove(variable)
  return having.map(({ name }) => name)
}

test('without the index of what is due, queries fail with the text of DynamoDB', async () => {
  const withoutIndex: Edit = (template) => {
    const { Properties } = template.Resources[idOf(template, 'DataTable')] ?? assert.fail('no table')
    const { AttributeDefinitions, GlobalSecondaryIndexes } = Properties as {
      AttributeDefinitions: { AttributeName: string }[]
      GlobalSecondaryIndexes: { IndexName: string }[]
    }
    Object.assign(Properties ?? {}, {
      // DynamoDB takes no definition of an attribute that is in no key.
      AttributeDefinitions: AttributeDefinitions.filter(({ AttributeName }) => !/^due/.test(AttributeName)),
      GlobalSecondaryIndexes: GlobalSecondaryIndexes.filter(({ IndexName }) => IndexName !== 'due'),
    })
  }
  await assert.rejects(
    integrationRun({ editTemplate: withoutIndex }),
    /ValidationException: The table does not have the specified index: due/,
  )
})

describe('event source mappings', () => {
  const queues = ['Deliveries', 'Webhooks'] as const
  const mappings = { Deliveries: 'WorkersDeliverFunctionHints', Webhooks: 'WorkersWebhookFunctionHints' }
  for (const queue of queues) {
    test(`without its mapping nobody takes from ${queue}, and the other queue is read`, async () => {
      await booted(without(mappings[queue]), async ({ cloud }) => {
        for (const each of queues) await sendHint(cloud, each)
        const other = queue === 'Deliveries' ? 'Webhooks' : 'Deliveries'
        await eventually(`${other} is read`, async () => {
          const { waiting, taken } = await countHints(cloud, other)
          return waiting + taken === 0
        })
        assert.deepEqual(await countHints(cloud, queue), { waiting: 1, taken: 0 })
      })
    })
  }
})

type Queue = 'Deliveries' | 'Webhooks'

/** Of a row that does not exist: whoever takes the hint has nothing to do. */
async function sendHint(cloud: LocalCloud, queue: Queue): Promise<void> {
  const fifo = { MessageGroupId: 'group', MessageDeduplicationId: 'once' }
  await withSqs(cloud, (sqs) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: cloud.outputs[`${queue}QueueUrl`],
        MessageBody: formatHint({ account: 'nobody', id: 1 as RowId, attempt: 1 }),
        ...(queue === 'Webhooks' && fifo),
      }),
    ),
  )
}

async function countHints(
  cloud: LocalCloud,
  queue: Queue,
): Promise<{ readonly waiting: number; readonly taken: number }> {
  const { Attributes } = await withSqs(cloud, (sqs) =>
    sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: cloud.outputs[`${queue}QueueUrl`],
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    ),
  )
  return {
    waiting: Number(Attributes?.ApproximateNumberOfMessages),
    taken: Number(Attributes?.ApproximateNumberOfMessagesNotVisible),
  }
}

async function withSqs<Answer>(cloud: LocalCloud, ask: (sqs: SQSClient) => Promise<Answer>): Promise<Answer> {
  const sqs = new SQSClient({ ...cloud.clientConfig(), useQueueUrlAsEndpoint: false })
  try {
    return await ask(sqs)
  } finally {
    sqs.destroy()
  }
}
