import type { TestContext } from 'node:test'
import { createSecureContext } from 'node:tls'
import { freshAccount } from '../../../shared/account/options.ts'
import {
  listenSmtp,
  type SmtpListener,
  type SmtpListenerOptions,
} from '../../../shared/adapters/net/smtp-listener.ts'
import type { AuthenticationHooks, SmtpService } from '../../../shared/adapters/net/smtp-service.ts'
import { systemClock } from '../../../shared/adapters/system/clock.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import type { Log, LogFields } from '../../../shared/base/log.ts'
import type { ReceivedMessage } from '../../../shared/reception/receive.ts'
import type { ReceptionHooks } from '../../../shared/reception/reception-hooks.ts'
import type { OpenSubmission, SubmissionHooks } from '../../../shared/submission/submission-hooks.ts'
import { selfSigned } from './self-signed.ts'

export interface Listening {
  readonly listener: SmtpListener
  readonly port: number
  /** What port 25 took. */
  readonly received: ReceivedMessage[]
  /** What the submission ports took. */
  readonly submitted: { readonly submission: OpenSubmission; readonly content: Uint8Array }[]
  /** The texts of the errors that were logged. */
  readonly errors: string[]
  /** The events that were logged as information, with their fields. */
  readonly events: { readonly event: string; readonly fields?: LogFields | undefined }[]
}

interface Wanted extends Partial<Omit<SmtpListenerOptions, 'service'>> {
  readonly kind?: SmtpService['kind']
  readonly hooks?: Partial<ReceptionHooks>
  readonly submissionHooks?: Partial<SubmissionHooks>
}

/** Everybody's one certificate: making one takes a while. */
let identity: ReturnType<typeof selfSigned> | undefined

export const testTls = {
  secureContext() {
    identity ??= selfSigned(['mx.example'])
    return createSecureContext(identity)
  },
}

/** A listener of `mx.example` on 127.0.0.1 that takes everything, with a short delay before its greeting. */
export async function listening(t: Pick<TestContext, 'after'>, wanted: Wanted = {}): Promise<Listening> {
  const { kind = 'smtp', hooks = {}, submissionHooks = {}, ...options } = wanted
  const received: Listening['received'] = []
  const submitted: Listening['submitted'] = []
  const errors: string[] = []
  const events: Listening['events'] = []
  const service: SmtpService =
    kind === 'smtp'
      ? { kind, hooks: receptionOf(received, hooks) }
      : { kind, hooks: submissionOf(submitted, submissionHooks), authentication }
  const listener = await listenSmtp({
    port: 0,
    addresses: ['127.0.0.1'],
    hostname: 'mx.example',
    maxSize: 2_000,
    clock: systemClock,
    log: logOf(errors, events),
    ...(kind === 'submissions' && { tls: testTls }),
    ...options,
    service,
    limits: { greetingDelayMs: 10, ...options.limits },
  })
  t.after(() => listener.close(0))
  return { listener, port: listener.port, received, submitted, errors, events }
}

function receptionOf(received: ReceivedMessage[], hooks: Partial<ReceptionHooks>): ReceptionHooks {
  return {
    mailFrom: async () => undefined,
    rcptTo: async (_transaction, address) =>
      address.localpart === 'nobody'
        ? { code: 550, enhancedCode: '5.1.1', text: 'no such address here' }
        : { account: 'a', address },
    message: async (message) => {
      received.push(message)
      return undefined
    },
    ...hooks,
  }
}

function submissionOf(submitted: Listening['submitted'], hooks: Partial<SubmissionHooks>): SubmissionHooks {
  return {
    mailFrom: async () => undefined,
    rcptTo: async () => undefined,
    message: async (submission, content) => {
      submitted.push({ submission, content })
      return undefined
    },
    ...hooks,
  }
}

/** `PLAIN good` logs in, `PLAIN` asks for the word first, `bad` is refused, `out` ends the connection. */
const authentication: AuthenticationHooks = {
  mechanisms: ({ failures }) => (failures > 1 ? [] : ['PLAIN']),
  async authenticate({ mechanism, initialResponse, challenge }) {
    if (mechanism !== 'PLAIN') return { code: 504, enhancedCode: '5.5.4', text: 'no such mechanism' }
    const word = initialResponse ?? (await challenge('d29yZA=='))
    if (word === 'fault') throw new Error('secret table')
    if (word === 'out') return { code: 421, enhancedCode: '4.7.0', text: 'too many failed logins' }
    if (word !== 'good') return { code: 535, enhancedCode: '5.7.8', text: 'bad user name or password' }
    return { name: 'a', account: freshAccount, address: parseAddress('a@y.example') }
  },
}

function logOf(errors: string[], events: Listening['events']): Log {
  return {
    info: (event, fields) => void events.push({ event, fields }),
    warn() {},
    error: (_event, error) => void errors.push((error as Error).message),
  }
}
