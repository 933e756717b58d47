import { Duration } from 'aws-cdk-lib'
import type {
  ContainerDefinition,
  ContainerImage,
  FargateTaskDefinition,
  LogDriver,
} from 'aws-cdk-lib/aws-ecs'

/** Where the validating resolver of a task listens; its containers share the loopback interface. */
export const resolverAddress = { host: '127.0.0.1', port: 5300 } as const

/**
 * AWS's own resolver never says that an answer is authentic (Route 53 Developer Guide, "Enabling DNSSEC validation in
 * Amazon Route 53"), so a task brings its own: unbound, which asks the root servers, validates, and says why an
 * answer is bogus (RFC 8914).
 */
const unboundConfiguration = `
server:
  interface: ${resolverAddress.host}@${resolverAddress.port}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  trust-anchor-file: /usr/share/dnssec-root/trusted-key.key
  harden-dnssec-stripped: yes
  qname-minimisation: yes
  aggressive-nsec: yes
  ede: yes
  val-log-level: 1
  log-servfail: yes
  logfile: ""
  use-syslog: no
  msg-cache-size: 32m
  rrset-cache-size: 64m
  username: unbound
  chroot: ""
`

/** Installs the package of the image's distribution, whose keys the image brings, and becomes the resolver. */
const startCommand = [
  'set -e',
  'apk add --no-cache unbound',
  `cat > /etc/unbound/unbound.conf <<'END'${unboundConfiguration}END`,
  'exec unbound -d -c /etc/unbound/unbound.conf',
].join('\n')

const askForOrg = `
const { Resolver } = require('node:dns').promises
const resolver = new Resolver({ timeout: 3000, tries: 1 })
resolver.setServers(['${resolverAddress.host}:${resolverAddress.port}'])
resolver.resolveNs('org').then(() => process.exit(0), () => process.exit(1))
`

/**
 * Adds the resolver to a task. It is started again by itself when it ends (ECS container restart policy): without
 * it mail is told to come again, which no task need die for.
 */
export function addResolver(
  task: FargateTaskDefinition,
  image: ContainerImage,
  logging: LogDriver,
): ContainerDefinition {
  return task.addContainer('resolver', {
    image,
    command: ['sh', '-c', startCommand],
    essential: false,
    enableRestartPolicy: true,
    restartAttemptPeriod: Duration.seconds(60),
    memoryLimitMiB: 384,
    healthCheck: {
      command: ['CMD', 'node', '-e', askForOrg],
      interval: Duration.seconds(10),
      timeout: Duration.seconds(5),
      retries: 3,
      startPeriod: Duration.seconds(120),
    },
    logging,
  })
}
