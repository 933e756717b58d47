import type { TestContext } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

/** This process trusts the certificate (PEM) until the test ends. */
export function trustCertificate(t: TestContext, certificate: string): void {
  const trusted = getCACertificates()
  setDefaultCACertificates([...trusted, certificate])
  t.after(() => setDefaultCACertificates(trusted))
}
