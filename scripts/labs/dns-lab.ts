import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { Resolver as SystemResolver } from 'node:dns/promises'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment, whyMissing } from './programs.ts'

/**
 * A zone: signed, or not, or with signatures that are wrong; or lame, which makes its server fail. The validating resolver
 * has the keys of those with any.
 */
export interface LabZone {
  /** Lines of a zone file (RFC 1035 §5.1), names relative to the zone; SOA, NS and TTL are there already. */
  readonly records: string
  readonly dnssec: 'signed' | 'unsigned' | 'bogus' | 'lame'
}

/** An authoritative server with the zones, behind a validating resolver on loopback. */
export interface DnsLab {
  readonly port: number
  /** `127.0.0.1:port`, as POSTERN_DNS_SERVERS takes it. */
  readonly address: string
  stop(): Promise<void>
}

const PROGRAMS = ['nsd', 'unbound', 'ldns-keygen', 'ldns-signzone']
const READY_WITHIN_MS = 15_000

/** For the `skip` of tests: what the lab lacks (in Debian: nsd, unbound, ldnsutils). See {@link whyMissing}. */
export function whyNoDnsLab(): string | false {
  return whyMissing(...PROGRAMS)
}

/** Starts the lab, with zones by name; whatever is in none of them does not exist. */
export async function dnsLab(zones: Readonly<Record<string, LabZone>>): Promise<DnsLab> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-dns-'))
  const children: ChildProcess[] = []
  const stop = async () => {
    await Promise.all(children.map(end))
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const ports = { nsd: await freePort(), unbound: await freePort() }
    const keys = Object.entries(zones).map(([origin, zone]) => writeZone(directory, origin, zone))
    writeFileSync(join(directory, 'keys'), keys.join(''))
    const origins = Object.keys(zones)
    writeFileSync(join(directory, 'nsd.conf'), nsdConfiguration(directory, ports.nsd, origins))
    writeFileSync(join(directory, 'unbound.conf'), unboundConfiguration(directory, ports, origins))
    const nsd = start(children, 'nsd', join(directory, 'nsd.conf'))
    const served = origins.filter((origin) => zones[origin]?.dnssec !== 'lame')
    await ready(nsd, ports.nsd, served)
    const unbound = start(children, 'unbound', join(directory, 'unbound.conf'))
    await ready(unbound, ports.unbound, ['nothing.invalid'])
    return { port: ports.unbound, address: `127.0.0.1:${ports.unbound}`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Writes the zone's file; answers the key that vouches for it. */
function writeZone(directory: string, origin: string, { records, dnssec }: LabZone): string {
  // A zone without its file is one that nsd answers SERVFAIL for.
  if (dnssec === 'lame') return ''
  const file = join(directory, origin)
  const head = `$ORIGIN ${origin}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n`
  writeFileSync(file, `${head}${records.replace(/^[ \t]+/gm, '')}\n`)
  if (dnssec === 'unsigned') return ''
  const base = run(
    directory,
    'ldns-keygen',
    '-k',
    '-a',
    'ECDSAP256SHA256',
    '-r',
    '/dev/urandom',
    origin,
  ).trim()
  run(directory, 'ldns-signzone', '-o', origin, '-f', file, file, base)
  if (dnssec === 'bogus') writeFileSync(file, readFileSync(file, 'utf8').split('\n').map(spoilt).join('\n'))
  return readFileSync(join(directory, `${base}.key`), 'utf8')
}

/** Changes the signature of a line, but that of the zone's key. */
function spoilt(line: string): string {
  const [signed, , signature = ''] = /\sRRSIG\s+(?!DNSKEY)(\S.*\s)?(\S{40,})$/.exec(line.trimEnd()) ?? []
  if (signed === undefined) return line
  return line.replace(signature, [...signature.slice(0, 8)].reverse().join('') + signature.slice(8))
}

function nsdConfiguration(directory: string, port: number, origins: readonly string[]): string {
  const server = [
    `ip-address: 127.0.0.1@${port}`,
    'server-count: 1',
    'username: ""',
    'database: ""',
    `zonesdir: "${directory}"`,
    `zonelistfile: "${directory}/zone.list"`,
    `xfrdfile: "${directory}/xfrd.state"`,
    `xfrdir: "${directory}"`,
    `pidfile: "${directory}/nsd.pid"`,
  ]
  const zones = origins.map((origin) => `zone:\n  name: "${origin}"\n  zonefile: "${origin}"\n`)
  return `server:\n  ${server.join('\n  ')}\nremote-control:\n  control-enable: no\n${zones.join('')}`
}

function unboundConfiguration(
  directory: string,
  ports: { readonly nsd: number; readonly unbound: number },
  origins: readonly string[],
): string {
  const server = [
    `interface: 127.0.0.1@${ports.unbound}`,
    'do-ip6: no',
    'num-threads: 1',
    'username: ""',
    'chroot: ""',
    `directory: "${directory}"`,
    'pidfile: ""',
    'use-syslog: no',
    'do-not-query-localhost: no',
    'module-config: "validator iterator"',
    `trust-anchor-file: "${directory}/keys"`,
    // Says why validation failed (RFC 8914).
    'ede: yes',
    'val-log-level: 2',
    'local-zone: "." static',
    ...origins.map((origin) => `local-zone: "${origin}." transparent`),
  ]
  const stubs = origins.map((name) => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${ports.nsd}\n`)
  return `server:\n  ${server.join('\n  ')}\nremote-control:\n  control-enable: no\n${stubs.join('')}`
}

function run(directory: string, program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: directory,
    env: environment,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** A program that was started, and what it has said. */
interface Started {
  readonly program: string
  readonly child: ChildProcess
  readonly output: () => string
}

function start(children: ChildProcess[], program: string, configuration: string): Started {
  const child = spawn(program, ['-d', '-c', configuration], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return { program, child, output: () => output }
}

/** Waits until all these names get an answer, whichever. */
async function ready(
  { program, child, output }: Started,
  port: number,
  names: readonly string[],
): Promise<void> {
  const resolver = new SystemResolver({ timeout: 500, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  const answers = (name: string) =>
    resolver.resolveSoa(name).then(
      () => true,
      ({ code }: NodeJS.ErrnoException) => code === 'ENOTFOUND' || code === 'ENODATA',
    )
  const endsAt = performance.now() + READY_WITHIN_MS
  while (performance.now() < endsAt && child.exitCode === null) {
    if ((await Promise.all(names.map(answers))).every(Boolean)) return
    await sleep(50)
  }
  throw new Error(`${program} does not answer: ${output()}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), 3000)
  await exit
  clearTimeout(kill)
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
