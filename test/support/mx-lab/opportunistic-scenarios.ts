import { lines, opportunistic } from './lines.ts'
import type { MxScenario, MxServer } from './scenario.ts'

const unsigned = { '@': 'unsigned' } as const
const inTheClear = {
  outcomes: [lines.acceptedIn('plain')],
  sessions: ['mx', 'mx MAIL in the clear'],
  remembered: 'plain',
} as const

function failing(tls: NonNullable<MxServer['tls']>, detail: string): MxScenario {
  return {
    rule: `AT-39b: TLS that fails (${tls}) is followed by a session without, and counted`,
    zones: unsigned,
    servers: { mx: { tls } },
    expected: {
      ...inTheClear,
      reports: [`${lines.domain}: 0; ${detail} 1`, `${lines.host}: 0; ${detail} 1`],
    },
  }
}

/** §2.3: where no policy asks for more (RFC 7435). */
export const opportunisticScenarios: readonly MxScenario[] = [
  {
    rule: 'AT-39a: opportunistic TLS takes an untrusted certificate, and is noted for domain and host',
    zones: unsigned,
    expected: opportunistic,
  },
  {
    rule: '§10: opportunistic TLS takes an expired certificate',
    zones: unsigned,
    servers: { mx: { chain: ['trusted, expired', 'trusted authority'] } },
    expected: {
      ...opportunistic,
      reports: [`${lines.domain}: 1; certificate-expired 0`, `${lines.host}: 1`],
    },
  },
  {
    rule: '§10: opportunistic TLS takes a certificate of another host',
    zones: unsigned,
    servers: { mx: { chain: ['trusted, of another name', 'trusted authority'] } },
    expected: {
      ...opportunistic,
      reports: [`${lines.domain}: 1; certificate-host-mismatch 0`, `${lines.host}: 1`],
    },
  },
  {
    rule: '§2.3 row "none, absent": a certificate that WebPKI knows is no verification where none is demanded',
    zones: unsigned,
    servers: { mx: { chain: ['trusted'] } },
    expected: { ...opportunistic, reports: [`${lines.domain}: 1`, `${lines.host}: 1`] },
  },
  failing('alert', 'validation-failure tls-remote-alert-40-handshake-failure'),
  failing('late alert', 'validation-failure tls-remote-alert-116-certificate-required'),
  failing('closes', 'validation-failure connection-closed-during-handshake'),
  failing('no TLS', 'validation-failure tls-record-header-error'),
  failing('refused', 'starttls-not-supported smtp-starttls-reply-code-454'),
  failing('refused for good', 'starttls-not-supported smtp-starttls-reply-code-554'),
  {
    rule: '§2.3: a server without STARTTLS gets the mail in the same session',
    servers: { mx: { tls: 'not offered' } },
    expected: {
      ...inTheClear,
      sessions: ['mx MAIL in the clear'],
      reports: [`${lines.domain}: 0; starttls-not-supported 0`, `${lines.host}: 0; starttls-not-supported 0`],
    },
  },
  {
    rule: 'RFC 5321 §3.2: a server that knows only HELO gets the mail',
    servers: { mx: { tls: 'not offered', replies: { EHLO: '502 5.5.1 what?' } } },
    expected: {
      ...inTheClear,
      sessions: ['mx MAIL in the clear'],
      reports: [`${lines.domain}: 0; starttls-not-supported 0`, `${lines.host}: 0; starttls-not-supported 0`],
    },
  },
  {
    rule: 'AT-39f: TLSA records without DNSSEC count for nothing, and broken TLS is done without',
    zones: unsigned,
    tlsa: { mx: ['3 1 1 foreign'] },
    servers: { mx: { tls: 'alert' } },
    expected: {
      ...inTheClear,
      reports: [`${lines.domain}: 0; ${lines.alert}`, `${lines.host}: 0; ${lines.alert}`],
    },
  },
  {
    rule: 'AT-39c: that a server offers REQUIRETLS is remembered',
    servers: { mx: { extensions: ['REQUIRETLS'] } },
    expected: { ...opportunistic, remembered: 'TLS and REQUIRETLS' },
  },
]
