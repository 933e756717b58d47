import { attemptPorts } from '../../shared/adapters/aws/attempt-ports.ts'
import { lazySecret } from '../../shared/adapters/aws/lazy-secret.ts'
import { dynamoRelayPasswordStore } from '../../shared/adapters/aws/relay-password-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { relayTransport } from '../../shared/adapters/net/relay-transport.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import type { AttemptPorts } from '../../shared/queue/attempt.ts'
import { openedRelayPasswords } from '../../shared/queue/relay-passwords.ts'
import { functionTransports } from '../../shared/queue/transports.ts'
import { withinMemory } from '../../shared/queue/within-memory.ts'
import { deliveryQueueUrls, numberSetting, requiredSetting } from '../../shared/runtime/settings.ts'
import { sesOf } from './ses.ts'

/** What the deliver function reaches, as its role allows. */
export function deliverPorts(): AttemptPorts {
  const table = dynamoTable(requiredSetting('table'), random)
  const sealingSecret = lazySecret(requiredSetting('sealingSecretArn'), clock)
  const passwords = openedRelayPasswords({ relayPasswords: dynamoRelayPasswordStore(table), sealingSecret })
  const ses = sesOf(table, requiredSetting('sesConfigurationSet'))
  return {
    ...attemptPorts(table, sealingSecret, { clock, random, log }),
    transport: functionTransports({ relay: relayTransport({ passwords }), ses: ses.transport }),
    pacing: withinMemory({ clock, random, pacing: ses.pacing }),
    // Where there is no other worker, it says itself what it cannot do.
    ...(deliveryQueueUrls().direct !== undefined && { lane: 'function' }),
    leaseMs: numberSetting('deliverLeaseSeconds', 120) * 1000,
  }
}
