import { execFile, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../support/eventually.ts'
import { environment as env, whyMissing } from './programs.ts'

const runFile = promisify(execFile)
const run = (program: string, args: readonly string[]) => runFile(program, args, { env })

/** For the `skip` of tests: what the lab lacks (in Debian: postfix, libsasl2-modules), or that it must be root. */
export function whyNoPostfix(): string | false {
  return whyMissing('postfix') || (process.getuid?.() === 0 ? false : 'Postfix must be started by root')
}

/** A Postfix of its own, that listens nowhere. */
export interface PostfixLab {
  /** Hands in a message, as programs on its machine do. */
  sendmail(from: string, recipients: readonly string[], message: string): Promise<void>
  /** What it has logged so far. */
  log(): string
  stop(): Promise<void>
}

/** The programs that one way of sending needs; more can be added to a configuration by its text. */
const services = `
pickup unix n - n 5 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 5 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

/** Starts Debian's Postfix with a configuration and directories of its own. It needs root, as Postfix does. */
export async function startPostfix(settings: Readonly<Record<string, string>>): Promise<PostfixLab> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-postfix-'))
  // Its own programs, which run as another user, must get there.
  chmodSync(directory, 0o755)
  const [config, queue, data] = ['config', 'queue', 'data'].map((name) => join(directory, name))
  for (const path of [config, queue, data]) mkdirSync(path ?? '')
  await run('chown', ['postfix', data ?? ''])
  const logFile = join(directory, 'postfix.log')
  const all = {
    compatibility_level: '3.6',
    queue_directory: queue,
    data_directory: data,
    maillog_file: logFile,
    maillog_file_prefixes: directory,
    myhostname: 'postfix.test',
    mydestination: '',
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    smtp_host_lookup: 'native',
    minimal_backoff_time: '300s',
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(join(config ?? '', 'main.cf'), lines.join(''))
  writeFileSync(join(config ?? '', 'master.cf'), services)
  const child = spawn('postfix', ['-c', config ?? '', 'start-fg'], { env, stdio: 'ignore' })
  const ended = new Promise((done) => child.once('exit', done))
  const log = () => {
    try {
      return readFileSync(logFile, 'utf8')
    } catch {
      return ''
    }
  }
  const stop = async () => {
    await run('postfix', ['-c', config ?? '', 'stop']).catch(() => {})
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await eventually('Postfix is up', async () => log().includes('starting the Postfix mail system'))
  } catch (error) {
    await stop()
    throw new Error(`Postfix did not start: ${log()}`, { cause: error })
  }
  return {
    async sendmail(from, recipients, message) {
      const command = run('sendmail', ['-C', config ?? '', '-f', from, ...recipients])
      command.child.stdin?.end(message)
      await command
    },
    log,
    stop,
  }
}
