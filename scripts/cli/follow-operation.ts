import { setTimeout as sleep } from 'node:timers/promises'
import type { OperationJson } from '../../shared/admin/operations.ts'
import { CliError } from './cli-error.ts'
import type { AdminClient } from './client.ts'
import { progressOf } from './operation-text.ts'

const ASK_EVERY_MS = 1_000
/** What a shell says of a command that Ctrl-C ended. */
const INTERRUPTED = 130

/**
 * Waits for the end of an operation that goes on by itself, and tells on stderr how far it is. Ctrl-C ends the
 * waiting, not the operation. Throws {@link CliError}.
 */
export async function followOperation(client: AdminClient, begun: OperationJson): Promise<OperationJson> {
  if (begun.State !== 'running') return begun
  const leave = () => {
    process.stderr.write(
      `\noperation ${begun.ID} goes on; this stops it: postern operation cancel ${begun.ID}\n`,
    )
    process.exit(INTERRUPTED)
  }
  process.once('SIGINT', leave)
  try {
    return await follow(client, begun)
  } catch (error) {
    if (error instanceof CliError) throw new CliError(`${error.message}; operation ${begun.ID} goes on`)
    throw error
  } finally {
    process.off('SIGINT', leave)
  }
}

async function follow(client: AdminClient, begun: OperationJson): Promise<OperationJson> {
  const { isTTY } = process.stderr
  let operation = begun
  let shown = ''
  while (operation.State === 'running') {
    const line = `operation ${begun.ID}: ${progressOf(operation)} so far`
    // A terminal shows one line that changes; a log gets a line for each change.
    if (line !== shown) process.stderr.write(isTTY ? `\r\x1b[K${line}` : `${line}\n`)
    shown = line
    await sleep(ASK_EVERY_MS)
    operation = await client.get<OperationJson>(`/operations/${begun.ID}`)
  }
  if (isTTY) process.stderr.write('\r\x1b[K')
  return operation
}
