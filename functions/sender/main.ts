import { pollHints } from '../../shared/adapters/aws/hint-poller.ts'
import { listenHealth } from '../../shared/adapters/net/health-server.ts'
import { everyHour } from '../../shared/adapters/system/every-hour.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { refreshPolicies } from '../../shared/mta-sts/refresh-policies.ts'
import { attempt } from '../../shared/queue/attempt.ts'
import { requiredSetting, senderSettings } from '../../shared/runtime/settings.ts'
import { senderPorts } from './ports.ts'

/** So many messages, with those that go along, are in memory at a time. */
const MOST_AT_A_TIME = 100

const settings = senderSettings()
const { attempting, refreshing, kept, tlsResults } = senderPorts(settings)
const poller = pollHints({
  queueUrl: requiredSetting('directQueueUrl'),
  follow: (hint) => attempt(attempting, hint),
  most: MOST_AT_A_TIME,
  log,
})
const ending = new AbortController()
const refresh = () => refreshPolicies(refreshing, ending.signal)
void everyHour('refreshing MTA-STS policies', refresh, log, ending.signal)
const endHealth = listenHealth({ ...settings.health, log })

process.once('SIGTERM', async () => {
  endHealth()
  ending.abort()
  // What is not over by then counts as interrupted, and is attempted again when its lease is over.
  if (!(await poller.stop(settings.closingMs))) log.warn('attempts were interrupted')
  await Promise.all([kept.end(), tlsResults.flush()])
  process.exit(0)
})
