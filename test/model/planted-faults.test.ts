import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { plants } from './plants.ts'
import { checkModel, type ModelTable, openModelTable } from './property.ts'

let table: ModelTable
before(async () => {
  table = await openModelTable()
})
after(() => table.close())

for (const plant of plants) {
  for (const seed of [1, 2, 3]) {
    test(`the model notices (seed ${seed}): ${plant.name}`, async () => {
      const { failed } = await checkModel(table, { plant, seed, shrinks: false })
      assert.ok(failed, 'every run agrees with the model, although a fault was planted')
    })
  }
}
