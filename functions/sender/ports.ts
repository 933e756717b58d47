import { attemptPorts } from '../../shared/adapters/aws/attempt-ports.ts'
import { dynamoDomainTls } from '../../shared/adapters/aws/domain-tls.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { dynamoPolicyStore } from '../../shared/adapters/aws/policy-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { dynamoTlsResultsStore } from '../../shared/adapters/aws/tls-results-store.ts'
import { dnsConfiguration } from '../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../shared/adapters/net/dns-resolver.ts'
import { policyFetcher } from '../../shared/adapters/net/policy-fetcher.ts'
import { whyNotPublic } from '../../shared/adapters/net/public-address.ts'
import { smtpDialer } from '../../shared/adapters/net/smtp-dialer.ts'
import { systemClock as clock, wait } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { directTransport } from '../../shared/direct/direct-transport.ts'
import { domainPacing } from '../../shared/direct/domain-pacing.ts'
import { KeptSessions } from '../../shared/direct/kept-sessions.ts'
import type { AttemptPorts } from '../../shared/queue/attempt.ts'
import { senderTransports } from '../../shared/queue/transports.ts'
import { withinMemory } from '../../shared/queue/within-memory.ts'
import { dnsSettings, requiredSetting, type senderSettings } from '../../shared/runtime/settings.ts'
import { accumulateTlsResults } from '../../shared/tls-results/accumulate.ts'

/** What the sender reaches, as its task's role allows, to attempt messages and to keep MTA-STS policies fresh. */
export function senderPorts({ destinationPort, anyAddress, leaseMs }: ReturnType<typeof senderSettings>) {
  const table = dynamoTable(requiredSetting('table'), random)
  const system = { clock, random, wait, log }
  const common = attemptPorts(table, lazySecret(requiredSetting('sealingSecretArn'), clock), system)
  const resolver = dnsResolver(dnsConfiguration(dnsSettings()), { clock, random })
  const fetcher = policyFetcher({ resolver })
  const store = dynamoPolicyStore(table, clock, log)
  const kept = new KeptSessions(wait)
  const tlsResults = accumulateTlsResults({ ...system, store: dynamoTlsResultsStore(table) })
  const direct = directTransport({
    ...{ ...system, resolver, fetcher, store, kept, tlsResults, options: common.options },
    dialer: smtpDialer(),
    domainTls: dynamoDomainTls(table, clock, log),
    whyNotReachable: anyAddress ? () => undefined : whyNotPublic,
    port: destinationPort,
  })
  const attempting: AttemptPorts = {
    ...common,
    transport: senderTransports(direct),
    pacing: withinMemory({ ...system, pacing: domainPacing(system) }),
    lane: 'direct',
    leaseMs,
  }
  const refreshing = { ...system, resolver, fetcher, known: store, store }
  return { attempting, refreshing, kept, tlsResults }
}
