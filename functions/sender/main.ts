import { pollHints } from '../../shared/adapters/aws/hint-poller.ts'
import { listenHealth } from '../../shared/adapters/net/health-server.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { attempt } from '../../shared/queue/attempt.ts'
import { requiredSetting, senderSettings } from '../../shared/runtime/settings.ts'
import { senderPorts } from './ports.ts'

/** So many messages, with those that go along, are in memory at a time. */
const MOST_AT_A_TIME = 100

const settings = senderSettings()
const ports = senderPorts(settings)
const poller = pollHints({
  queueUrl: requiredSetting('directQueueUrl'),
  follow: (hint) => attempt(ports, hint),
  most: MOST_AT_A_TIME,
  log,
})
const endHealth = listenHealth({ ...settings.health, log })

process.once('SIGTERM', async () => {
  endHealth()
  // What is not over by then counts as interrupted, and is attempted again when its lease is over.
  if (!(await poller.stop(settings.closingMs))) log.warn('attempts were interrupted')
  process.exit(0)
})
