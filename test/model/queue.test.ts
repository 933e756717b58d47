import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  checkModel,
  failureText,
  givenSeed,
  MODEL_RUNS,
  type ModelTable,
  openModelTable,
} from './property.ts'

let table: ModelTable
before(async () => {
  table = await openModelTable()
})
after(() => table.close())

test('whatever workers, operators, crashes, hints and bounces do, the queue does what its model says', {
  timeout: 120_000 + MODEL_RUNS * 2_000,
}, async () => {
  const details = await checkModel(table, { shrinks: true, ...givenSeed() })
  assert.ok(!details.failed, failureText(details))
})

test('the model imports nothing of the product', () => {
  for (const file of ['queue-model.ts', 'model-message.ts', 'queue-rules.ts']) {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    const imported = [...text.matchAll(/ from '(.+)'|import\('?(.+)'?\)/g)].map(([, name]) => name)
    for (const name of imported) assert.match(name ?? '', /^\.\/(model-message|queue-rules)\.ts$/, file)
  }
})
