import { attemptPorts } from '../../shared/adapters/aws/attempt-ports.ts'
import { dnsConfiguration } from '../../shared/adapters/net/dns-configuration.ts'
import { dnsResolver } from '../../shared/adapters/net/dns-resolver.ts'
import { whyNotPublic } from '../../shared/adapters/net/public-address.ts'
import { systemClock as clock, wait } from '../../shared/adapters/system/clock.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { domainPacing } from '../../shared/direct/domain-pacing.ts'
import type { AttemptPorts } from '../../shared/queue/attempt.ts'
import { dnsSettings, type senderSettings } from '../../shared/runtime/settings.ts'
import { plainTransport } from './plain-transport.ts'

/** What the sender reaches, as its task's role allows. */
export function senderPorts(settings: ReturnType<typeof senderSettings>): AttemptPorts {
  const { destinationPort, anyAddress, leaseMs } = settings
  const resolver = dnsResolver(dnsConfiguration(dnsSettings()), { clock, random })
  const whyNotReachable = anyAddress ? () => undefined : whyNotPublic
  return {
    ...attemptPorts(),
    transport: plainTransport({ resolver, random, whyNotReachable, destinationPort }),
    pacing: domainPacing({ clock, random, wait }),
    lane: 'direct',
    leaseMs,
  }
}
