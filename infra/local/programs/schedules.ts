import { randomUUID } from 'node:crypto'
import type { ScheduledEvent } from 'aws-lambda'
import { z } from 'zod'
import { type Deployment, nameOf, type Resource } from '../template/resource.ts'
import type { NamedTemplate } from '../template/template.ts'
import { FunctionError } from './lambda-protocol.ts'

/** An `AWS::Events::Rule` that invokes functions at a fixed rate. */
export interface Schedule {
  readonly ruleArn: string
  readonly periodMs: number
  readonly targets: readonly { readonly functionLogicalId: string; readonly input?: unknown }[]
}

/** Reads a rule; undefined when it is switched off. Throws on event patterns and cron expressions. */
export function readSchedule(resource: Resource, template: NamedTemplate): Schedule | undefined {
  const { logicalId } = resource
  const rule = template.read(resource, ruleSchema)
  if (rule.State === 'DISABLED') return undefined
  return {
    ruleArn: template.identities.attribute(logicalId, 'Arn'),
    periodMs: readRate(logicalId, rule.ScheduleExpression),
    targets: rule.Targets.map(({ Arn, Input }) => ({
      functionLogicalId: template.identities.logicalIdOf(Arn, logicalId),
      ...(Input !== undefined && { input: JSON.parse(Input) }),
    })),
  }
}

/** A schedule that runs. */
interface RunningSchedule {
  stop(): void
  /** To be called after `now` was moved: what has become due runs at once, and once; resolves when it ended. */
  moved(): Promise<void>
}

/** Invokes the targets every period, the first time one period from now. */
export function runSchedule(options: {
  readonly schedule: Schedule
  readonly deployment: Deployment
  readonly now: () => number
  readonly invoke: (functionLogicalId: string, event: unknown) => Promise<unknown>
  readonly onLog: (line: string) => void
}): RunningSchedule {
  const { schedule, deployment, now, invoke, onLog } = options
  let timer: NodeJS.Timeout | undefined
  let nextAt = 0
  const plan = (at: number) => {
    clearTimeout(timer)
    nextAt = at
    timer = setTimeout(run, at - now())
  }
  const run = async () => {
    // As on AWS, the next run does not wait for this one.
    plan(now() + schedule.periodMs)
    const runs = schedule.targets.map(async ({ functionLogicalId, input }) => {
      try {
        await invoke(functionLogicalId, input ?? scheduledEvent(schedule.ruleArn, deployment, now()))
      } catch (error) {
        // The runtime has logged what the function did wrong.
        if (!(error instanceof FunctionError)) onLog(`[${nameOf(functionLogicalId)}] schedule: ${error}`)
      }
    })
    await Promise.all(runs)
  }
  plan(now() + schedule.periodMs)
  return {
    stop: () => clearTimeout(timer),
    moved: async () => (nextAt <= now() ? await run() : plan(nextAt)),
  }
}

const ruleSchema = z.object({
  EventPattern: z.undefined('events are not delivered locally').optional(),
  ScheduleExpression: z.string(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Targets: z
    .array(
      z.object({
        Arn: z.string(),
        Input: z.string().optional(),
        InputTransformer: z.undefined('not supported locally').optional(),
        InputPath: z.undefined('not supported locally').optional(),
      }),
    )
    .default([]),
})

const unitsMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

function readRate(logicalId: string, expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? []
  const unitMs = unitsMs[unit]
  if (unitMs) return Number(count) * unitMs
  throw new Error(`${logicalId}: the schedule ${expression} is not supported locally, only rate(…)`)
}

/** The event's form: "Schedule Lambda functions with EventBridge", example event. */
function scheduledEvent(ruleArn: string, { accountId, region }: Deployment, at: number): ScheduledEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: accountId,
    time: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [ruleArn],
    detail: {},
  }
}
