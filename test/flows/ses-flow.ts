import { freshAccount, freshOptions } from '../../shared/account/options.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import type { Table } from '../../shared/adapters/aws/dynamo.ts'
import { dynamoNoticeStore } from '../../shared/adapters/aws/notice-store.ts'
import { dynamoQueueStore } from '../../shared/adapters/aws/queue-store.ts'
import { dynamoSesEventStore } from '../../shared/adapters/aws/ses-event-store.ts'
import { dynamoSuppressionStore } from '../../shared/adapters/aws/suppression-store.ts'
import { systemClock } from '../../shared/adapters/system/clock.ts'
import type { HintChannel } from '../../shared/attempts/hint-channel.ts'
import type { Clock } from '../../shared/base/clock.ts'
import type { Log } from '../../shared/base/log.ts'

export const SES_ACCOUNT = 'shop.eu'

const refuse = async (): Promise<never> => {
  throw new Error('this test needs none of it')
}
const nobody: HintChannel = { send: async () => {}, depth: async () => 0 }
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** What workers and events need, for one account all of whose mail goes through SES; hints go nowhere. */
export function sesFlowPorts(table: Table, clock: Clock = systemClock) {
  const options = {
    ...freshOptions,
    hostname: 'shop.example',
    accounts: {
      [SES_ACCOUNT]: {
        ...freshAccount,
        keepRetiredMessagesMs: 86_400_000,
        outgoingWebhook: {
          url: 'https://hooks.example/',
          authorization: '',
          events: [],
          keepsEveryEvent: true,
        },
      },
    },
    transports: { ses: { kind: 'ses' as const } },
    routes: [{ fromDomains: [], toDomains: [], minimumAttempts: 0, transport: 'ses' }],
  }
  return {
    options: { read: async () => options, readNewest: async () => options, change: refuse },
    queue: dynamoQueueStore(table, clock),
    content: awsContentStore({ table, objects: refuse, clock }),
    suppressions: dynamoSuppressionStore(table),
    notices: dynamoNoticeStore(table, clock),
    events: dynamoSesEventStore(table),
    signer: { sign: refuse },
    deliveries: nobody,
    webhooks: nobody,
    clock,
    random: table.random,
    log: silent,
    leaseMs: 120_000,
  }
}
