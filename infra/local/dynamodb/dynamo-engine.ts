import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '../free-port.ts'
import { forEachLine } from '../programs/log-lines.ts'

/** A DynamoDB engine that runs as our child process. */
export interface DynamoEngine {
  readonly endpoint: string
  stop(): Promise<void>
}

/** Starts the engine on its data file in `directory`; throws where no engine comes with the platform. */
export async function startDynamoEngine(options: {
  readonly directory: string
  readonly onLog: (line: string) => void
}): Promise<DynamoEngine> {
  const binary = findBinary()
  const port = await findFreePort('127.0.0.1')
  const file = join(options.directory, 'dynamodb.sqlite')
  const child = spawnKept(binary, ['--host', '127.0.0.1', '--port', String(port), '--db-path', file])
  const lines: string[] = []
  const state = { running: true, ready: false, stopping: false }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      state.running = false
      child.stdin?.end()
      if (!state.stopping) options.onLog(`[dynamodb] the engine ended with exit code ${code}`)
      resolve()
    })
  })
  forEachLine(child.stderr, (line) => {
    // Its greetings at start and end say nothing; what it prints in between does.
    if (state.ready && !state.stopping) options.onLog(`[dynamodb] ${line}`)
    else lines.push(line)
  })
  const stop = async () => {
    state.stopping = true
    child.stdin?.end()
    await exited
  }
  try {
    await waitForPort(port, state)
    state.ready = true
  } catch (error) {
    await stop()
    throw new Error(`The DynamoDB engine does not start: ${lines.join(' ')}`, { cause: error })
  }
  return { endpoint: `http://127.0.0.1:${port}`, stop }
}

function findBinary(): string {
  const platform = `${process.platform}-${process.arch}`
  try {
    return createRequire(import.meta.url).resolve(`@dynoxide/${platform}/dynoxide`)
  } catch (error) {
    throw new Error(
      `No DynamoDB engine is installed for ${platform}: set AWS_ENDPOINT_URL_DYNAMODB to a DynamoDB Local or ` +
        'LocalStack on this machine, such as http://127.0.0.1:8000 (on linux-x64, "npm ci" installs an engine).',
      { cause: error },
    )
  }
}

/**
 * Starts a program that ends when we do: a shell holds the other end of a pipe, and the pipe breaks however we end,
 * `kill -9` included. The program has a process group of its own, so that Ctrl-C reaches us first.
 */
function spawnKept(program: string, parameters: readonly string[]): ChildProcess {
  const script = '"$0" "$@" & p=$!; exec 3<&0; { cat <&3 >/dev/null; kill $p 2>/dev/null; } & wait $p'
  return spawn('/bin/sh', ['-c', script, program, ...parameters], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  })
}

async function waitForPort(port: number, state: { readonly running: boolean }): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (await accepts(port)) return
    if (!state.running) throw new Error('it ended')
    await sleep(10)
  }
  throw new Error('it does not listen within 5 seconds')
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const connected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  })
  socket.destroy()
  return connected
}
