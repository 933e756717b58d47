import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The root of this repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Writes files (path to contents) into a new folder that goes away with the test; returns its path. */
export function tempTree(context: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'postern-tree-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    writeFileSync(join(root, path), contents)
  }
  return root
}

/** Copies a file or folder of this repository to the same place in the tree. */
export function copyIntoTree(root: string, path: string): void {
  cpSync(join(repository, path), join(root, path), { recursive: true })
}
