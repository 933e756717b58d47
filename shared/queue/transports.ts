import type { DirectDelivery, Refusal, Relay, SesDelivery, SocksDelivery } from '../account/options.ts'
import { type DeliveryOutcome, type DeliveryRequest, requestFor, type Transport } from './transport.ts'

/** What a function delivers by; what is left out is not there in this deployment. */
export interface FunctionTransports {
  readonly relay: Transport<Relay>
  readonly ses?: Transport<SesDelivery>
}

/** Hands each message to the transport that its settings name. */
export function functionTransports({ relay, ses }: FunctionTransports): Transport {
  return {
    async deliver(request) {
      const { transport } = request
      switch (transport.kind) {
        case 'smtp':
        case 'submission':
        case 'submissions':
          return await relay.deliver(requestFor(request, transport))
        case 'fail':
          return request.messages.map(() => refused(transport))
        case 'ses':
          return ses ? await ses.deliver(requestFor(request, transport)) : unavailable(request, 'SES')
        case 'direct':
        case 'socks':
          return unavailable(request, 'direct delivery')
      }
    },
  }
}

/** What the sender delivers by; messages of other transports are in the lane of functions. */
export function senderTransports(direct: Transport<DirectDelivery | SocksDelivery>): Transport {
  return {
    async deliver(request) {
      const { transport } = request
      if (transport.kind === 'direct' || transport.kind === 'socks') {
        return await direct.deliver(requestFor(request, transport))
      }
      return unavailable(request, `transport ${transport.kind} in the process that delivers directly`)
    },
  }
}

/** RFC 3463 §3.8, x.7.0: other or undefined security status, as mox says it. */
function refused({ code, message }: Refusal): DeliveryOutcome {
  const kind = code >= 500 ? 'permanent' : 'temporary'
  return {
    kind,
    code,
    enhancedCode: `${Math.floor(code / 100)}.7.0`,
    error: message,
    reply: '',
    isOurs: true,
  }
}

function unavailable({ messages }: DeliveryRequest, what: string): readonly DeliveryOutcome[] {
  const error = `this deployment has no ${what}: the operator must deploy with it, or choose another transport`
  return messages.map(() => ({ kind: 'temporary', code: 0, enhancedCode: '', error, reply: '' }))
}
