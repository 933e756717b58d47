import { type Instant, MINUTE } from '../base/clock.ts'
import { type OperationPorts, runOperation } from './run-operation.ts'

/** Longer than the call that begins an operation works on it. */
const LEFT_ALONE_MS = MINUTE
const MOST_LOOKED_AT = 100

/** Goes on with operations that nobody works on: the oldest first, until that time. */
export async function carryOn(ports: OperationPorts, until: Instant): Promise<{ readonly rows: number }> {
  let rows = 0
  const operations = await ports.operations.running(MOST_LOOKED_AT)
  const left = operations.filter(({ movedAt }) => movedAt < ports.clock.now() - LEFT_ALONE_MS)
  for (const operation of left) {
    const after = await runOperation(ports, operation, { rows: Number.POSITIVE_INFINITY, until })
    rows += after.progress.read - operation.progress.read
  }
  return { rows }
}
