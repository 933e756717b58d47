import assert from 'node:assert/strict'
import { parseAddress } from '../../../shared/address/address.ts'
import type { NoSession, OpenSession, SessionRequest } from '../../../shared/direct/sessions.ts'
import type { DeliveryRequest, RequestedMessage } from '../../../shared/queue/transport.ts'
import { queuedMessage } from '../../support/queued-message.ts'

/** A session with mx.example on 127.0.0.1, where anything goes unless it is said here. */
export function sessionRequest(port: number, terms: Partial<SessionRequest> = {}): SessionRequest {
  return {
    host: 'mx.example',
    ipAddresses: ['127.0.0.1'],
    port,
    hello: 'here.example',
    tls: 'opportunistic',
    serverName: 'mx.example',
    judge: () => ({ kind: 'accepted' }),
    signal: AbortSignal.timeout(10_000),
    ...terms,
  }
}

/** A small message to be sent directly; recipients are addresses or messages. */
export function directRequest(
  recipients: readonly (string | Partial<RequestedMessage>)[],
  more: Partial<DeliveryRequest> = {},
): DeliveryRequest {
  return {
    transport: { kind: 'direct' },
    hostname: 'here.example',
    mailFrom: parseAddress('from@here.example'),
    messages: recipients.map((each) =>
      queuedMessage(typeof each === 'string' ? { recipient: parseAddress(each) } : each),
    ),
    content: Buffer.from('Subject: hello\r\n\r\none\r\n'),
    has8bit: false,
    smtputf8: false,
    ...more,
  }
}

/** Fails the test where there is none. */
export function assertOpen(session: OpenSession | NoSession): asserts session is OpenSession {
  assert.equal(session.kind, 'open', session.kind === 'failed' ? session.error : '')
}

/** Fails the test where there is one. */
export function assertFailed(session: OpenSession | NoSession): asserts session is NoSession {
  assert.equal(session.kind, 'failed')
}
