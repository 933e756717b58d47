import { nameOf } from '../template/resource.ts'
import { type LambdaEnvironment, type LambdaFunction, startEnvironment } from './lambda-environment.ts'
import { FunctionError } from './lambda-protocol.ts'

/** Runs the functions of the template. */
export interface LambdaRuntime {
  /**
   * Invokes a function and waits for its answer. Throws {@link FunctionError} when the function fails, with
   * `RequestEntityTooLargeException` as its type when the event is too large. Tells by `onLong` that the function has
   * worked for half a second, and that its environment no longer counts.
   */
  invoke(logicalId: string, event: unknown, onLong?: () => void): Promise<unknown>
  stop(): Promise<void>
}

/** Lambda's quota for a synchronous request and for a response, in bytes, as its errors name it (6 MiB and 100). */
const payloadLimitBytes = 6_291_556

/** A function that works for longer waits for somebody outside: its start does not count. */
const longEventMs = 500

/**
 * Starts environments as concurrent events need them, `maxEnvironments` over all functions, and keeps them warm.
 * Those whose event takes long do not count while it does, so that what hangs keeps nothing else from running.
 */
export function openLambdaRuntime(options: {
  readonly functions: readonly LambdaFunction[]
  readonly maxEnvironments: number
  /** The local clock's offset; functions live by the machine's time when left out. */
  readonly clock?: SharedArrayBuffer
  /** Why nothing that a function prints may be logged; undefined when it may. Asked before the first environment. */
  readonly logRefusal?: (functionLogicalId: string) => string | undefined
  readonly onLog: (line: string) => void
}): LambdaRuntime {
  const functions = new Map(options.functions.map((lambda) => [lambda.logicalId, lambda]))
  const logOf = openLogs(options)
  const environments = openPool({ ...options, logOf })
  let stopped = false
  const run = async (lambda: LambdaFunction, event: unknown, onLong?: () => void): Promise<unknown> => {
    const payload = JSON.stringify(event)
    if (Buffer.byteLength(payload) > payloadLimitBytes) {
      throw failure(
        'RequestEntityTooLargeException',
        `Request must be smaller than ${payloadLimitBytes} bytes`,
      )
    }
    const environment = await environments.take(lambda)
    await environment.started
    const timer = setTimeout(() => environments.setAside(environment) && onLong?.(), longEventMs)
    try {
      const answer = await environment.run(payload)
      if (Buffer.byteLength(answer) <= payloadLimitBytes) return JSON.parse(answer)
      const limit = `maximum allowed payload size (${payloadLimitBytes} bytes)`
      throw failure('Function.ResponseSizeTooLarge', `Response payload size exceeded ${limit}.`)
    } finally {
      clearTimeout(timer)
      environments.giveBack(environment)
    }
  }
  return {
    invoke: async (logicalId, event, onLong) => {
      const lambda = functions.get(logicalId)
      if (!lambda) throw new Error(`The template has no function ${logicalId}`)
      return run(lambda, event, onLong).catch((error: unknown) => {
        if (error instanceof FunctionError && !stopped) logFailure(lambda, error, logOf(lambda))
        throw error
      })
    },
    stop: () => {
      stopped = true
      return environments.stop()
    },
  }
}

type LogOf = (lambda: LambdaFunction) => (line: string) => void

/** The log of each function; one that its role may not write takes nothing but the reason. */
function openLogs(options: Parameters<typeof openLambdaRuntime>[0]): LogOf {
  const logs = new Map<LambdaFunction, (line: string) => void>()
  return (lambda) => {
    const open = () => {
      const refusal = options.logRefusal?.(lambda.logicalId)
      if (refusal === undefined) return options.onLog
      options.onLog(`[${nameOf(lambda.logicalId)}] AccessDenied: ${refusal}`)
      return () => {}
    }
    const log = logs.get(lambda) ?? open()
    logs.set(lambda, log)
    return log
  }
}

/** Lambda writes the failure of an invocation into the function's log. */
function logFailure(lambda: LambdaFunction, error: FunctionError, onLog: (line: string) => void): void {
  const lines = error.trace.length > 0 ? error.trace : [`${error.errorType}: ${error.message}`]
  for (const line of lines) onLog(`[${nameOf(lambda.logicalId)}] ${line}`)
}

interface Pool {
  take(lambda: LambdaFunction): Promise<LambdaEnvironment>
  /** Frees the place of an environment that is busy for long; false when there are too many such already. */
  setAside(environment: LambdaEnvironment): boolean
  giveBack(environment: LambdaEnvironment): void
  stop(): Promise<void>
}

interface Waiting {
  readonly lambda: LambdaFunction
  readonly resolve: (environment: LambdaEnvironment) => void
  readonly reject: (error: FunctionError) => void
}

interface Idle {
  readonly environment: LambdaEnvironment
  /** By `performance.now()`. */
  readonly since: number
}

/** An environment idle for less is likely needed again at once; a cold start costs a third of that. */
const worthKeepingMs = 1000
/** Two event sources' (see `event-sources.ts`), and ten more. */
const maxSetAside = 70

function openPool(options: {
  readonly maxEnvironments: number
  readonly clock?: SharedArrayBuffer
  readonly logOf: LogOf
}): Pool {
  /** Longest idle first. */
  let idle: Idle[] = []
  const busy = new Set<LambdaEnvironment>()
  const aside = new Set<LambdaEnvironment>()
  let waiting: Waiting[] = []
  let later: NodeJS.Timeout | undefined
  let stopped = false
  const find = (lambda: LambdaFunction): LambdaEnvironment | undefined => {
    idle = idle.filter(({ environment }) => environment.isAlive())
    const warm = idle.findLast(({ environment }) => environment.lambda === lambda)?.environment
    const isFull = !warm && busy.size + idle.length >= options.maxEnvironments
    const evicted = isFull ? evictable(lambda, idle, busy) : undefined
    if (isFull && !evicted) return undefined
    void evicted?.stop()
    const chosen = warm ?? startEnvironment(lambda, options.clock, options.logOf(lambda))
    idle = idle.filter(({ environment }) => environment !== chosen && environment !== evicted)
    busy.add(chosen)
    return chosen
  }
  /** The places of those that were set aside were given away: who is not needed again soon goes. */
  const endSurplus = (unneeded: Idle) => {
    if (!idle.includes(unneeded) || busy.size + idle.length <= options.maxEnvironments) return
    idle = idle.filter((each) => each !== unneeded)
    void unneeded.environment.stop()
  }
  const serveWaiting = () => {
    clearTimeout(later)
    waiting = waiting.filter(({ lambda, resolve }) => {
      const environment = find(lambda)
      if (environment) resolve(environment)
      return !environment
    })
    if (waiting.length > 0 && idle.length > 0) later = setTimeout(serveWaiting, worthKeepingMs)
  }
  return {
    take: (lambda) =>
      new Promise((resolve, reject) => {
        if (stopped) return reject(failure('Runtime.ExitError', 'The local cloud stops'))
        waiting.push({ lambda, resolve, reject })
        serveWaiting()
      }),
    setAside: (environment) => {
      if (aside.size >= maxSetAside) return false
      busy.delete(environment)
      aside.add(environment)
      serveWaiting()
      return true
    },
    giveBack: (environment) => {
      busy.delete(environment)
      aside.delete(environment)
      const unneeded = { environment, since: performance.now() }
      if (environment.isAlive()) idle.push(unneeded)
      serveWaiting()
      setTimeout(endSurplus, worthKeepingMs, unneeded).unref()
    },
    stop: async () => {
      stopped = true
      clearTimeout(later)
      for (const { reject } of waiting.splice(0))
        reject(failure('Runtime.ExitError', 'The local cloud stops'))
      const environments = [...idle.map(({ environment }) => environment), ...busy, ...aside]
      await Promise.all(environments.map((environment) => environment.stop()))
    },
  }
}

/** Whose place the function may take: anybody's if it has no environment yet, else only of one that is not needed. */
function evictable(
  lambda: LambdaFunction,
  [longest]: readonly Idle[],
  busy: ReadonlySet<LambdaEnvironment>,
): LambdaEnvironment | undefined {
  if (!longest) return undefined
  const isRunning = [...busy].some((environment) => environment.lambda === lambda)
  const isUnneeded = performance.now() - longest.since >= worthKeepingMs
  return !isRunning || isUnneeded ? longest.environment : undefined
}

function failure(errorType: string, errorMessage: string): FunctionError {
  return new FunctionError({ errorType, errorMessage, trace: [] })
}
