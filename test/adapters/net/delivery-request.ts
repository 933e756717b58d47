import type { Relay } from '../../../shared/account/options.ts'
import { parseAddress } from '../../../shared/address/address.ts'
import type { DeliveryOutcome, DeliveryRequest, Transport } from '../../../shared/queue/transport.ts'
import { queuedMessage } from '../../support/queued-message.ts'

/** What an outcome says of its recipient, without what it tells of the attempt. */
export interface Verdict {
  readonly kind: DeliveryOutcome['kind']
  readonly code: number
  readonly enhancedCode: string
  readonly error?: string
}

export const CONTENT = 'Subject: hello\r\n\r\n.one\r\ntwo\r\n'

/** A small message through a relay on 127.0.0.1. */
export function request(
  port: number,
  recipients: readonly string[],
  tls: Relay['tls'] = 'none',
): DeliveryRequest<Relay> {
  return {
    transport: { kind: 'smtp', host: '127.0.0.1', port, tls },
    hostname: 'here.example',
    mailFrom: parseAddress('from@here.example'),
    messages: recipients.map((text) => queuedMessage({ recipient: parseAddress(text) })),
    content: Buffer.from(CONTENT),
    has8bit: false,
    smtputf8: false,
  }
}

/** Delivers, and answers the verdicts alone. */
export async function verdicts(
  transport: Transport<Relay>,
  asked: DeliveryRequest<Relay>,
): Promise<readonly Verdict[]> {
  const outcomes = await transport.deliver(asked)
  return outcomes.map((outcome) => {
    const { kind, code, enhancedCode } = outcome
    return { kind, code, enhancedCode, ...(kind !== 'accepted' && { error: outcome.error }) }
  })
}
