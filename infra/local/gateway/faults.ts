import type { Ask, JsonAnswer } from './ask-backend.ts'
import { dynamoFaults } from './faults-dynamodb.ts'
import { type FaultOptions, requireValid } from './faults-options.ts'
import { sqsFaults } from './faults-sqs.ts'
import type { SignedRequest } from './signed-request.ts'

/** What comes between a caller and a service. */
export interface Faults {
  /** Whether a call may meet a fault; all others are to be passed on as ever. */
  concern(signed: SignedRequest): boolean
  /** Answers a call; `reset` stands for a connection reset. */
  around(signed: SignedRequest, ask: Ask): Promise<JsonAnswer | 'reset'>
}

/** Opens fault injection. The operator never meets a fault, so that tests can look at the truth. */
export function openFaults(
  options: FaultOptions,
  surroundings: {
    readonly operatorAccessKeyId: string
    readonly now: () => number
    readonly onLog: (line: string) => void
  },
): Faults {
  requireValid(options)
  surroundings.onLog(`[faults] ${JSON.stringify(options)}`)
  const aroundDynamo = dynamoFaults(options, surroundings.now)
  const aroundSqs = sqsFaults(options)
  return {
    concern: ({ accessKeyId, service, operation = '' }) =>
      accessKeyId !== surroundings.operatorAccessKeyId &&
      (service === 'dynamodb' || (service === 'sqs' && operation.startsWith('SendMessage'))),
    around: ({ service, operation = '', input = {} }, ask) =>
      service === 'sqs' ? aroundSqs(operation, input, ask) : aroundDynamo(operation, input, ask),
  }
}
