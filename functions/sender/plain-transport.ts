import { relayTransport } from '../../shared/adapters/net/relay-transport.ts'
import type { Random } from '../../shared/base/random.ts'
import { findHostAddresses } from '../../shared/destination/find-host-addresses.ts'
import { findMailHosts } from '../../shared/destination/find-mail-hosts.ts'
import type { Resolver } from '../../shared/dns/resolver.ts'
import { type DeliveryOutcome, requestFor, type Transport } from '../../shared/queue/transport.ts'

interface PlainTransportPorts {
  readonly resolver: Resolver
  readonly random: Random
  readonly whyNotReachable: (ipAddress: string) => string | undefined
  readonly destinationPort: number
}

/** Delivers to the first mail host that answers, with TLS where it is offered. */
export function plainTransport(ports: PlainTransportPorts): Transport {
  const relay = relayTransport({ inactivityMs: 5 * 60_000, totalMs: 14 * 60_000 })
  return {
    async deliver(request) {
      const domain = request.messages[0]?.recipient.domain ?? ''
      let outcomes = request.messages.map(() => notReached(`no mail host of ${domain} was found`))
      for (const host of await reachable(ports, domain)) {
        const transport = { kind: 'smtp', host, port: ports.destinationPort, tls: 'opportunistic' } as const
        outcomes = [...(await relay.deliver(requestFor(request, transport)))]
        if (outcomes.some(({ remote }) => remote)) break
      }
      return outcomes
    },
  }
}

async function reachable(ports: PlainTransportPorts, domain: string): Promise<readonly string[]> {
  const found = await findMailHosts(ports, domain)
  if (found.kind !== 'found') return []
  const places = await Promise.all(found.hosts.map((host) => findHostAddresses(ports.resolver, host)))
  const addresses = places.flatMap((place) => (place.kind === 'found' ? place.addresses : []))
  return addresses.filter((ipAddress) => ports.whyNotReachable(ipAddress) === undefined)
}

function notReached(error: string): DeliveryOutcome {
  return { kind: 'temporary', code: 0, enhancedCode: '', error, reply: '' }
}
