import type { FaultOptions } from './faults-options.ts'
import { seededChance } from './faults-random.ts'
import type { SignedRequest } from './signed-request.ts'

/**
 * Says which calls are acknowledged but not done. Only transactions are: their answer says nothing of the items,
 * so that the caller cannot tell.
 */
export function droppedWrites(
  { seed, droppedWrites: share = 0, droppedWritesOf = '' }: FaultOptions,
  roleOf: (accessKeyId: string) => string | undefined = () => undefined,
): (signed: SignedRequest) => boolean {
  const isDropped = seededChance(seed, 'droppedWrites', share)
  return ({ accessKeyId, operation }) =>
    operation === 'TransactWriteItems' &&
    (roleOf(accessKeyId) ?? '').startsWith(droppedWritesOf) &&
    isDropped()
}
