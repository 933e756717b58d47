import { execFile, spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from '../eventually.ts'
import { environment as env, whyMissing } from './programs.ts'
import { untilListening } from './until-listening.ts'

const runFile = promisify(execFile)
const run = (program: string, args: readonly string[]) => runFile(program, args, { env })

/** For the `skip` of tests: what the lab lacks (in Debian: postfix, libsasl2-modules), or that it must be root. */
export function whyNoPostfix(): string | false {
  return whyMissing('postfix') || (process.getuid?.() === 0 ? false : 'Postfix must be started by root')
}

/** A Postfix of its own, that listens nowhere but where it is told to. */
export interface PostfixLab {
  /** Hands in a message, as programs on its machine do. */
  sendmail(from: string, recipients: readonly string[], message: string): Promise<void>
  /** Delivers what is on hold. */
  release(): Promise<void>
  /** What it has logged so far. */
  log(): string
  /** What it has delivered into mailboxes, one text for each mail: to its {@link PostfixOptions.mailboxDomains}. */
  mails(): readonly string[]
  stop(): Promise<void>
}

/** An SMTP server of a Postfix. */
interface SmtpService {
  /** Of loopback. */
  readonly ipAddress: string
  readonly port: number
  /** What its lines in the log begin with: `name/smtpd`. */
  readonly name: string
}

interface PostfixOptions {
  /** Lines of its main.cf. */
  readonly settings: Readonly<Record<string, string>>
  readonly smtpServices?: readonly SmtpService[]
  /** It takes mail for each address of these domains. */
  readonly mailboxDomains?: readonly string[]
  /** What its SMTP servers prove themselves with: private key and certificates, PEM. */
  readonly tlsChain?: string
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
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

/** Starts Debian's Postfix with a configuration and directories of its own. It needs root, as Postfix does. */
export async function startPostfix(options: PostfixOptions): Promise<PostfixLab> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-postfix-'))
  // Its own programs, which run as another user, must get there.
  chmodSync(directory, 0o755)
  const places = await makePlaces(directory)
  writeConfiguration(places, options)
  const child = spawn('postfix', ['-c', places.config, 'start-fg'], { env, stdio: 'ignore' })
  const ended = new Promise((done) => child.once('exit', done))
  const log = () => {
    try {
      return readFileSync(places.log, 'utf8')
    } catch {
      return ''
    }
  }
  const stop = async () => {
    await run('postfix', ['-c', places.config, 'stop']).catch(() => {})
    await ended
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await eventually('Postfix is up', async () => log().includes('starting the Postfix mail system'))
    for (const { name, ipAddress, port } of options.smtpServices ?? []) {
      await untilListening(name, ipAddress, port)
    }
  } catch (error) {
    await stop()
    throw new Error(`Postfix did not start: ${log()}`, { cause: error })
  }
  return {
    async sendmail(from, recipients, message) {
      const command = run('sendmail', ['-C', places.config, '-f', from, ...recipients])
      command.child.stdin?.end(message)
      await command
    },
    async release() {
      await run('postsuper', ['-c', places.config, '-H', 'ALL'])
      await run('postqueue', ['-c', places.config, '-f'])
    },
    log,
    mails: () => readMails(places.mail),
    stop,
  }
}

type Places = Awaited<ReturnType<typeof makePlaces>>

async function makePlaces(directory: string) {
  const at = (name: string) => join(directory, name)
  const places = { config: at('config'), queue: at('queue'), data: at('data'), mail: at('mail') }
  for (const path of Object.values(places)) mkdirSync(path)
  await run('chown', ['postfix', places.data])
  await run('chown', ['nobody', places.mail])
  return { ...places, directory, log: at('postfix.log') }
}

function writeConfiguration(places: Places, options: PostfixOptions): void {
  const { settings, smtpServices = [], mailboxDomains = [], tlsChain } = options
  const chainFile = join(places.config, 'chain.pem')
  if (tlsChain) writeFileSync(chainFile, tlsChain, { mode: 0o600 })
  const all = {
    compatibility_level: '3.6',
    queue_directory: places.queue,
    data_directory: places.data,
    maillog_file: places.log,
    maillog_file_prefixes: places.directory,
    myhostname: 'postfix.test',
    mydestination: '',
    inet_interfaces: 'loopback-only',
    inet_protocols: 'ipv4',
    smtp_host_lookup: 'native',
    minimal_backoff_time: '300s',
    smtpd_peername_lookup: 'no',
    smtpd_relay_restrictions: 'reject_unauth_destination',
    ...(tlsChain && {
      smtpd_tls_security_level: 'may',
      smtpd_tls_chain_files: chainFile,
      smtpd_tls_loglevel: '1',
    }),
    virtual_mailbox_domains: mailboxDomains.join(' '),
    virtual_mailbox_maps: 'static:inbox/',
    virtual_mailbox_base: places.mail,
    virtual_uid_maps: 'static:65534',
    virtual_gid_maps: 'static:65534',
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(join(places.config, 'main.cf'), lines.join(''))
  const listening = smtpServices.map(
    ({ ipAddress, port, name }) => `${ipAddress}:${port} inet n - n - - smtpd -o syslog_name=${name}\n`,
  )
  writeFileSync(join(places.config, 'master.cf'), services + listening.join(''))
}

/** The mailbox is a Maildir: what is in `new` is there as a whole. */
function readMails(base: string): readonly string[] {
  const arrived = join(base, 'inbox', 'new')
  if (!existsSync(arrived)) return []
  return readdirSync(arrived).map((name) => readFileSync(join(arrived, name), 'utf8'))
}
