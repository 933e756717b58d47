import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress } from 'node:zlib'
import { freshOptions, type Options } from '../../account/options.ts'
import type { OptionsStore } from '../../account/options-store.ts'
import { type StoredOptions, withDefaults } from '../../account/stored-options.ts'
import { type Clock, DAY, SECOND } from '../../base/clock.ts'
import { type Action, getItem, type Table, transact } from './dynamo.ts'
import { expiresAtSeconds, keys } from './table.ts'

/** How old the options may be that a function works with. */
const FRESH_FOR = 5 * SECOND
/** Earlier versions stay that long, for those who still read them and those who wonder what changed. */
const OLD_VERSIONS_KEPT = 30 * DAY
const MOST_RACES = 50

const compress = promisify(brotliCompress)
const decompress = promisify(brotliDecompress)

/** Options as one compressed snapshot per version, beside the number of the current one. */
export function dynamoOptionsStore(table: Table, clock: Clock): OptionsStore {
  let known: { readonly options: Options; readonly readAt: number } | undefined

  async function readNewest(): Promise<Options> {
    const readAt = clock.now()
    const item = await getItem(table, keys.optionsVersion())
    const version = typeof item?.version === 'number' ? item.version : 0
    const options = known?.options.version === version ? known.options : await readVersion(table, version)
    known = { options, readAt }
    return options
  }

  return {
    readNewest,

    async read() {
      // Nothing is set up yet, but may be any moment, by somebody who wants to see it work.
      if (!known || known.options.version === 0) return await readNewest()
      return clock.now() - known.readAt < FRESH_FOR ? known.options : await readNewest()
    },

    async change(edit) {
      for (let race = 0; race < MOST_RACES; race++) {
        const before = await readNewest()
        const after = { ...edit(before), version: before.version + 1 }
        if ((await transact(table, await versionActions(after, clock))).kind === 'written') {
          known = { options: after, readAt: clock.now() }
          return after
        }
      }
      throw new Error('the options changed faster than they could be written')
    },
  }
}

async function readVersion(table: Table, version: number): Promise<Options> {
  if (version === 0) return freshOptions
  const item = await getItem(table, keys.options(version))
  if (!(item?.snapshot instanceof Uint8Array))
    throw new Error(`the options of version ${version} are missing`)
  return withDefaults(JSON.parse((await decompress(item.snapshot)).toString()) as StoredOptions)
}

/** Writes a version of the options; refused when somebody else wrote that version first. */
export async function versionActions(options: Options, clock: Clock): Promise<readonly Action[]> {
  const { version } = options
  const snapshot = await compress(JSON.stringify(options))
  const changedAt = new Date(clock.now()).toISOString()
  const actions: Action[] = [
    { put: { ...keys.options(version), snapshot, changedAt } },
    {
      change: {
        key: keys.optionsVersion(),
        update: 'SET #version = :version, #changedAt = :changedAt',
        condition: version === 1 ? 'attribute_not_exists(#version)' : '#version = :before',
        values: { version, changedAt, ...(version > 1 && { before: version - 1 }) },
      },
    },
  ]
  if (version > 1) actions.push({ change: expireVersion(version - 1, clock) })
  return actions
}

function expireVersion(version: number, clock: Clock) {
  return {
    key: keys.options(version),
    update: 'SET #expires = :expires',
    condition: 'attribute_exists(#pk)',
    values: { expires: expiresAtSeconds(clock.now() + OLD_VERSIONS_KEPT) },
  }
}
