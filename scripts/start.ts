import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { requireNode24 } from './checks/node-version.ts'
import { formatDuration } from './cli/duration.ts'
import { LOCAL_URL } from './cli/session.ts'
import { type LocalPostern, type LocalPosternOptions, localSeed, startLocalPostern } from './local-postern.ts'

const HELP = `npm start [-- OPTIONS]: runs Postern on this machine, from the template that would be deployed.

  --data DIRECTORY       where it keeps its data (default .postern/)
  --http-port N          where HTTP listens (default 1080)
  --smtp-port N          where SMTP listens (default 1025)
  --submission-port N    where submission listens, with STARTTLS or without TLS (default 1587)
  --submissions-port N   where submission listens with TLS (default 1465)
  --health-port N        where the listeners answer health checks, at /health (default 1081)
  --set NAME:VARIABLE=VALUE
                         sets a variable of a function (its logical id without the suffix) or container, such as
                         WorkersDeliverFunction:POSTERN_DELIVER_LEASE_SECONDS=10; may be given several times
  --verbose              prints what the functions log
  --help                 this text

For tests:
  --endpoint-file FILE   once all is ready, writes there how to reach the AWS services with all permissions, as JSON
  --faults JSON          rare behaviours of AWS to show (FaultOptions in infra/local/gateway/faults-options.ts)

It listens on 127.0.0.1 and ::1. Mail to any address stays on this machine.`

requireNode24()
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: join(import.meta.dirname, '..', '.postern') },
    'http-port': { type: 'string', default: '1080' },
    'smtp-port': { type: 'string', default: '1025' },
    'submission-port': { type: 'string', default: '1587' },
    'submissions-port': { type: 'string', default: '1465' },
    'health-port': { type: 'string', default: '1081' },
    set: { type: 'string', multiple: true, default: [] },
    'endpoint-file': { type: 'string' },
    faults: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else {
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  })
}

async function main(): Promise<void> {
  const began = performance.now()
  const options: LocalPosternOptions = {
    directory: values.data,
    httpPort: portOf('--http-port', values['http-port']),
    smtpPort: portOf('--smtp-port', values['smtp-port']),
    submissionPort: portOf('--submission-port', values['submission-port']),
    submissionsPort: portOf('--submissions-port', values['submissions-port']),
    healthPort: portOf('--health-port', values['health-port']),
    addresses: ['127.0.0.1', '::1'],
    environment: environmentOf(values.set),
    ...(values.faults !== undefined && { faults: faultsOf(values.faults) }),
    onLog: (line) => {
      if (values.verbose || /"level":"(error|warn)"|timed out/i.test(line)) console.log(line)
    },
  }
  const postern = await startLocalPostern(options)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void postern.stop().then(() => process.exit(0)))
  }
  console.log(banner(postern, options, performance.now() - began))
  const endpointFile = values['endpoint-file']
  if (endpointFile !== undefined) writeEndpoint(endpointFile, postern)
}

function portOf(option: string, text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new Error(`${option} must be a port from 1 to 65535, not ${text}`)
}

function environmentOf(settings: readonly string[]): Record<string, Record<string, string>> {
  const environment: Record<string, Record<string, string>> = {}
  for (const setting of settings) {
    const { name, variable, value } =
      /^(?<name>\w+):(?<variable>\w+)=(?<value>.*)$/.exec(setting)?.groups ?? {}
    if (name === undefined || variable === undefined || value === undefined) {
      throw new Error(`--set wants NAME:VARIABLE=VALUE, not ${setting}`)
    }
    environment[name] = { ...environment[name], [variable]: value }
  }
  return environment
}

function faultsOf(json: string): NonNullable<LocalPosternOptions['faults']> {
  try {
    return JSON.parse(json)
  } catch {
    throw new Error('--faults wants a JSON object')
  }
}

/** Renamed into place: whoever waits for the file reads all of it. */
function writeEndpoint(file: string, { cloud }: LocalPostern): void {
  const unfinished = `${file}.new`
  writeFileSync(unfinished, JSON.stringify({ ...cloud.clientConfig(), outputs: cloud.outputs }), {
    mode: 0o600,
  })
  renameSync(unfinished, file)
}

function aheadOf({ cloud }: LocalPostern): string {
  const offsetMs = cloud.clock.offsetMs()
  return offsetMs === 0
    ? 'moves it forward, to watch retries'
    : `moved: it is ${formatDuration(offsetMs * 1e6)} ahead`
}

/** The commands know where `npm start` listens by default, and its password. */
function adminHint(httpPort: number): string {
  const url = `http://localhost:${httpPort}`
  const { adminPassword } = localSeed
  return url === LOCAL_URL
    ? `npx postern --help                 password ${adminPassword}`
    : `POSTERN_URL=${url} POSTERN_ADMIN_PASSWORD=${adminPassword} npx postern --help`
}

function banner(postern: LocalPostern, options: LocalPosternOptions, tookMs: number): string {
  const { directory, httpPort, smtpPort, submissionPort, submissionsPort } = options
  const { address, password } = localSeed
  return `
Postern runs on this machine (ready in ${(tookMs / 1000).toFixed(1)} s; data in ${directory})

  webapi    http://localhost:${httpPort}/webapi/v0/   user ${address}, password ${password}
  admin     ${adminHint(httpPort)}
  SMTP      localhost:${smtpPort}                     takes mail for any address
  submit    localhost:${submissionPort}, with TLS :${submissionsPort}     user and password of the webapi
  time      npx postern time +8h               ${aheadOf(postern)}

  curl -u ${address}:${password} http://localhost:${httpPort}/webapi/v0/Send \\
    -H 'Content-Type: application/json' \\
    -d '{"To": [{"Address": "you@example.org"}], "Subject": "Hello", "Text": "It works."}'

  swaks --server localhost:${submissionPort} --tls --auth-user ${address} --auth-password ${password} \\
    --from ${address} --to you@example.org

Set beyond the template:
${postern.settings.map((line) => `  ${line}`).join('\n')}
`
}
