import { type ChildProcess, spawn } from 'node:child_process'
import { Writable } from 'node:stream'
import { forEachLine } from './log-lines.ts'
import type { TaskProgram } from './tasks.ts'

/** A task whose program is kept running. */
interface RunningTask {
  stop(): Promise<void>
  /** To be called after `offsetMs` has grown. */
  moved(): void
}

/** Keeps a task's program running: starts it again, ever more slowly, when it ends. */
export function runTask(options: {
  readonly program: TaskProgram
  /** The node binary that stands for the container's image. */
  readonly nodePath: string
  /** How far the program's time is ahead of the machine's, in milliseconds; not at all when left out. */
  readonly offsetMs?: () => number
  readonly onLog: (line: string) => void
  /** What the program prints goes nowhere. */
  readonly isOutputLost?: boolean
}): RunningTask {
  const { program, nodePath, offsetMs = () => 0, onLog } = options
  const log = (line: string) => onLog(`[${program.containerName}] ${line}`)
  let child: ChildProcess
  let exited: Promise<void>
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let pauseMs = firstPauseMs
  const start = () => {
    const startedMs = performance.now()
    child = startProgram(program, nodePath, offsetMs(), options.isOutputLost ? () => {} : log)
    exited = new Promise((resolve) => {
      child.once('error', (error) => log(`does not start: ${error.message}`))
      child.once('close', (code, signal) => {
        resolve()
        if (stopping) return
        if (performance.now() - startedMs > longRunMs) pauseMs = firstPauseMs
        log(`ended (${signal ?? `exit code ${code}`}), starts again in ${pauseMs / 1000} s`)
        timer = setTimeout(start, pauseMs)
        pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      })
    })
  }
  start()
  return {
    stop: async () => {
      stopping = true
      clearTimeout(timer)
      child.kill('SIGTERM')
      const killing = setTimeout(() => child.kill('SIGKILL'), Math.min(program.stopTimeoutMs, longestStopMs))
      await exited
      clearTimeout(killing)
    },
    moved: () => tellOffset(child, offsetMs()),
  }
}

const firstPauseMs = 1000
const longestPauseMs = 30_000
const longRunMs = 60_000
/** Shorter than ECS allows, so that stopping the local cloud does not feel stuck. */
const longestStopMs = 2_000

/** Starts the program in a process group of its own, so that Ctrl-C reaches us first and we stop it in order. */
function startProgram(
  { parameters, variables }: TaskProgram,
  nodePath: string,
  offsetMs: number,
  log: (line: string) => void,
): ChildProcess {
  const preload = new URL('./task-preload.ts', import.meta.url)
  preload.searchParams.set('offsetMs', String(offsetMs))
  const child = spawn(nodePath, ['--import', preload.href, ...parameters], {
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  forEachLine(child.stdout, log)
  forEachLine(child.stderr, log)
  // What is written to a program that has just ended is lost, as is the program.
  child.stdio[3]?.on('error', () => {})
  return child
}

function tellOffset({ stdio }: ChildProcess, offsetMs: number): void {
  const pipe = stdio[3]
  if (pipe instanceof Writable) pipe.write(`${offsetMs}\n`)
}
