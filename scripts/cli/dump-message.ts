import { writeFile } from 'node:fs/promises'
import { CliError } from './cli-error.ts'
import type { AdminClient } from './client.ts'
import { printable } from './print.ts'
import { rowPath } from './row-path.ts'

/** Writes the content of a queued message to a file, or to standard output. Throws {@link CliError}. */
export async function dumpMessage(client: AdminClient, id: string, output?: string): Promise<void> {
  const content = await client.download(`/queue/${rowPath(id)}/content`)
  if (output === undefined) {
    writeMessage(content)
    return
  }
  try {
    await writeFile(output, content)
  } catch (error) {
    throw new CliError(`cannot write ${output}: ${error instanceof Error ? error.message : error}`)
  }
}

/** Writes a message to standard output, octet by octet unless that is a terminal. */
export function writeMessage(content: Uint8Array): void {
  process.stdout.write(process.stdout.isTTY ? shown(content) : content)
}

/** Whoever wrote the message must not write to the terminal. */
function shown(content: Uint8Array): string {
  const lines = Buffer.from(content).toString().split('\r\n')
  return lines.map(printable).join('\n')
}
