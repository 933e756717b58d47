import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { requireNode24 } from './checks/node-version.ts'
import { type LocalPostern, localSeed, startLocalPostern } from './local-postern.ts'

const HELP = `npm start [-- OPTIONS]: runs Postern on this machine, from the template that would be deployed.

  --data DIRECTORY   where it keeps its data (default .postern/)
  --verbose          prints what the functions log
  --help             this text

It listens on 127.0.0.1 and ::1: HTTP on 1080, SMTP on 1025. Mail to any address stays on this machine.`

requireNode24()
const { values } = parseArgs({
  options: { data: { type: 'string' }, verbose: { type: 'boolean' }, help: { type: 'boolean' } },
})
if (values.help) console.log(HELP)
else await main(values.data ?? join(import.meta.dirname, '..', '.postern'), values.verbose ?? false)

async function main(directory: string, verbose: boolean): Promise<void> {
  const began = performance.now()
  const postern = await startLocalPostern({
    directory,
    httpPort: 1080,
    smtpPort: 1025,
    addresses: ['127.0.0.1', '::1'],
    onLog: (line) => {
      if (verbose || /"level":"(error|warn)"|timed out/i.test(line)) console.log(line)
    },
  }).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  })
  console.log(banner(postern, directory, performance.now() - began))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void postern.stop().then(() => process.exit(0)))
  }
}

function banner(postern: LocalPostern, directory: string, tookMs: number): string {
  return `
Postern runs on this machine (ready in ${(tookMs / 1000).toFixed(1)} s; data in ${directory})

  webapi    http://localhost:1080/webapi/v0/   user ${localSeed.address}, password ${localSeed.password}
  admin     npx postern --help                 password ${localSeed.adminPassword}
  SMTP      localhost:1025                     takes mail for any address

  curl -u ${localSeed.address}:${localSeed.password} http://localhost:1080/webapi/v0/Send \\
    -H 'Content-Type: application/json' \\
    -d '{"To": [{"Address": "you@example.org"}], "Subject": "Hello", "Text": "It works."}'

Set beyond the template:
${postern.settings.map((line) => `  ${line}`).join('\n')}
`
}
