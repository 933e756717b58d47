import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Pace, playDialog, readDialog } from './smtp-dialog-file.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/smtp-dialogs')
const FILES = readdirSync(FOLDER).sort()

// How the octets are cut into packets must never matter.
const PACES: readonly Pace[] = ['line by line', 'octet by octet']

for (const file of FILES) {
  const dialogs = readDialog(readFileSync(join(FOLDER, file), 'utf8'))
  for (const dialog of dialogs) {
    for (const pace of PACES.filter((pace) => (dialog.settings.pace ?? pace) === pace)) {
      test(`${file}: ${dialog.title}, ${pace}`, (t) => playDialog(t, dialog, pace))
    }
  }
}

test('there are dialogs', () => assert.ok(FILES.length > 5))
