import { SQSClient } from '@aws-sdk/client-sqs'
import type { LocalClock } from '../clock.ts'
import { answerClock, CLOCK_PATH } from '../clock-endpoint.ts'
import { findFreePort } from '../free-port.ts'
import { type MayInvoke, readInvokePermissions } from '../iam/lambda-permissions.ts'
import { readSendPermissions } from '../iam/queue-permissions.ts'
import type { Publish } from '../ses/event-outbox.ts'
import type { Resource } from '../template/resource.ts'
import { isEventRule, openEventBus, readEventRule } from './event-rules.ts'
import { pollEventSource, readEventSource } from './event-sources.ts'
import type { ProgramSurroundings } from './functions.ts'
import { type HttpApi, readHttpApi, serveHttpApi } from './http-api.ts'
import type { RunningWork } from './running-work.ts'
import { readSchedule, runSchedule, type Schedule } from './schedules.ts'
import { findTaskRefusals } from './task-access.ts'
import { runTask } from './task-process.ts'
import { readTask, type TaskProgram } from './tasks.ts'

/** Ends one thing that was started. */
export type Closer = () => unknown

/** What runs the programs of a template. */
export interface ProgramOptions {
  readonly surroundings: ProgramSurroundings
  /** Where the HTTP API listens. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Runs once the tasks were started, before that port opens and queues are read, with the URL of a private one. */
  readonly prepare?: (privateApiUrl: string) => Promise<void>
  /** The node binary that runs containers. */
  readonly nodePath: string
  readonly clock: LocalClock
  readonly invoke: (functionLogicalId: string, event: unknown, onLong?: () => void) => Promise<unknown>
  readonly work: RunningWork
  /** Gets EventBridge's default bus, to which services send their events. */
  readonly onEvents: (publish: Publish) => void
  readonly onLog: (line: string) => void
  /** Gets what ends each thing, as it is started. */
  readonly closers: Closer[]
}

/** Starts what calls the functions (HTTP API, event sources, schedules) and the tasks. */
export async function startPrograms(options: ProgramOptions): Promise<void> {
  const { surroundings, clock, invoke, work, onLog, closers } = options
  const { now } = clock
  const { template } = surroundings
  const { deployment } = template
  // Everything is read before anything is started: a template that cannot run here fails as a whole.
  const api = readHttpApi(template)
  const sources = read(template.ofType('AWS::Lambda::EventSourceMapping'), (each) =>
    readEventSource(each, surroundings),
  )
  const rules = template.ofType('AWS::Events::Rule')
  const schedules = read(
    rules.filter((rule) => !isEventRule(rule)),
    (each) => readSchedule(each, template),
  )
  const bus = openBus(rules.filter(isEventRule), options)
  const programs = read(template.ofType('AWS::ECS::Service'), (service) => {
    const program = readTask(service, surroundings)
    return program && { service, program }
  })
  const mayInvoke = readInvokePermissions(template)
  const tasks = programs.flatMap(({ service, program }) => startTask(service, program, options))
  closers.push(() => Promise.all(tasks.map((task) => task.stop())))
  for (const task of tasks) closers.push(clock.onMove(task.moved))
  if (api) await prepareApi(api, mayInvoke, options)
  for (const source of sources) {
    closers.push(pollEventSource({ source, endpoint: surroundings.endpoint, invoke, work, onLog }).stop)
  }
  for (const each of schedules) {
    const schedule = { ...each, targets: each.targets.filter(isPermitted(each, mayInvoke, onLog)) }
    const running = runSchedule({ schedule, deployment, now, invoke, onLog })
    closers.push(running.stop, clock.onMove(running.moved))
  }
  options.onEvents(bus)
  if (!api) return
  const served = await serveApi(api, mayInvoke, options, options.port, options.addresses)
  closers.push(() => served.close())
}

/** EventBridge is allowed by the queues' policies alone, so that the operator's keys are as good as any. */
function openBus(
  rules: readonly Resource[],
  { surroundings: { template, endpoint, principals }, onLog, closers }: ProgramOptions,
): Publish {
  const { region } = template.deployment
  const credentials = principals.root
  const client = new SQSClient({ endpoint, region, credentials, useQueueUrlAsEndpoint: false })
  closers.push(() => client.destroy())
  const eventRules = read(rules, (rule) => readEventRule(rule, template))
  return openEventBus({ rules: eventRules, maySend: readSendPermissions(template), client, onLog })
}

/** Nobody outside sees the API, and no queue is read, before all is prepared: until then it has a private port. */
async function prepareApi(api: HttpApi, mayInvoke: MayInvoke, options: ProgramOptions): Promise<void> {
  if (!options.prepare) return
  const port = await findFreePort('127.0.0.1')
  const served = await serveApi(api, mayInvoke, options, port, ['127.0.0.1'])
  try {
    await options.prepare(`http://127.0.0.1:${port}`)
  } finally {
    await served.close()
  }
}

function serveApi(
  api: HttpApi,
  mayInvoke: MayInvoke,
  { surroundings, clock, invoke, onLog }: ProgramOptions,
  port: number,
  addresses: readonly string[],
) {
  const { accountId, region } = surroundings.template.deployment
  const apiArn = `arn:aws:execute-api:${region}:${accountId}:${api.apiId}`
  const routeArn = (routeKey: string) => `${apiArn}/${api.stage}/${sourceOf(routeKey)}`
  return serveHttpApi({
    api,
    accountId,
    port,
    addresses,
    now: clock.now,
    ownPaths: { [CLOCK_PATH]: (request, response) => answerClock(clock, request, response) },
    invoke,
    mayInvoke: ({ functionLogicalId, routeKey }) =>
      mayInvoke(functionLogicalId, 'apigateway.amazonaws.com', routeArn(routeKey)),
    onLog,
  })
}

/** What stands for a route in the ARN of an invocation: `GET/pets/{id}` or `$default`. */
function sourceOf(routeKey: string): string {
  return routeKey.replace(' ', '')
}

/** ECS starts a task again and again that lacks a permission to start; saying it once is enough. */
function startTask(
  service: Resource,
  program: TaskProgram,
  { surroundings, clock, nodePath, onLog }: ProgramOptions,
): readonly ReturnType<typeof runTask>[] {
  const { toStart, toLog } = findTaskRefusals(service, surroundings)
  for (const line of toStart) onLog(line)
  if (toStart.length > 0) {
    onLog(`[${program.containerName}] does not start`)
    return []
  }
  if (toLog !== undefined) onLog(toLog)
  const { offsetMs } = clock
  return [runTask({ program, nodePath, offsetMs, isOutputLost: toLog !== undefined, onLog })]
}

function isPermitted({ ruleArn }: Schedule, mayInvoke: MayInvoke, onLog: (line: string) => void) {
  return ({ functionLogicalId }: Schedule['targets'][number]): boolean => {
    if (mayInvoke(functionLogicalId, 'events.amazonaws.com', ruleArn)) return true
    onLog(`[events] ${ruleArn}: no AWS::Lambda::Permission lets the rule invoke ${functionLogicalId}`)
    return false
  }
}

function read<From, To>(
  resources: readonly From[],
  reader: (resource: From) => To | undefined,
): readonly To[] {
  return resources.map(reader).filter((value) => value !== undefined)
}
