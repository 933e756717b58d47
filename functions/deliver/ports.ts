import { attemptPorts } from '../../shared/adapters/aws/attempt-ports.ts'
import { relayTransport } from '../../shared/adapters/net/relay-transport.ts'
import type { AttemptPorts } from '../../shared/queue/attempt.ts'
import { functionTransports } from '../../shared/queue/transports.ts'
import { deliveryQueueUrls, numberSetting } from '../../shared/runtime/settings.ts'

/** What the deliver function reaches, as its role allows. */
export function deliverPorts(): AttemptPorts {
  return {
    ...attemptPorts(),
    transport: functionTransports({ relay: relayTransport() }),
    // Where there is no other worker, it says itself what it cannot do.
    ...(deliveryQueueUrls().direct !== undefined && { lane: 'function' }),
    leaseMs: numberSetting('deliverLeaseSeconds', 120) * 1000,
  }
}
