import { readFileSync } from 'node:fs'
import { posix, resolve } from 'node:path'
import { findSources } from './modules.ts'

interface SizeReport {
  /** How many source files were read. */
  readonly files: number
  /** One line each, beginning with the file. */
  readonly violations: readonly string[]
}

const FILE_LINES = 400
const TEST_LINES = 500
/** A deployable's entry only decodes, calls a room and encodes. */
const ENTRY_LINES = 40
const ENTRY = /^functions\/.*\b(handler|main)\.[cm]?[jt]sx?$/
/** Names that say nothing about what a file holds. */
const EMPTY_NAME = /^(index|utils|helpers|types)(\.d)?\.[cm]?[jt]sx?$/

/** Checks the length and the name of every source file below the root. */
export function checkSizes(root: string): SizeReport {
  const files = findSources(root)
  const violations = files.flatMap((path) => [...nameViolation(path), ...lengthViolation(root, path)])
  return { files: files.length, violations: files.length === 0 ? ['no source file was read'] : violations }
}

function nameViolation(path: string): readonly string[] {
  return EMPTY_NAME.test(posix.basename(path)) ? [`${path}  is to be called what it exports`] : []
}

function lengthViolation(root: string, path: string): readonly string[] {
  const lines = readFileSync(resolve(root, path), 'utf8').replace(/\n$/, '').split('\n').length
  const most = mostLines(path)
  return lines > most ? [`${path}  has ${lines} lines, at most ${most} are allowed`] : []
}

function mostLines(path: string): number {
  if (path.startsWith('test/')) return TEST_LINES
  return ENTRY.test(path) ? ENTRY_LINES : FILE_LINES
}
