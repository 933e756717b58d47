import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { FunctionFailure, WorkerAnswer, WorkerCall, WorkerStart } from './lambda-protocol.ts'
import { followClock } from './worker-clock.ts'

/** The inside of a Lambda environment: loads the deployed module once, then answers one event at a time. */
const { setup, clock }: WorkerStart = workerData
if (clock) followClock(clock)
const handler = await load()
if (handler) {
  parentPort?.on('message', (call: WorkerCall) => void run(handler, call))
  send({ kind: 'ready' })
}

type Handler = (event: unknown, context: object) => unknown

async function load(): Promise<Handler | undefined> {
  try {
    const module = await import(pathToFileURL(setup.file).href)
    const found = module[setup.exportName]
    if (typeof found === 'function') return found
    throw new Error(`${setup.handler} is undefined or not exported`)
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) })
    return undefined
  }
}

async function run(handle: Handler, call: WorkerCall): Promise<void> {
  const startedMs = performance.now()
  const context = {
    awsRequestId: call.requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: setup.functionName,
    functionVersion: '$LATEST',
    getRemainingTimeInMillis: () => Math.max(0, setup.timeoutMs - (performance.now() - startedMs)),
    invokedFunctionArn: setup.functionArn,
    logGroupName: `/aws/lambda/${setup.functionName}`,
    logStreamName: 'local',
    memoryLimitInMB: String(setup.memoryMb),
  }
  try {
    const result = await handle(JSON.parse(call.payload), context)
    send({ kind: 'result', payload: JSON.stringify(result) ?? 'null' })
  } catch (error) {
    send({ kind: 'failed', failure: failureOf(error) })
  }
}

function send(answer: WorkerAnswer): void {
  parentPort?.postMessage(answer)
}

function failureOf(error: unknown): FunctionFailure {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack?.split('\n') ?? [],
  }
}
