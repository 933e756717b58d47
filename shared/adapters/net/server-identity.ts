import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/**
 * Why a certificate is not one for a host, if so. Names count in the extension only (RFC 8461 §3.3, §4.1); Node would
 * fall back on the subject's common name.
 */
export function whyNotFor(host: string, certificate: PeerCertificate): Error | undefined {
  const { subjectaltname = '' } = certificate
  const hasName = isIP(host) !== 0 || /(?:^|, )DNS:/.test(subjectaltname)
  return checkServerIdentity(host, hasName ? certificate : { ...certificate, subjectaltname: 'DNS:' })
}
