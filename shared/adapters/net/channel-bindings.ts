import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type ChannelBindings, TLS_EXPORTER, TLS_SERVER_END_POINT } from '../../account/sasl.ts'

/** What a login over this connection can be bound to; the certificate is the server's. */
export function channelBindings(
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
): ChannelBindings {
  const endPoint = certificate && serverEndPoint(certificate)
  return {
    // RFC 9266 §4.2: with TLS 1.2 only after a check that Node does not tell of (RFC 7627).
    ...(socket.getProtocol() === 'TLSv1.3' && {
      [TLS_EXPORTER]: socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)),
    }),
    ...(endPoint && { [TLS_SERVER_END_POINT]: endPoint }),
  }
}

/** RFC 5929 §4.1; undefined where the certificate's signature names no hash. */
function serverEndPoint(certificate: X509Certificate): Buffer | undefined {
  const named = /md5|sha(?:1|256|384|512)(?!\d)/i
    .exec(certificate.signatureAlgorithm ?? '')?.[0]
    .toLowerCase()
  if (!named) return undefined
  const hash = ['md5', 'sha1'].includes(named) ? 'sha256' : named
  return createHash(hash).update(certificate.raw).digest()
}
