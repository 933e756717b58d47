import { MINUTE, SECOND } from '../../base/clock.ts'
import type { SessionDialer } from '../../direct/sessions.ts'
import type { ClientLimits } from './client-connection.ts'
import { openSessionOf } from './client-delivery.ts'
import { Dialogue } from './client-dialogue.ts'
import { openClientSession } from './client-session.ts'
import { throughProxy } from './socks-connect.ts'

/** mox's, of which RFC 5321 §4.5.3.2 allows up to ten times as much; after the content half of what it asks for. */
const LIMITS: ClientLimits = {
  connectMs: 30 * SECOND,
  greetingMs: 30 * SECOND,
  handshakeMs: 60 * SECOND,
  inactivityMs: 30 * SECOND,
  contentMs: 5 * MINUTE,
  quitMs: 5 * SECOND,
}

/** Has SMTP sessions over sockets. */
export function smtpDialer(limits: Partial<ClientLimits> = {}): SessionDialer {
  return {
    async open({ proxy, ...request }) {
      const session = await openClientSession({
        ...request,
        limits: { ...LIMITS, ...limits },
        dialogue: new Dialogue(),
        ...(proxy && { connectTo: throughProxy(proxy) }),
      })
      return session.kind === 'open' ? openSessionOf(session) : session
    },
  }
}
