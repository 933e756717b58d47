import { spawn } from 'node:child_process'
import { findFreePort } from '../../infra/local/free-port.ts'
import { environment as env, whyMissing } from './programs.ts'
import { untilListening } from './until-listening.ts'

/** For the `skip` of tests: that Debian's postfix is missing, which smtp-sink comes with. */
export function whyNoSmtpSink(): string | false {
  return whyMissing('smtp-sink')
}

/** Postfix's smtp-sink: a server on 127.0.0.1 that throws mail away. */
export interface SmtpSink {
  readonly port: number
  /** How many messages it took. */
  taken(): number
  stop(): void
}

/** Starts it with options of its own, as smtp-sink(1) has them. */
export async function startSmtpSink(options: readonly string[] = []): Promise<SmtpSink> {
  const port = await findFreePort('127.0.0.1')
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const backlog = '100'
  const sink = spawn('smtp-sink', ['-c', ...user, ...options, `127.0.0.1:${port}`, backlog], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let counters = ''
  sink.stdout.on('data', (chunk) => (counters = (counters + chunk).slice(-LONGEST_COUNTERS)))
  await untilListening('smtp-sink', '127.0.0.1', port)
  return {
    port,
    taken: () => Number(/.* mesg=(\d+)\r/s.exec(counters)?.[1] ?? 0),
    stop: () => void sink.kill(),
  }
}

/** More than one line of `-c`, which follow each other with a carriage return. */
const LONGEST_COUNTERS = 200
