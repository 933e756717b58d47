import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Command, InvalidArgumentError } from 'commander'
import { startDynamoEngine } from '../../infra/local/dynamodb/dynamo-engine.ts'
import { requireNode24 } from '../checks/node-version.ts'
import { measureAll } from './list-cost/measure.ts'
import { type Amount, createTable, seed } from './list-cost/seed.ts'

// `npm run bench:lists`: what a page of the queue costs, however long the queue is.

interface Options extends Amount {
  readonly directory: string
}

requireNode24()
const options = new Command('bench:lists')
  .description(
    'Fills a table and says what a page of 100 messages costs in read units; exits 1 beyond the limits.',
  )
  .option('--queued <rows>', 'queued messages', readCount, 1_000_000)
  .option('--retired <rows>', 'retired messages', readCount, 1_000_000)
  .option('--accounts <number>', 'accounts that they are of', readCount, 1_000)
  .option('--directory <path>', 'where the table lies meanwhile, 1.5 KB a row', tmpdir())
  .parse()
  .opts<Options>()
await measure(options)

async function measure(options: Options): Promise<void> {
  const directory = mkdtempSync(join(options.directory, 'postern-lists-'))
  const engine = await startDynamoEngine({ directory, onLog: console.error })
  try {
    const client = new DynamoDBClient({
      endpoint: engine.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    })
    const now = Date.now()
    await createTable(client, 'lists')
    await seed(client, 'lists', options, now, showProgress(options))
    const costs = await measureAll(client, 'lists', { now: () => now }, options)
    for (const { what, cost, most } of costs) {
      const { rows, readUnits, requests, milliseconds } = cost
      const verdict = readUnits <= most ? 'ok  ' : 'FAIL'
      console.log(
        `${verdict} ${what}: ${rows} rows for ${readUnits} read units (at most ${most}), ${requests} requests, ${Math.round(milliseconds)} ms here`,
      )
      if (readUnits > most) process.exitCode = 1
    }
  } finally {
    await engine.stop()
    rmSync(directory, { recursive: true })
  }
}

function showProgress({ queued, retired }: Amount): (rows: number) => void {
  const total = queued + retired
  let shown = 0
  return (rows) => {
    const percent = Math.floor((rows / total) * 100)
    if (percent < shown + 5) return
    shown = percent
    console.error(`${rows} of ${total} rows written`)
  }
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('A count is a whole number from 1.')
  return Number(text)
}
