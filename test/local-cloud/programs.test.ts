import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { givePrincipals } from '../../infra/local/gateway/principals.ts'
import { readEventSource } from '../../infra/local/programs/event-sources.ts'
import { readSchedule, runSchedule } from '../../infra/local/programs/schedules.ts'
import { runTask } from '../../infra/local/programs/task-process.ts'
import { readTask } from '../../infra/local/programs/tasks.ts'
import { identify } from '../../infra/local/template/identities.ts'
import { nameTemplate, openTemplate } from '../../infra/local/template/template.ts'

const deployment = { stack: 'Demo', region: 'us-east-1', accountId: '000000000000' }
const directory = mkdtempSync(join(tmpdir(), 'programs-'))
after(() => rmSync(directory, { recursive: true }))

type Properties = Readonly<Record<string, unknown>>

/** A template with one function, one queue and one resource `It`, and what reading it needs. */
function withResource(Type: string, Properties: Properties, others: Properties = {}) {
  const Resources = {
    It: { Type, Properties },
    Role: { Type: 'AWS::IAM::Role' },
    Work: {
      Type: 'AWS::Lambda::Function',
      Properties: { Role: { 'Fn::GetAtt': ['Role', 'Arn'] }, Timeout: 20 },
    },
    Jobs: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 20 } },
    ...others,
  }
  const document = openTemplate(JSON.stringify({ Resources }), deployment)
  const addresses = { gateway: 'http://127.0.0.1:1', api: 'http://127.0.0.1:2' }
  const template = nameTemplate(document, identify(document.resources, deployment, addresses))
  const assets = new Map([['abc.mjs', '/staged/asset.abc.mjs']])
  const surroundings = {
    template,
    assembly: { templateText: '', assets },
    principals: givePrincipals(['Role']),
    endpoint: addresses.gateway,
    environment: { '*': { EVERYWHERE: 'yes', MODE: 'all' }, main: { MODE: 'main' } },
  }
  const [resource] = template.ofType(Type)
  return { resource: resource ?? assert.fail('no resource'), surroundings }
}

const target = { Arn: { 'Fn::GetAtt': ['Work', 'Arn'] }, Id: 'T' }

const rates: readonly (readonly [expression: string, periodMs: number])[] = [
  ['rate(1 minute)', 60_000],
  ['rate(5 minutes)', 300_000],
  ['rate(2 hours)', 7_200_000],
]

for (const [ScheduleExpression, periodMs] of rates) {
  test(`schedules: ${ScheduleExpression} is ${periodMs} ms`, () => {
    const { resource, surroundings } = withResource('AWS::Events::Rule', {
      ScheduleExpression,
      Targets: [target],
    })
    assert.equal(readSchedule(resource, surroundings.template)?.periodMs, periodMs)
  })
}

test('schedules: a disabled rule does not run', () => {
  const rule = { ScheduleExpression: 'rate(1 minute)', State: 'DISABLED', Targets: [target] }
  const { resource, surroundings } = withResource('AWS::Events::Rule', rule)
  assert.equal(readSchedule(resource, surroundings.template), undefined)
})

const unsupportedRules: readonly (readonly [Properties, RegExp])[] = [
  [
    { ScheduleExpression: 'cron(0 12 * * ? *)' },
    /It: the schedule cron\(0 12 \* \* \? \*\) is not supported/,
  ],
  [
    { EventPattern: { source: ['aws.ses'] }, ScheduleExpression: 'rate(1 hour)' },
    /EventPattern: events are not/,
  ],
]

for (const [properties, message] of unsupportedRules) {
  test(`schedules: ${Object.keys(properties)} ${properties.ScheduleExpression}: what cannot run here is refused`, () => {
    const { resource, surroundings } = withResource('AWS::Events::Rule', properties)
    assert.throws(() => readSchedule(resource, surroundings.template), message)
  })
}

test("schedules: the first run is one period after the start, with AWS's event", (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const rule = { ScheduleExpression: 'rate(1 minute)', Targets: [target] }
  const { resource, surroundings } = withResource('AWS::Events::Rule', rule)
  const schedule = readSchedule(resource, surroundings.template) ?? assert.fail('no schedule')
  const events: Record<string, unknown>[] = []
  const running = runSchedule({
    schedule,
    deployment,
    now: () => 0,
    invoke: async (_, event) => events.push(event as Record<string, unknown>),
    onLog: () => {},
  })
  t.mock.timers.tick(59_999)
  assert.equal(events.length, 0)
  t.mock.timers.tick(1)
  running.stop()
  t.mock.timers.tick(60_000)
  const [{ id, ...event } = {}, ...others] = events
  assert.equal(others.length, 0)
  assert.deepEqual(event, {
    version: '0',
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: '1970-01-01T00:00:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:events:us-east-1:000000000000:rule/Demo-It'],
    detail: {},
  })
})

const mapping = { EventSourceArn: { 'Fn::GetAtt': ['Jobs', 'Arn'] }, FunctionName: { Ref: 'Work' } }

test("event sources: polling uses the role of the function, as Lambda's pollers do", () => {
  const { resource, surroundings } = withResource('AWS::Lambda::EventSourceMapping', mapping)
  assert.equal(readEventSource(resource, surroundings)?.credentials.accessKeyId, 'ASIALOCALROLE')
})

const unsupportedMappings: readonly (readonly [rule: string, Properties, Properties, RegExp])[] = [
  ['a filter', { ...mapping, FilterCriteria: { Filters: [] } }, {}, /FilterCriteria: not supported locally/],
  ['a batch over 10', { ...mapping, BatchSize: 100 }, {}, /BatchSize: more than 10 is not supported locally/],
  [
    'a visibility timeout below the function timeout',
    mapping,
    { Jobs: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 19 } } },
    /It: Queue visibility timeout: 19 seconds is less than Function timeout: 20 seconds/,
  ],
]

for (const [rule, properties, others, message] of unsupportedMappings) {
  test(`event sources: ${rule} is refused`, () => {
    const { resource, surroundings } = withResource('AWS::Lambda::EventSourceMapping', properties, others)
    assert.throws(() => readEventSource(resource, surroundings), message)
  })
}

const copy = {
  Name: 'copy',
  Essential: false,
  Command: ['s3', 'cp', 's3://assets/abc.mjs', '/out/main.mjs'],
  MountPoints: [{ ContainerPath: '/out', SourceVolume: 'code' }],
}
const main = {
  Name: 'main',
  Command: ['node', '/code/main.mjs', '--verbose'],
  Environment: [{ Name: 'MODE', Value: 'template' }],
  MountPoints: [{ ContainerPath: '/code', SourceVolume: 'code' }],
  StopTimeout: 120,
}

function readContainers(ContainerDefinitions: readonly object[], service: Properties = {}) {
  const TaskRoleArn = { 'Fn::GetAtt': ['Role', 'Arn'] }
  const { resource, surroundings } = withResource(
    'AWS::ECS::Service',
    { TaskDefinition: { Ref: 'Task' }, ...service },
    { Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { ContainerDefinitions, TaskRoleArn } } },
  )
  return readTask(resource, surroundings)
}

test('tasks: the main container runs the staged file that the init container copies', () => {
  const task = readContainers([copy, main])
  assert.deepEqual(task?.parameters, ['/staged/asset.abc.mjs', '--verbose'])
  assert.equal(task?.containerName, 'main')
  assert.equal(task?.stopTimeoutMs, 120_000)
})

test('tasks: variables are those of the template, then those given for all, then those for the container', () => {
  const { MODE, EVERYWHERE, AWS_ACCESS_KEY_ID } = readContainers([copy, main])?.variables ?? {}
  assert.deepEqual([MODE, EVERYWHERE, AWS_ACCESS_KEY_ID], ['main', 'yes', 'ASIALOCALROLE'])
})

test('tasks: a service that wants no task has none', () => {
  assert.equal(readContainers([copy, main], { DesiredCount: 0 }), undefined)
})

const unsupportedTasks: readonly (readonly [rule: string, containers: readonly object[], message: RegExp])[] =
  [
    ['two essential containers', [copy, main, { ...main, Name: 'other' }], /exactly one essential container/],
    ['another program than node', [copy, { ...main, Command: ['java'] }], /main must run node, not java/],
    [
      'code that no container copies',
      [main],
      /no init container copies a file of the assembly that main runs/,
    ],
    ['secrets', [copy, { ...main, Secrets: [] }], /Secrets: not supported locally/],
  ]

for (const [rule, containers, message] of unsupportedTasks) {
  test(`tasks: ${rule}: refused`, () => {
    assert.throws(() => readContainers(containers), message)
  })
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(10)
}

function start(source: string) {
  const file = join(mkdtempSync(join(directory, 't-')), 'main.mjs')
  writeFileSync(file, source)
  const log: string[] = []
  const program = { containerName: 'main', parameters: [file], variables: {}, stopTimeoutMs: 300 }
  const task = runTask({ program, nodePath: process.execPath, onLog: (line) => log.push(line) })
  after(() => task.stop())
  return { task, log }
}

test('tasks: a program that ends is started again', { timeout: 10_000 }, async () => {
  const { log } = start("console.log('up'); process.exitCode = 3")
  await until(() => log.filter((line) => line === '[main] up').length === 2)
  assert.ok(log.includes('[main] ended (exit code 3), starts again in 1 s'))
})

test('tasks: a stopped program gets SIGTERM', { timeout: 10_000 }, async () => {
  const { task, log } = start(
    "process.on('SIGTERM', () => { console.log('bye'); process.exit() }); setInterval(() => {}, 1e6); console.log('up')",
  )
  await until(() => log.length > 0)
  await task.stop()
  assert.deepEqual(log, ['[main] up', '[main] bye'])
})

test('tasks: a program that ignores SIGTERM is killed after its stop timeout', {
  timeout: 10_000,
}, async () => {
  const { task, log } = start(
    "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('up')",
  )
  await until(() => log.length > 0)
  const startedMs = performance.now()
  await task.stop()
  assert.ok(performance.now() - startedMs >= 290)
})
