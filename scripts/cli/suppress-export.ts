import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { csvHeading, csvOfSuppression } from '../../shared/suppression/suppression-file.ts'
import type { SuppressionJson } from '../../shared/suppression/wire-suppression.ts'
import { CliError } from './cli-error.ts'
import type { AdminClient } from './client.ts'
import type { Session } from './session.ts'

/** What is exported, how and whither. */
export interface ExportOptions {
  /** All accounts if not given. */
  readonly account?: string
  readonly format: 'csv' | 'json'
  /** A file; standard output if not given. */
  readonly output?: string
}

/** Writes all entries. The file appears, or is replaced, when it is complete; throws {@link CliError}. */
export async function exportSuppressions(session: Session, options: ExportOptions): Promise<void> {
  const { account, format, output } = options
  const pages = pagesOf(await session.client(), account)
  if (output === undefined) {
    await pipeline(textOf(pages, format), process.stdout, { end: false })
    return
  }
  let exported = 0
  const counted = async function* () {
    for await (const page of pages) {
      exported += page.length
      yield page
    }
  }
  await writeFile(output, textOf(counted(), format))
  session.show({ Exported: exported }, `${exported} written to ${output}`)
}

/** A list may be longer than one answer: pages, until one is empty. */
async function* pagesOf(
  client: AdminClient,
  account: string | undefined,
): AsyncGenerator<readonly SuppressionJson[]> {
  const query = new URLSearchParams({ format: 'json', ...(account !== undefined && { account }) })
  for (;;) {
    const page = await client.get<SuppressionJson[]>(`/suppressions/export?${query}`)
    const last = page.at(-1)
    if (!last) return
    yield page
    query.set('after', account === undefined ? `${last.Account}/${last.BaseAddress}` : last.BaseAddress)
  }
}

async function* textOf(
  pages: AsyncIterable<readonly SuppressionJson[]>,
  format: ExportOptions['format'],
): AsyncGenerator<string> {
  if (format === 'csv') {
    yield csvHeading
    for await (const page of pages) yield page.map(csvOfSuppression).join('')
    return
  }
  let before = '['
  for await (const page of pages) {
    yield `${before}\n${page.map((entry) => JSON.stringify(entry)).join(',\n')}`
    before = ','
  }
  yield before === '[' ? '[]\n' : '\n]\n'
}

async function writeFile(path: string, text: AsyncIterable<string>): Promise<void> {
  const partial = `${path}.partial`
  try {
    await pipeline(text, createWriteStream(partial))
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    if (error instanceof CliError) throw error
    throw new CliError(`cannot write ${path}: ${error instanceof Error ? error.message : error}`)
  }
}
