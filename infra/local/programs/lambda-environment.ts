import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { nameOf } from '../template/resource.ts'
import {
  FunctionError,
  type FunctionFailure,
  type WorkerAnswer,
  type WorkerCall,
  type WorkerSetup,
  type WorkerStart,
} from './lambda-protocol.ts'
import { forEachLine } from './log-lines.ts'

/** A function of the template, ready to run. */
export interface LambdaFunction extends WorkerSetup {
  readonly logicalId: string
  /** The whole environment of the function; nothing is inherited. */
  readonly variables: Readonly<Record<string, string>>
}

/** One environment of a function: a worker thread that handles one event at a time. */
export interface LambdaEnvironment {
  readonly lambda: LambdaFunction
  /** Resolves when its module has loaded, or could not. */
  readonly started: Promise<unknown>
  /** False after a timeout, a crash or `stop`: it takes no further event. */
  isAlive(): boolean
  /** Runs one event, JSON in and out; throws {@link FunctionError}. */
  run(payload: string): Promise<string>
  stop(): Promise<void>
}

/** How long a module may take to load before its first event (Lambda's init phase). */
const initLimitMs = 10_000

/** Starts an environment, on the machine's time or a clock's offset; its module loads while the first event waits. */
export function startEnvironment(
  lambda: LambdaFunction,
  clock: SharedArrayBuffer | undefined,
  onLog: (line: string) => void,
): LambdaEnvironment {
  const worker = startWorker(lambda, clock, onLog)
  const answers = listen(worker)
  worker.on('error', (error) =>
    onLog(`[${nameOf(lambda.logicalId)}] ${error instanceof Error ? error.stack : error}`),
  )
  const loaded = answers.next(initLimitMs, () => timedOut('Init timed out after 10.00 seconds'))
  return {
    lambda,
    started: loaded,
    isAlive: answers.isAlive,
    run: async (payload) => {
      const first = await loaded
      if (first.kind === 'failed') {
        answers.end(first.failure)
        throw new FunctionError(first.failure)
      }
      const requestId = randomUUID()
      const seconds = (lambda.timeoutMs / 1000).toFixed(2)
      const late = () => timedOut(`RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`)
      const answered = answers.next(lambda.timeoutMs, late)
      worker.postMessage({ requestId, payload } satisfies WorkerCall)
      const answer = await answered
      if (answer.kind === 'result') return answer.payload
      throw new FunctionError(answer.kind === 'failed' ? answer.failure : exited('The module loaded twice'))
    },
    stop: async () => {
      answers.end(exited('The local cloud stops'))
      await worker.terminate()
    },
  }
}

interface Answers {
  isAlive(): boolean
  /** The next answer; when it is late or the worker ends, the answer is a failure and the worker is done for. */
  next(limitMs: number, whenLate: () => FunctionFailure): Promise<WorkerAnswer>
  end(failure: FunctionFailure): void
}

function listen(worker: Worker): Answers {
  let failure: FunctionFailure | undefined
  let take: (answer: WorkerAnswer) => void = () => {}
  const end = (reason: FunctionFailure) => {
    failure ??= reason
    take({ kind: 'failed', failure })
    void worker.terminate()
  }
  worker.on('message', (answer: WorkerAnswer) => take(answer))
  worker.on('error', (error) => end(crash(error)))
  worker.on('exit', (code) => end(exited(`Runtime exited with error: exit status ${code}`)))
  return {
    isAlive: () => failure === undefined,
    next: async (limitMs, whenLate) => {
      if (failure) return { kind: 'failed', failure }
      const timer = setTimeout(() => end(whenLate()), limitMs)
      const answer = await new Promise<WorkerAnswer>((resolve) => {
        take = resolve
      })
      clearTimeout(timer)
      return answer
    },
    end,
  }
}

function startWorker(
  lambda: LambdaFunction,
  clock: SharedArrayBuffer | undefined,
  onLog: (line: string) => void,
): Worker {
  const { variables, logicalId, ...setup } = lambda
  const worker = new Worker(new URL('./lambda-worker.ts', import.meta.url), {
    workerData: { setup, clock } satisfies WorkerStart,
    env: variables,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: lambda.memoryMb },
    stdout: true,
    stderr: true,
    name: logicalId,
  })
  for (const stream of [worker.stdout, worker.stderr]) {
    forEachLine(stream, (line) => onLog(`[${nameOf(logicalId)}] ${line}`))
  }
  return worker
}

function crash(error: unknown): FunctionFailure {
  const outOfMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  if (outOfMemory)
    return { ...exited('Runtime exited with error: signal: killed'), errorType: 'Runtime.OutOfMemory' }
  return exited(error instanceof Error ? error.message : String(error))
}

function exited(errorMessage: string): FunctionFailure {
  return { errorType: 'Runtime.ExitError', errorMessage, trace: [] }
}

function timedOut(errorMessage: string): FunctionFailure {
  return { errorType: 'Sandbox.Timedout', errorMessage, trace: [] }
}
