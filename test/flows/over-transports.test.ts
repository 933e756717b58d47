import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { eventually } from '../../scripts/eventually.ts'
import { delivered, differences, type Ending, shownElsewhere } from './transport-differences.ts'
import { type Scenario, scenarios } from './transport-scenarios.ts'
import { openWays, type Sent, type Way, type WayName, wayNames } from './transport-ways.ts'
import { PATIENCE, type TransportWorld, transportWorld } from './transport-world.ts'

let ways: readonly Way[] = []
let world: TransportWorld
const ends: (() => unknown)[] = []
/** What was played, and how it has ended. */
const played: { readonly message: Sent; readonly ending: Ending | undefined }[] = []

before(async () => {
  const context = { after: (end: () => unknown) => void ends.push(end) }
  const opened = await openWays(context)
  world = await transportWorld(context, opened)
  ways = opened.all
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

for (const [rule, scenario] of Object.entries(scenarios)) {
  for (const name of scenario.ways ?? wayNames) {
    test(`${name}: ${rule}`, async () => {
      const way = ways.find((each) => each.name === name) ?? assert.fail(name)
      const sent = await scenario.run(world, way)
      const endings = endingsOf(rule, scenario, name)
      await assertEndings(way, scenario, sent, endings)
      played.push(...sent.map((message, place) => ({ message, ending: endings[place] })))
    })
  }
}

function endingsOf(rule: string, scenario: Scenario, name: WayName): readonly Ending[] {
  const { endings = [] } = differences[rule]?.[name] ?? {}
  return scenario.endings.map((usual, place) => ({ ...delivered, ...usual, ...endings[place] }))
}

/** Waits until all is as it should be, or shows what is not. */
async function assertEndings(
  way: Way,
  { contentOf }: Scenario,
  sent: readonly Sent[],
  endings: readonly Ending[],
): Promise<void> {
  const look = async () => await Promise.all(sent.map((each) => world.endingOf(each, way, contentOf)))
  const isTold = () =>
    sent.every((each, place) => isDeepStrictEqual(world.events(each), endings[place]?.events))
  const isSo = async () => isTold() && isDeepStrictEqual(await look(), endings)
  await eventually('the end', isSo, PATIENCE).catch(async () => assert.deepEqual(await look(), endings))
}

test('of what has ended nothing more was told, though SES told everything twice', () => {
  const ended = played.filter(({ ending }) => ending?.state === 'succeeded' || ending?.state === 'failed')
  assert.ok(ended.length > wayNames.length * 10)
  for (const { message, ending } of ended) {
    assert.deepEqual(world.events(message), ending?.events, message.recipient)
  }
})

test('README: the rows of "What differs on SES" are the differences that scenarios show, or other tests', () => {
  const shown = Object.values(differences).flatMap(({ ses }) => (ses?.row === undefined ? [] : [ses.row]))
  assert.deepEqual(
    [...new Set([...shown, ...Object.keys(shownElsewhere)])].sort(),
    [...rowsOfReadme()].sort(),
  )
  for (const path of Object.values(shownElsewhere)) assert.ok(existsSync(path), path)
})

test('each difference is one of a scenario, and of SES only where the README says so', () => {
  const unknown = Object.keys(differences).filter((rule) => !Object.hasOwn(scenarios, rule))
  assert.deepEqual(unknown, [])
  const unsaid = Object.entries(differences).filter(
    ([, { ses }]) => ses !== undefined && ses.row === undefined,
  )
  assert.deepEqual(unsaid, [])
})

/** The first cells of the table, as plain text. */
function rowsOfReadme(): readonly string[] {
  const [, section = ''] = readFileSync('README.md', 'utf8').split('\n## What differs on SES\n')
  const [table = ''] = section.split('\n## ')
  const rows = table.split('\n').filter((line) => /^\| [^|-]/.test(line))
  return rows.flatMap((row) => row.split(' | ')[0]?.replace(/^\| /, '').replaceAll('`', '') ?? [])
}
