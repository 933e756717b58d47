import { listenHealth } from '../../shared/adapters/net/health-server.ts'
import { listenersTls } from '../../shared/adapters/net/listener-tls.ts'
import { smtpAuthentication } from '../../shared/adapters/net/smtp-auth.ts'
import { listenerBounds, listenSmtp } from '../../shared/adapters/net/smtp-listener.ts'
import type { SmtpService } from '../../shared/adapters/net/smtp-service.ts'
import { systemClock as clock } from '../../shared/adapters/system/clock.ts'
import { jsonLog as log } from '../../shared/adapters/system/log.ts'
import { receptionHooks } from '../../shared/reception/reception-hooks.ts'
import { listenerSettings } from '../../shared/runtime/settings.ts'
import { submissionHooks } from '../../shared/submission/accept-submissions.ts'
import { certificateReader } from './certificate.ts'
import { listenerPorts } from './ports.ts'

const settings = listenerSettings()
const ports = listenerPorts()
const { hostname } = await ports.options.read()
const tls = await listenersTls(certificateReader(ports, settings), log)
const common = { ...settings.listening, hostname, bounds: listenerBounds(), clock, log }

const forPrograms = {
  hooks: submissionHooks(ports, settings.reception),
  authentication: smtpAuthentication(ports, settings),
}
const services: readonly SmtpService[] = [
  { kind: 'smtp', hooks: receptionHooks(ports, settings.reception) },
  { kind: 'submission', ...forPrograms },
  { kind: 'submissions', ...forPrograms },
]
const listeners = await Promise.all(
  services.map((service) =>
    listenSmtp({ ...common, service, port: settings.ports[service.kind], tls: tls.forService(service.kind) }),
  ),
)
const endHealth = listenHealth({ ...common, port: settings.ports.health })

process.once('SIGTERM', async () => {
  endHealth()
  await Promise.all(listeners.map((listener) => listener.close(settings.closingMs)))
  process.exit(0)
})
