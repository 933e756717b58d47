import { GetAccountCommand, SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2'
import type { SesAnswer, SesClient } from '../../ses/ses-client.ts'

/** Less than what a function has; a large message takes some seconds. */
const ANSWERS_WITHIN_MS = 20_000
const CONNECTS_WITHIN_MS = 3_000

/** Errors of which it is sure that nothing was sent. */
const UNREACHED = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'CredentialsProviderError',
])

/**
 * SES through its API v2, with the events that a configuration set hands on. Calls are made once: to repeat SendEmail
 * may send twice, and what comes of that is for the room to decide.
 */
export function awsSesClient(configurationSet: string): SesClient {
  const client = new SESv2Client({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECTS_WITHIN_MS,
      requestTimeout: ANSWERS_WITHIN_MS,
      throwOnRequestTimeout: true,
    },
  })
  return {
    async send({ from, to, content, tags }) {
      try {
        const { MessageId = '' } = await client.send(
          new SendEmailCommand({
            FromEmailAddress: from,
            Destination: { ToAddresses: [to] },
            Content: { Raw: { Data: content } },
            ConfigurationSetName: configurationSet,
            EmailTags: Object.entries(tags).map(([Name, Value]) => ({ Name, Value })),
          }),
        )
        return { kind: 'taken', messageId: MessageId }
      } catch (error) {
        return answerOf(error)
      }
    },

    async quota() {
      const { SendingEnabled, SendQuota } = await client.send(new GetAccountCommand({}))
      return {
        maySend: SendingEnabled ?? false,
        maxSendRate: SendQuota?.MaxSendRate ?? 0,
        max24HourSend: SendQuota?.Max24HourSend ?? 0,
        sentLast24Hours: SendQuota?.SentLast24Hours ?? 0,
      }
    },
  }
}

/** An answer that could not be read says nothing, although it was 200. */
function answerOf(error: unknown): SesAnswer {
  if (!(error instanceof Error)) throw error
  const { name, message } = error
  const { $metadata, code = name } = error as {
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly code?: string
  }
  const status = $metadata?.httpStatusCode ?? 0
  if (status >= 400) return { kind: 'refused', status, name, message }
  const isUnconnected = /without establishing a connection/.test(message)
  return UNREACHED.has(code) || UNREACHED.has(name) || isUnconnected
    ? { kind: 'unreached', error: code }
    : { kind: 'unknown', error: code }
}
