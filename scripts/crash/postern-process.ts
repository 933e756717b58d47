import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LocalCloud } from '../../infra/local/boot.ts'
import { freePorts } from '../free-ports.ts'

/** How to reach the AWS services of a running Postern, as `start.ts --endpoint-file` writes it. */
export type Endpoint = ReturnType<LocalCloud['clientConfig']> & Pick<LocalCloud, 'outputs'>

/** A Postern that runs in a process group of its own, to be killed and started again. */
export interface PosternProcess {
  readonly apiUrl: string
  /** Resolves when the API answers; throws when it does not come up. */
  start(): Promise<Endpoint>
  /** Kills all of it at once; says when. */
  kill(): Promise<{ readonly killedAt: number; readonly goneAt: number }>
  /** Ends it in order, or kills it if that takes too long. */
  stop(): Promise<void>
  /** Kills it without waiting, for a process that ends itself. */
  abandon(): void
}

const START_MS = 60_000
const STOP_MS = 10_000

/** Prepares a Postern on free ports whose data, log and endpoint file are in `directory`; `args` go to start.ts. */
export async function posternProcess(directory: string, args: readonly string[]): Promise<PosternProcess> {
  const { httpPort, smtpPort, submissionPort, submissionsPort, healthPort } = await freePorts()
  const apiUrl = `http://127.0.0.1:${httpPort}`
  const endpointFile = join(directory, 'endpoint.json')
  const logFile = join(directory, 'postern.log')
  const ports = Object.entries({
    http: httpPort,
    smtp: smtpPort,
    submission: submissionPort,
    submissions: submissionsPort,
    health: healthPort,
  }).flatMap(([service, port]) => [`--${service}-port`, `${port}`])
  const files = ['--data', join(directory, 'data'), '--endpoint-file', endpointFile]
  const script = join(import.meta.dirname, '..', 'start.ts')
  let child: ChildProcess | undefined

  const signal = (name: NodeJS.Signals, toGroup: boolean): boolean => {
    if (child?.pid === undefined || !isRunning(child)) return false
    return process.kill(toGroup ? -child.pid : child.pid, name)
  }
  return {
    apiUrl,
    async start() {
      rmSync(endpointFile, { force: true })
      const log = openSync(logFile, 'a')
      child = spawn(process.execPath, [script, ...ports, ...files, ...args], {
        detached: true,
        stdio: ['ignore', log, log],
      })
      closeSync(log)
      await untilReady(child, endpointFile, apiUrl, logFile)
      return JSON.parse(readFileSync(endpointFile, 'utf8'))
    },
    async kill() {
      const killedAt = Date.now()
      const ended = child && once(child, 'exit')
      if (!signal('SIGKILL', true)) throw new Error(`Postern ended by itself; see ${logFile}`)
      await ended
      return { killedAt, goneAt: Date.now() }
    },
    async stop() {
      const ended = child && once(child, 'exit')
      if (!signal('SIGTERM', false)) return
      const timer = setTimeout(() => signal('SIGKILL', true), STOP_MS)
      await ended
      clearTimeout(timer)
    },
    abandon: () => void signal('SIGKILL', true),
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

async function untilReady(
  child: ChildProcess,
  endpointFile: string,
  apiUrl: string,
  logFile: string,
): Promise<void> {
  const end = performance.now() + START_MS
  while (performance.now() < end) {
    if (!isRunning(child)) throw new Error(`Postern does not start; see ${logFile}`)
    if (existsSync(endpointFile) && (await answers(apiUrl))) return
    await sleep(20)
  }
  throw new Error(`Postern does not answer within ${START_MS / 1000} s; see ${logFile}`)
}

/** Without credentials the API refuses, which is an answer. */
async function answers(apiUrl: string): Promise<boolean> {
  try {
    const { status } = await fetch(`${apiUrl}/webapi/v0/Send`, { method: 'POST' })
    return status === 401
  } catch {
    return false
  }
}
