import { dynamoAddressDirectory } from '../../shared/adapters/aws/address-directory.ts'
import { awsContentStore } from '../../shared/adapters/aws/content-store.ts'
import { sqsHintChannel } from '../../shared/adapters/aws/hint-channel.ts'
import { lazyObjects } from '../../shared/adapters/aws/lazy-objects.ts'
import { dynamoMailboxStore } from '../../shared/adapters/aws/mailbox-store.ts'
import { dynamoOptionsStore } from '../../shared/adapters/aws/options-store.ts'
import { dynamoTable } from '../../shared/adapters/aws/table-client.ts'
import { listenSmtp } from '../../shared/adapters/net/smtp-listener.ts'
import { systemClock as clock, wait } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { systemRandom as random } from '../../shared/adapters/system/random.ts'
import { receptionHooks } from '../../shared/reception/reception-hooks.ts'
import { hasOwnS3Endpoint, listenerSettings, requiredSetting } from '../../shared/runtime/settings.ts'

const table = dynamoTable(requiredSetting('table'), random)
const objects = lazyObjects(requiredSetting('bucket'), hasOwnS3Endpoint())
const options = dynamoOptionsStore(table, clock)
const { listening, reception, closingMs } = listenerSettings()

const ports = {
  options,
  directory: dynamoAddressDirectory(table),
  content: awsContentStore({ table, objects, clock }),
  mailboxes: dynamoMailboxStore(table, clock),
  webhooks: sqsHintChannel(requiredSetting('webhooksQueueUrl'), log),
  clock,
  random,
  wait,
}
const hooks = receptionHooks(ports, reception)
const { hostname } = await options.read()
const listener = await listenSmtp({ ...listening, hostname, hooks, log })

process.once('SIGTERM', () => void listener.close(closingMs).then(() => process.exit(0)))
