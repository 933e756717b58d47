import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeAuthority, makeCertificate, type TestCertificate } from './certificates.ts'

/** The policy host of a domain on loopback. */
export interface PolicyHost {
  /** `127.0.0.1:port` */
  readonly address: string
  /** A file with the authority of its certificate, for NODE_EXTRA_CA_CERTS. */
  readonly authorityFile: string
}

/** Serves until the test is over; the status is 200 where it is left out. Another certificate may be shown than its own. */
export async function policyHost(
  context: { after(end: () => unknown): void },
  domain: string,
  answer: () => { readonly text: string; readonly status?: number },
  shown?: TestCertificate,
): Promise<PolicyHost> {
  const issuer = await makeAuthority()
  const { pem, privateKey } = shown ?? (await makeCertificate({ issuer, names: [`mta-sts.${domain}`] }))
  const server = createServer({ cert: pem, key: privateKey }, (_, response) => {
    const { text, status = 200 } = answer()
    response.writeHead(status).end(text)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const directory = mkdtempSync(join(tmpdir(), 'postern-policy-'))
  const authorityFile = join(directory, 'authority.pem')
  writeFileSync(authorityFile, issuer.pem)
  context.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, authorityFile }
}
