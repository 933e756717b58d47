import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { dynamoCounterStore } from '../../shared/adapters/aws/counter-store.ts'
import type { Table } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoKeyedSendStore } from '../../shared/adapters/aws/keyed-send-store.ts'
import { dynamoKnownRecipients } from '../../shared/adapters/aws/known-recipients.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import { systemRandom } from '../../shared/adapters/system/random.ts'
import { parseAddress } from '../../shared/address/address.ts'
import type { CallContext } from '../../shared/webapi/call-context.ts'
import { send } from '../../shared/webapi/send.ts'
import { storesOf } from './test-postern.ts'

/** The ports of a Send, as the function builds them, but that no hint is sent. */
export function sendPorts(table: Table, clock = systemClock) {
  const { content, queue } = storesOf(table, clock)
  return {
    content,
    queue,
    keyedSends: dynamoKeyedSendStore(table, clock),
    counters: dynamoCounterStore(table),
    knownRecipients: dynamoKnownRecipients(table, clock),
    options: dynamoOptionsStore(table, clock),
    directory: dynamoAddressDirectory(table),
    deliveries: { send: async () => {}, depth: async () => 0 },
    fromIdSecret: async () => 'a secret of this test',
    clock,
    random: systemRandom,
  }
}

/** Send of the seeded account, run in this process on ports that a test may replace. */
export async function directSend(
  ports: ReturnType<typeof sendPorts>,
  idempotencyKey: string,
  request: unknown,
): Promise<unknown> {
  const options = await ports.options.readNewest()
  const account = options.accounts.postern
  if (!account) throw new Error('there is no account postern')
  const result = await send({
    // What Send does not use of the ports is left out.
    ports: ports as unknown as CallContext['ports'],
    options,
    login: { name: 'postern', account, address: parseAddress('postern@localhost') },
    body: { json: JSON.stringify(request), files: [] },
    idempotencyKey,
  })
  return result.kind === 'json' ? result.value : undefined
}
