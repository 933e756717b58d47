import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { MINUTE } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { KeyedCertificate } from '../../certificate/keyed-certificate.ts'
import type { ListenerTls, SmtpService } from './smtp-service.ts'

const READ_EVERY = 5 * MINUTE

/** How the listeners of a process encrypt. */
export interface ListenersTls {
  forService(kind: SmtpService['kind']): ListenerTls
  /** Reads the certificate again, as happens every few minutes; one that cannot be used leaves the old one in place. */
  reload(): Promise<void>
}

type Contexts = Readonly<Record<'withTickets' | 'withoutTickets', SecureContext>>

/** Reads the certificate, which rejects when it cannot be used, and keeps looking for a new one. */
export async function listenersTls(read: () => Promise<KeyedCertificate>, log: Log): Promise<ListenersTls> {
  let current = await read()
  let contexts = contextsOf(current)
  const reload = async () => {
    try {
      const next = await read()
      if (next.certificate === current.certificate && next.privateKey === current.privateKey) return
      contexts = contextsOf(next)
      current = next
      log.info('certificate changed')
    } catch (error) {
      log.error('the new certificate cannot be used, the old one stays', error)
    }
  }
  setInterval(() => void reload(), READ_EVERY).unref()
  return {
    // Servers that resume a session of port 25 are known to stumble over what has changed since (mox does the same).
    forService: (kind) => ({
      secureContext: () => (kind === 'smtp' ? contexts.withoutTickets : contexts.withTickets),
    }),
    reload,
  }
}

/** RFC 8996: nothing older than TLS 1.2. */
function contextsOf({ certificate, privateKey }: KeyedCertificate): Contexts {
  const options = {
    cert: certificate,
    key: privateKey,
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
  } as const
  return {
    withTickets: createSecureContext(options),
    withoutTickets: createSecureContext({ ...options, secureOptions: constants.SSL_OP_NO_TICKET }),
  }
}
