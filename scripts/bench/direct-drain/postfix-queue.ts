import { createTransport } from 'nodemailer'
import { findFreePort } from '../../../infra/local/free-port.ts'
import { inGroups } from '../../../shared/base/in-groups.ts'
import { startPostfix } from '../../labs/postfix-lab.ts'
import type { SmtpSink } from '../../labs/smtp-sink-lab.ts'
import { secondsToTake } from './drain.ts'
import { benchMessage, MAIL_FROM } from './message.ts'

const SESSIONS = 10

/** Puts the messages on hold in a Postfix as Debian configures it, releases them, and says how long they took. */
export async function drainPostfix(sink: SmtpSink, messages: number): Promise<number> {
  const [ipAddress, port] = ['127.0.0.1', await findFreePort('127.0.0.1')]
  const postfix = await startPostfix({
    settings: {
      relayhost: `[127.0.0.1]:${sink.port}`,
      mynetworks: '127.0.0.0/8',
      smtpd_relay_restrictions: 'permit_mynetworks, reject',
      smtpd_data_restrictions: 'check_client_access static:HOLD',
    },
    smtpServices: [{ ipAddress, port, name: 'in' }],
  })
  try {
    await submitAll(port, messages)
    const before = sink.taken()
    const drained = secondsToTake(sink, before, messages)
    const [seconds] = await Promise.all([drained, postfix.release()])
    return seconds
  } finally {
    await postfix.stop()
  }
}

async function submitAll(port: number, messages: number): Promise<void> {
  const pool = createTransport({
    ...{
      host: '127.0.0.1',
      port,
      pool: true,
      maxConnections: SESSIONS,
      maxMessages: Number.POSITIVE_INFINITY,
    },
    ignoreTLS: true,
  })
  const places = Array.from({ length: messages }, (_, place) => place)
  await inGroups(places, SESSIONS * 10, async (place) => {
    const { recipient, content } = benchMessage(place)
    await pool.sendMail({ envelope: { from: MAIL_FROM, to: recipient }, raw: Buffer.from(content) })
  })
  pool.close()
}
