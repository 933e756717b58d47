import { secretText } from '../../shared/adapters/aws/secret-text.ts'
import { keepSelfSigned } from '../../shared/certificate/keep-self-signed.ts'
import { type KeyedCertificate, readKeyedCertificate } from '../../shared/certificate/keyed-certificate.ts'
import type { listenerSettings } from '../../shared/runtime/settings.ts'
import type { listenerPorts } from './ports.ts'

/** The operator's certificate, or our own, for the hostname as it is then. */
export function certificateReader(
  ports: ReturnType<typeof listenerPorts>,
  { tlsSecretArn, plaintextOnLoopback }: ReturnType<typeof listenerSettings>,
): () => Promise<KeyedCertificate> {
  if (tlsSecretArn !== undefined) {
    const read = secretText(tlsSecretArn)
    return async () => readKeyedCertificate(await read())
  }
  return async () => {
    const { hostname } = await ports.options.read()
    const isOnlyName = hostname === 'localhost' || !plaintextOnLoopback
    return await keepSelfSigned(ports, isOnlyName ? [hostname] : [hostname, 'localhost'])
  }
}
