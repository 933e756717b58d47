import { listenSmtp } from '../../shared/adapters/net/smtp-listener.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { receptionHooks } from '../../shared/reception/reception-hooks.ts'
import { listenerSettings } from '../../shared/runtime/settings.ts'
import { receptionPorts } from './ports.ts'

const { listening, reception, closingMs } = listenerSettings()
const ports = receptionPorts()
const hooks = receptionHooks(ports, reception)
const { hostname } = await ports.options.read()
const listener = await listenSmtp({ ...listening, hostname, hooks, log })

process.once('SIGTERM', () => void listener.close(closingMs).then(() => process.exit(0)))
