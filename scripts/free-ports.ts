import { findFreePort } from '../infra/local/free-port.ts'
import type { LocalPorts } from './local-postern.ts'

/** Ports of 127.0.0.1 that nobody listens on at this moment, for a Postern beside others. */
export async function freePorts(): Promise<LocalPorts> {
  return {
    httpPort: await findFreePort('127.0.0.1'),
    smtpPort: await findFreePort('127.0.0.1'),
    submissionPort: await findFreePort('127.0.0.1'),
    submissionsPort: await findFreePort('127.0.0.1'),
    healthPort: await findFreePort('127.0.0.1'),
  }
}
