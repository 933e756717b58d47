import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { bootLocalCloud, type EditableTemplate, type LocalCloud } from '../../infra/local/boot.ts'
import { nameOf } from '../../infra/local/template/resource.ts'
import { synthDemoApp } from './demo-app.ts'

const sdk = (name: string) => JSON.stringify(import.meta.resolve(`@aws-sdk/client-${name}`))

const api = `
import { DynamoDBClient, PutItemCommand } from ${sdk('dynamodb')}
const dynamodb = new DynamoDBClient()
export const handler = async () => {
  await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE, Item: { pk: { S: 'a' }, sk: { S: '-' } } }))
  return { statusCode: 202 }
}`
const worker = "export const handler = async () => { console.log('it works'); return 'done' }"
const task = "console.log('up'); process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1e6)"

const directory = mkdtempSync(join(tmpdir(), 'iam-boot-'))
let assembly = ''
before(() => {
  assembly = synthDemoApp(directory, { api, worker, task })
})
after(() => rmSync(directory, { recursive: true }))

type Edit = (template: EditableTemplate) => void

/** The demo with what its task needs to start, and then with `edit`. */
async function boot(edit: Edit): Promise<{ readonly cloud: LocalCloud; readonly log: string[] }> {
  const log: string[] = []
  const cloud = await bootLocalCloud({
    assembly,
    stack: 'Demo',
    directory: mkdtempSync(join(directory, 'data-')),
    httpPort: 0,
    addresses: ['127.0.0.1'],
    onLog: (line) => log.push(line),
    editTemplate: (template) => {
      const Statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::cdk-*' }
      const Roles = [{ Ref: idOf(template, 'TaskDefinitionTaskRole') }]
      template.Resources.TaskCode = {
        Type: 'AWS::IAM::Policy',
        Properties: { PolicyDocument: { Statement }, Roles },
      }
      edit(template)
    },
  })
  return { cloud, log }
}

/** The logical id that the CDK made of a name. */
function idOf({ Resources }: EditableTemplate, name: string): string {
  return Object.keys(Resources).find((id) => nameOf(id) === name) ?? assert.fail(`no ${name}`)
}

/** Takes an action out of the policy of that name. */
function without(policy: string, action: string): Edit {
  return (template) => {
    const id = idOf(template, policy)
    const text = JSON.stringify(template.Resources[id])
    const shorter = text.replace(`"${action}"`, '"none:Nothing"')
    assert.notEqual(shorter, text)
    template.Resources[id] = JSON.parse(shorter)
  }
}

function removed(name: string): Edit {
  return (template) => delete template.Resources[idOf(template, name)]
}

function withoutPolicies(role: string): Edit {
  return (template) => {
    const ref = JSON.stringify([{ Ref: idOf(template, role) }])
    for (const [id, { Properties }] of Object.entries(template.Resources)) {
      if (JSON.stringify(Properties?.Roles) === ref) delete template.Resources[id]
    }
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(10)
}

for (const operation of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes']) {
  test(`IAM: without sqs:${operation} an event source is refused with Lambda's text`, async () => {
    await assert.rejects(
      boot(without('WorkerServiceRoleDefaultPolicy', `sqs:${operation}`)),
      new RegExp(
        `^Error: WorkerSqsEventSource\\w+: The function execution role does not have permissions to call ${operation} on SQS \\(User: `,
      ),
    )
  })
}

describe('IAM: a template with its permissions', { timeout: 20_000 }, () => {
  let cloud: LocalCloud
  let log: string[]
  before(async () => {
    ;({ cloud, log } = await boot(() => {}))
  })
  after(() => cloud.stop())

  test('IAM: a grant that was used is among the exercised ones, one that was not is not', async () => {
    assert.equal((await fetch(`${cloud.apiUrl}/api/x`)).status, 202)
    const used = cloud.exercised().filter(({ role }) => nameOf(role) === 'ApiFunctionServiceRole')
    assert.deepEqual(
      used.map(({ action }) => action),
      ['logs:CreateLogStream', 'logs:PutLogEvents', 'dynamodb:PutItem'],
    )
  })

  test('IAM: what a role exercised is among its grants', () => {
    const granted = new Set(cloud.grants().map((grant) => JSON.stringify(grant)))
    const used = cloud.exercised().filter(({ role }) => nameOf(role) === 'ApiFunctionServiceRole')
    assert.deepEqual(
      used.filter((grant) => !granted.has(JSON.stringify(grant))),
      [],
    )
  })

  test('IAM: functions and tasks that may log are logged', async () => {
    await cloud.invoke('Worker', {})
    await until(() => log.includes('[Worker] it works') && log.includes('[main] up'))
  })
})

describe('IAM: a template that lacks permissions', { timeout: 20_000 }, () => {
  let cloud: LocalCloud
  let log: string[]
  before(async () => {
    ;({ cloud, log } = await boot((template) => {
      without('ApiFunctionServiceRoleDefaultPolicy', 'dynamodb:PutItem')(template)
      without('ExecutionRoleDefaultPolicy', 'logs:PutLogEvents')(template)
      removed('EveryMinuteAllowEventRuleDemoWorker08E1575F')(template)
      const { Properties } = template.Resources[idOf(template, 'WorkerServiceRole')] ?? {}
      delete Properties?.ManagedPolicyArns
    }))
  })
  after(() => cloud.stop())

  test('IAM: an action that is missing fails the request and names it', async () => {
    assert.equal((await fetch(`${cloud.apiUrl}/api/x`)).status, 500)
    const refusal = log.find((line) =>
      line.includes('is not authorized to perform: dynamodb:PutItem on resource'),
    )
    assert.match(refusal ?? '', /^\[ApiFunction\] AccessDeniedException: User: /)
  })

  test('IAM: a function that may not log runs, and only the reason is logged', async () => {
    assert.equal(await cloud.invoke('Worker', {}), 'done')
    await cloud.invoke('Worker', {})
    const lines = log.filter((line) => line.startsWith('[Worker]'))
    assert.equal(lines.length, 1)
    assert.match(
      lines[0] ?? '',
      /^\[Worker\] AccessDenied: User: \S+ is not authorized to perform: logs:CreateLogStream /,
    )
  })

  test('IAM: a task that may not log runs, and only the reason is logged', () => {
    const lines = log.filter((line) => line.startsWith('[main]'))
    assert.equal(lines.length, 1)
    assert.match(
      lines[0] ?? '',
      /^\[main\] AccessDenied: User: \S+ is not authorized to perform: logs:PutLogEvents /,
    )
  })

  test('IAM: a rule without AWS::Lambda::Permission is named and does not run', () => {
    const line = log.find((each) => each.startsWith('[events]'))
    assert.match(
      line ?? '',
      /:rule\/Demo-EveryMinute\w+: no AWS::Lambda::Permission lets the rule invoke Worker/,
    )
  })
})

const startRefusals: readonly (readonly [rule: string, edit: Edit, line: RegExp])[] = [
  [
    'whose code may not be copied',
    withoutPolicies('TaskDefinitionTaskRole'),
    /^\[copy\] AccessDenied: User: \S+ is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::cdk-/,
  ],
  [
    'whose log stream may not be made',
    without('ExecutionRoleDefaultPolicy', 'logs:CreateLogStream'),
    /^\[main\] AccessDenied: User: \S+ is not authorized to perform: logs:CreateLogStream on resource: /,
  ],
]

for (const [rule, edit, reason] of startRefusals) {
  test(`IAM: a task ${rule} does not start and says so`, async () => {
    const { cloud, log } = await boot(edit)
    after(() => cloud.stop())
    const [first = '', ...others] = log.filter((line) => /^\[(copy|main)\]/.test(line))
    assert.match(first, reason)
    assert.deepEqual(others, ['[main] does not start'])
  })
}

const permission = 'HttpApiANYapiproxyApiRoutePermission'

const invokePermissions: readonly (readonly [rule: string, edit: Edit, status: number])[] = [
  ['no permission', removed(permission), 500],
  [
    'a permission for another route',
    (template) =>
      setPermission(template, { SourceArn: 'arn:aws:execute-api:us-east-1:000000000000:*/*/*/other' }),
    500,
  ],
  [
    'a permission for another service',
    (template) => setPermission(template, { Principal: 's3.amazonaws.com' }),
    500,
  ],
  [
    'a permission without source',
    (template) => setPermission(template, { SourceArn: { Ref: 'AWS::NoValue' } }),
    202,
  ],
]

function setPermission(template: EditableTemplate, properties: Readonly<Record<string, unknown>>): void {
  Object.assign(template.Resources[idOf(template, permission)]?.Properties ?? {}, properties)
}

for (const [rule, edit, status] of invokePermissions) {
  test(`IAM: an API route with ${rule} answers ${status}`, async () => {
    const { cloud, log } = await boot(edit)
    after(() => cloud.stop())
    const answer = await fetch(`${cloud.apiUrl}/api/x`)
    assert.equal(answer.status, status)
    if (status === 202) return
    assert.deepEqual(await answer.json(), { message: 'Internal Server Error' })
    assert.ok(
      log.some((line) => /^\[http\] ANY \/api\/\{proxy\+\}: no AWS::Lambda::Permission lets/.test(line)),
    )
  })
}
