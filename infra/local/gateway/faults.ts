import type { Ask, JsonAnswer } from './ask-backend.ts'
import { droppedWrites } from './faults-dropped.ts'
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
    /** The logical id of the role that has an access key; without it `droppedWritesOf` matches no role. */
    readonly roleOf?: (accessKeyId: string) => string | undefined
    readonly now: () => number
    readonly onLog: (line: string) => void
  },
): Faults {
  requireValid(options)
  surroundings.onLog(`[faults] ${JSON.stringify(options)}`)
  const aroundDynamo = dynamoFaults(options, surroundings.now)
  const aroundSqs = sqsFaults(options)
  const isDropped = droppedWrites(options, surroundings.roleOf)
  return {
    concern: ({ accessKeyId, service, operation = '' }) =>
      accessKeyId !== surroundings.operatorAccessKeyId &&
      (service === 'dynamodb' || (service === 'sqs' && operation.startsWith('SendMessage'))),
    async around(signed, ask) {
      const { service, operation = '', input = {} } = signed
      if (isDropped(signed)) return { status: 200, body: {} }
      return service === 'sqs'
        ? await aroundSqs(operation, input, ask)
        : await aroundDynamo(operation, input, ask)
    },
  }
}
