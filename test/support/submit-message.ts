import { systemClock } from '../../shared/adapters/system/clock.ts'
import { parseAddress } from '../../shared/address/address.ts'
import type { MailCommand, RcptCommand } from '../../shared/smtp/commands.ts'
import type { Refusal } from '../../shared/smtp/refusal.ts'
import { submissionHooks } from '../../shared/submission/accept-submissions.ts'
import { sendPorts } from './direct-send.ts'
import type { TestPostern } from './test-postern.ts'

/** What a mail program hands in. */
export interface MailToSubmit {
  /** The user name; each spelling of an address of the seeded account is one. */
  readonly login: string
  readonly mail: Partial<MailCommand>
  readonly recipients: readonly RcptCommand[]
  readonly message: string
}

/**
 * Hands in a message in this process, over the real stores, and passes the hints on; resolves to undefined when it is
 * queued.
 */
export async function submitMessage(
  { table, local }: Pick<TestPostern, 'table' | 'local'>,
  { login, mail, recipients, message }: MailToSubmit,
): Promise<Refusal | undefined> {
  const ports = sendPorts(table, systemClock)
  const account = (await ports.options.readNewest()).accounts.postern
  if (!account) throw new Error('there is no account postern')
  const hooks = submissionHooks(
    {
      ...ports,
      deliveries: {
        depth: async () => 0,
        send: async (hints) => {
          const Records = hints.map((hint, place) => ({
            messageId: String(place),
            body: JSON.stringify(hint),
          }))
          if (Records.length > 0) await local.cloud.invoke('WorkersDeliverFunction', { Records })
        },
      },
      wait: async () => {},
      log: { info: () => {}, warn: () => {}, error: (_event, error) => console.error(error) },
    },
    { simulateFailures: false },
  )
  const submission = {
    login: { name: 'postern', account, address: parseAddress(login) },
    client: { ipAddress: '192.0.2.7', hello: 'laptop.test', protocol: 'ESMTPSA', sessionId: 'session' },
    mail: { body: '7BIT', smtputf8: false, requireTls: false, ...mail } as const,
    recipients,
  }
  const clientGone = new AbortController().signal
  return (
    (await hooks.mailFrom(submission, clientGone)) ??
    (await hooks.message(submission, Buffer.from(message), clientGone))
  )
}
