import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { startDynamoEngine } from '../../infra/local/dynamodb/dynamo-engine.ts'
import { measureAll } from '../../scripts/bench/list-cost/measure.ts'
import { createTable, seed } from '../../scripts/bench/list-cost/seed.ts'

test('a page of 100 costs at most 100 read units, over all accounts one more for each', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'lists-'))
  const engine = await startDynamoEngine({ directory, onLog: () => {} })
  context.after(async () => {
    await engine.stop()
    rmSync(directory, { recursive: true })
  })
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const client = new DynamoDBClient({ endpoint: engine.endpoint, region: 'us-east-1', credentials })
  const now = Date.UTC(2026, 5, 1)
  const amount = { queued: 3_000, retired: 3_000, accounts: 10 }
  await createTable(client, 'lists')
  await seed(client, 'lists', amount, now, () => {})
  for (const { what, cost, most } of await measureAll(client, 'lists', { now: () => now }, amount)) {
    assert.equal(cost.rows, 100, what)
    assert.ok(cost.readUnits <= most, `${what}: ${cost.readUnits} read units`)
    // Less would mean that nobody counts: an item costs half a unit at least.
    assert.ok(cost.readUnits >= 50, `${what}: ${cost.readUnits} read units`)
  }
})
