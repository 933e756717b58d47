import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyIntoTree, repository, tempTree } from './temp-tree.ts'

const clean = {
  '.gitignore': 'node_modules\n',
  'package.json': `${JSON.stringify(
    { name: 'planted', type: 'module', dependencies: { typescript: '*', zod: '*', '@types/node': '*' } },
    null,
    2,
  )}\n`,
  'knip.json': '{ "entry": ["shared/base/clock.ts", "scripts/check.ts"] }\n',
  'shared/rooms.json': `${JSON.stringify({ rooms: { base: { imports: [], reason: 'all' } }, libraries: [] }, null, 2)}\n`,
  'shared/base/clock.ts': 'export const second = 1000\n',
}

/** Runs check.ts over a tree of its own, with this repository's tools and their settings. */
function check(context: TestContext, files: Readonly<Record<string, string>>) {
  const root = tempTree(context, { ...clean, ...files })
  for (const path of ['scripts/check.ts', 'scripts/checks', 'biome.json', 'tsconfig.json']) {
    copyIntoTree(root, path)
  }
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'))
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts/check.ts')], {
    encoding: 'utf8',
  })
  const failed = [...stdout.matchAll(/^FAIL {2}(.*?) {2,}/gm)].map(([, name]) => name)
  return { status, stdout, failed }
}

test('prints one line for each check and nothing else when all is well', (t) => {
  const { status, stdout } = check(t, {})
  const lines = stdout.trimEnd().split('\n')
  const names = lines.map((line) => /^ok {4}(.*?) {2,}\d+\.\d s$/.exec(line)?.[1] ?? line)
  assert.deepEqual(names.sort(), ['lint and format', 'rooms', 'sizes', 'types', 'unused code'])
  assert.equal(status, 0)
})

const planted: readonly (readonly [string, Readonly<Record<string, string>>, string, RegExp])[] = [
  [
    'a wrong type',
    { 'shared/base/clock.ts': "export const second: number = 'one'\n" },
    'types',
    /clock\.ts\(1,14\): error TS2322/,
  ],
  [
    'other formatting',
    { 'shared/base/clock.ts': 'export const second = "one";\n' },
    'lint and format',
    /clock\.ts format/,
  ],
  [
    'what biome only warns of',
    { 'shared/base/clock.ts': 'export function second(unit: string) {\n  const unused = 1\n}\n' },
    'lint and format',
    /noUnusedVariables/,
  ],
  [
    'a file that nothing uses',
    { 'shared/base/random.ts': 'export const bytes = 1\n' },
    'unused code',
    /Unused files .*\n.*shared\/base\/random\.ts/,
  ],
  [
    'an export that nothing uses',
    {
      'shared/base/clock.ts': "import { bytes } from './random.ts'\n\nexport const second = bytes\n",
      'shared/base/random.ts': 'export const bytes = 1\nexport const fraction = 1\n',
    },
    'unused code',
    /Unused exports .*\n.*fraction/,
  ],
  [
    'a dependency that nothing uses',
    { 'package.json': clean['package.json'].replace('"zod"', '"hono": "*",\n    "zod"') },
    'unused code',
    /Unused dependencies .*\n.*hono/,
  ],
  [
    'an import that the rooms forbid',
    {
      'shared/base/clock.ts': "import { readFileSync } from 'node:fs'\n\nexport const read = readFileSync\n",
    },
    'rooms',
    /shared\/base\/clock\.ts:1 {2}imports node:fs/,
  ],
  ['a table of rooms that cannot be read', { 'shared/rooms.json': '[]\n' }, 'rooms', /ZodError/],
  [
    'a file that is too long',
    { 'shared/base/clock.ts': `export const second = 1000\n${'// line\n'.repeat(400)}` },
    'sizes',
    /clock\.ts {2}has 401 lines/,
  ],
]

for (const [rule, files, name, details] of planted) {
  test(`fails and tells what is wrong for ${rule}`, (t) => {
    const { status, stdout, failed } = check(t, files)
    assert.deepEqual({ status, failed }, { status: 1, failed: [name] }, stdout)
    assert.match(stdout, details)
  })
}
