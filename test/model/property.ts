import fc from 'fast-check'
import { DAY } from '../../shared/base/clock.ts'
import { openContract } from '../contracts/dynamodb-contract.ts'
import { type Run, runs } from './moves.ts'
import { type Plant, plant } from './plants.ts'
import { Game } from './play.ts'
import { type CountedTable, World } from './world.ts'

/** Runs that are played unless POSTERN_MODEL_RUNS says otherwise. */
export const MODEL_RUNS = Number(process.env.POSTERN_MODEL_RUNS ?? 60)

/** A table of a running DynamoDB, and how often it was written to. */
export interface ModelTable extends CountedTable {
  close(): Promise<void>
}

interface PropertyOptions {
  readonly plant?: Plant
  readonly seed?: number
  /** Where in the runs of that seed a failure is. */
  readonly path?: string
  /** Whether a failing run is made as short as it can be. */
  readonly shrinks: boolean
}

let accounts = 0

/** Starts a DynamoDB with a table. */
export async function openModelTable(): Promise<ModelTable> {
  const { client, table: name, close } = await openContract()
  let writes = 0
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (request) => {
        if (!/^(Get|BatchGet|Query)/.test(commandName)) writes++
        return await next(request)
      },
    { step: 'initialize' },
  )
  return { client, name, writes: () => writes, close }
}

/** Plays runs until one fails, each with an account of its own. */
export async function checkModel(table: ModelTable, options: PropertyOptions): Promise<fc.RunDetails<[Run]>> {
  const { seed, path, shrinks } = options
  const takeOut = options.plant ? plant(table.client, options.plant) : () => {}
  try {
    return await fc.check(
      fc.asyncProperty(runs, (given) => playRun(table, given, options.plant)),
      {
        numRuns: MODEL_RUNS,
        endOnFailure: !shrinks,
        ...(seed !== undefined && { seed }),
        ...(path !== undefined && { path }),
      },
    )
  } finally {
    takeOut()
  }
}

/** Plays one run; throws where the product differs from the model. */
export async function playRun(table: ModelTable, { seed, moves }: Run, planted?: Plant): Promise<void> {
  const account = `run-${++accounts}`
  // Contents of all accounts are named by ids, which begin with the millisecond: no two runs have one in common, as
  // the clock of a run moves by whole seconds, and for less than a thousand days.
  const at = Date.UTC(2026, 5, 1) + (accounts % 1000) + Math.floor(accounts / 1000) * 1000 * DAY
  await new Game(new World(table, { account, at, seed }, planted)).play(moves)
}

/** What a failure said that repeats it; nothing for runs that nobody has seen. */
export function givenSeed(): Pick<PropertyOptions, 'seed' | 'path'> {
  const { POSTERN_MODEL_SEED: text } = process.env
  if (text === undefined) return {}
  const [, seed, path] = /^(-?\d+)(?::([\d:]+))?$/.exec(text) ?? []
  if (seed === undefined)
    throw new Error('POSTERN_MODEL_SEED is to be a seed, or seed:path as a failure printed it')
  return { seed: Number(seed), ...(path !== undefined && { path }) }
}

/** A run that failed, in lines: the seed that repeats it, its moves, and the difference. */
export function failureText({
  seed,
  counterexamplePath,
  counterexample,
  errorInstance,
}: fc.RunDetails<[Run]>) {
  const moves = counterexample?.[0].moves.map((move) => `  ${JSON.stringify(move)}`) ?? []
  const error = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return [`POSTERN_MODEL_SEED=${seed}:${counterexamplePath} repeats it:`, ...moves, error].join('\n')
}
