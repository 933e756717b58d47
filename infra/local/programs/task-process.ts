import { type ChildProcess, spawn } from 'node:child_process'
import { forEachLine } from './log-lines.ts'
import type { TaskProgram } from './tasks.ts'

/** Keeps a task's program running: starts it again, ever more slowly, when it ends; the result stops it. */
export function runTask(options: {
  readonly program: TaskProgram
  /** The node binary that stands for the container's image. */
  readonly nodePath: string
  readonly onLog: (line: string) => void
  /** What the program prints goes nowhere. */
  readonly isOutputLost?: boolean
}): { stop(): Promise<void> } {
  const { program, onLog } = options
  const log = (line: string) => onLog(`[${program.containerName}] ${line}`)
  let child: ChildProcess
  let exited: Promise<void>
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let pauseMs = firstPauseMs
  const start = () => {
    const startedMs = performance.now()
    child = startProgram(program, options.nodePath, options.isOutputLost ? () => {} : log)
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
  }
}

const firstPauseMs = 1000
const longestPauseMs = 30_000
const longRunMs = 60_000
/** Shorter than ECS allows, so that stopping the local cloud does not feel stuck. */
const longestStopMs = 2_000

/**
 * Ends the program when the pipe at descriptor 3 breaks, which it does however we end, `kill -9` included.
 * Given as text because the program runs where it is deployed from, not from our sources.
 */
const leash = `data:text/javascript,${encodeURIComponent(
  "import { Socket } from 'node:net'\n" +
    "new Socket({ fd: 3 }).on('close', () => process.kill(process.pid, 'SIGKILL')).resume().unref()",
)}`

/** Starts the program in a process group of its own, so that Ctrl-C reaches us first and we stop it in order. */
function startProgram(
  { parameters, variables }: TaskProgram,
  nodePath: string,
  log: (line: string) => void,
): ChildProcess {
  const child = spawn(nodePath, ['--import', leash, ...parameters], {
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  forEachLine(child.stdout, log)
  forEachLine(child.stderr, log)
  return child
}
