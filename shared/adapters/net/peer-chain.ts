import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/**
 * The certificates (DER) that the server of a TLS connection sent, its own first and the others in the order in which
 * they came, foreign ones among them. To be called once for a connection, after its handshake, and nothing else may ask
 * for the peer's certificate before: Node 24 takes OpenSSL's list apart when it is first read as X509Certificates, and
 * later calls, also of getPeerCertificate, find nothing (nodejs/node#65579). Its `issuerCertificate` then is not the
 * issuer but the next one sent. (getPeerCertificate(true), which Node itself calls for names where it trusts the chain,
 * leaves the list whole, but only tells of the certificates that are issuers of each other.)
 */
export function readPeerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = []
  for (
    let each: X509Certificate | undefined = socket.getPeerX509Certificate();
    each;
    each = each.issuerCertificate
  ) {
    chain.push(new Uint8Array(each.raw))
  }
  return chain
}
