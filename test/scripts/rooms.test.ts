import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkRooms, type Rooms, readRooms } from '../../scripts/checks/rooms.ts'
import { tempTree } from './temp-tree.ts'

const rooms: Rooms = {
  rooms: {
    base: { imports: [], reason: 'open to all' },
    queue: { imports: ['base'], reason: 'waits' },
    runtime: { imports: [], reason: 'names' },
  },
  libraries: ['zod', 'nodemailer/lib/mime-node'],
}

const clean = {
  'shared/base/clock.ts': 'export const second = 1000\n',
  'shared/queue/queue.ts': "import { second } from '../base/clock.ts'\nexport const delay = second\n",
  'shared/runtime/names.ts': "export const table = 'T'\n",
  'shared/runtime/settings.ts': 'export const environment = process.env\n',
  'shared/adapters/aws/table.ts': "export { delay } from '../../queue/queue.ts'\n",
  'shared/adapters/net/socket.ts': "import { connect } from 'node:net'\nexport const open = connect\n",
  'shared/adapters/system/clock.ts': 'export const now = () => Date.now() + Math.random()\n',
  'functions/deliver/handler.ts': "import '../../shared/adapters/aws/table.ts'\nimport './decode.ts'\n",
  'functions/deliver/decode.ts': 'export {}\n',
  'functions/sweep/handler.ts': 'export {}\n',
  'infra/app.ts': "import '../shared/runtime/names.ts'\nimport '../package.json' with { type: 'json' }\n",
  'infra/local/boot.ts': "import 'node:fs'\nawait import(process.argv[2] ?? '')\n",
  'scripts/start.ts': "import '../infra/local/boot.ts'\nimport '../shared/queue/queue.ts'\n",
  'test/start.test.ts': "import '../scripts/start.ts'\nimport './other.ts'\n",
  'test/other.ts': 'export {}\n',
}

test('a tree that keeps every rule has no violation, and every module of it is read', (t) => {
  const report = checkRooms(tempTree(t, clean), rooms)
  assert.deepEqual(report, { modules: Object.keys(clean).length, violations: [] })
})

const plantedImports = [
  ['a room importing a room that its row does not list', 'shared/base/x.ts', "import '../queue/queue.ts'"],
  ['a type-only import', 'shared/base/x.ts', "import type { A } from '../queue/queue.ts'"],
  ['an inline type import', 'shared/base/x.ts', "export type A = import('../queue/queue.ts').A"],
  ['a re-export', 'shared/base/x.ts', "export { delay } from '../queue/queue.ts'"],
  ['a re-export of everything', 'shared/base/x.ts', "export * from '../queue/queue.ts'"],
  ['a dynamic import', 'shared/base/x.ts', "export const a = await import('../queue/queue.ts')"],
  ['a dynamic import by template', 'shared/base/x.ts', 'export const a = import(`../queue/queue.ts`)'],
  ['a dynamic import in an argument', 'shared/base/x.ts', "f(() => { void import('../queue/queue.ts') })"],
  ['an import of a computed name', 'shared/base/x.ts', 'export const a = (n: string) => import(n)'],
  ['require', 'shared/base/x.ts', "const fs = require('node:fs')"],
  ['an import assignment', 'shared/base/x.ts', "import fs = require('node:fs')"],
  ['a room importing an adapter', 'shared/queue/x.ts', "import '../adapters/aws/table.ts'"],
  ['a room importing a file of no room', 'shared/queue/x.ts', "import '../loose.json'"],
  ['a room importing from the root', 'shared/queue/x.ts', "import '../../package.json'"],
  ['a room importing a function', 'shared/queue/x.ts', "import '../../functions/sweep/handler.ts'"],
  ['a room using files', 'shared/base/x.ts', "import { readFileSync } from 'node:fs'"],
  ['a room using files without node:', 'shared/base/x.ts', "import { readFileSync } from 'fs'"],
  ['a room using an allowed built-in without node:', 'shared/base/x.ts', "import 'crypto'"],
  ['a room using a library that is not listed', 'shared/base/x.ts', "import '@aws-sdk/client-s3'"],
  ['a room using more of a library than is listed', 'shared/base/x.ts', "import 'nodemailer'"],
  ['a library whose name begins like a listed one', 'shared/base/x.ts', "import 'zod-to-anything'"],
  ['an absolute path', 'functions/sweep/x.ts', "import '/functions/deliver/decode.ts'"],
  ['a file URL', 'functions/sweep/x.ts', "import 'file:///functions/deliver/decode.ts'"],
  ['an adapter importing another', 'shared/adapters/net/x.ts', "import '../aws/table.ts'"],
  [
    'an adapter importing a function',
    'shared/adapters/net/x.ts',
    "import '../../../functions/sweep/handler.ts'",
  ],
  ['an adapter importing infra', 'shared/adapters/net/x.ts', "import '../../../infra/app.ts'"],
  ['an adapter importing scripts', 'shared/adapters/net/x.ts', "import '../../../scripts/start.ts'"],
  ['a function importing another', 'functions/sweep/x.ts', "import '../deliver/decode.ts'"],
  ['a function importing infra', 'functions/sweep/x.ts', "import '../../infra/local/boot.ts'"],
  ['a function importing scripts', 'functions/sweep/x.ts', "import '../../scripts/start.ts'"],
  ['infra importing a room', 'infra/x.ts', "import '../shared/base/clock.ts'"],
  ['infra importing settings', 'infra/x.ts', "import '../shared/runtime/settings.ts'"],
  ['infra importing a function', 'infra/x.ts', "import '../functions/sweep/handler.ts'"],
  ['infra/local importing names', 'infra/local/x.ts', "import '../../shared/runtime/names.ts'"],
  ['infra/local importing infra', 'infra/local/x.ts', "import '../app.ts'"],
  ['scripts importing test', 'scripts/x.ts', "import '../test/other.ts'"],
  ['shared importing test', 'shared/queue/x.ts', "import '../../test/other.ts'"],
] as const

for (const [rule, path, line] of plantedImports) {
  test(`refuses ${rule}`, (t) => {
    const { violations } = checkRooms(tempTree(t, { ...clean, [path]: `// first line\n${line}\n` }), rooms)
    assert.equal(violations.length, 1, violations.join('\n'))
    assert.match(violations[0] ?? '', new RegExp(`^${path}:2  imports `))
  })
}

const allowedImports = [
  ['a pure built-in', "import { createHash } from 'node:crypto'"],
  ['a listed library', "import { z } from 'zod'"],
  ['a subpath of a listed library', "import { z } from 'zod/mini'"],
  ['a listed subpath', "import MimeNode from 'nodemailer/lib/mime-node'"],
  ['what only looks like an import in a comment', "// import 'node:fs'\n/* Date.now() */"],
  ['what only looks like an import in a text', "export const a = `import 'node:fs' + Date.now()`"],
  ['a date of a given instant', 'export const a = (at: number) => new Date(at).toISOString()'],
] as const

for (const [rule, line] of allowedImports) {
  test(`lets a room have ${rule}`, (t) => {
    const root = tempTree(t, { ...clean, 'shared/base/x.ts': `${line}\nexport {}\n` })
    assert.deepEqual(checkRooms(root, rooms).violations, [])
  })
}

const plantedAmbient = [
  ['Date.now', 'export const a = Date.now()'],
  ['Date.now', "export const a = Date['now']()"],
  ['Date.now', 'export const a = { clock: Date.now }'],
  ['Date.now', 'export const a = globalThis.Date.now()'],
  ['Date.now', 'export const { now } = Date'],
  ['new Date()', 'export const a = new Date()'],
  ['new Date()', 'export const a = new Date'],
  ['new Date()', 'export const a = Date()'],
  ['Math.random', 'export const a = Math.random()'],
  ['process.env', 'export const a = process.env.HOME'],
  ['process.env', 'export const { env: a } = process'],
] as const

for (const [name, line] of plantedAmbient) {
  for (const path of ['shared/base/x.ts', 'shared/adapters/net/x.ts', 'shared/runtime/x.ts']) {
    test(`refuses ${name} in ${path}: ${line}`, (t) => {
      const { violations } = checkRooms(tempTree(t, { ...clean, [path]: `${line}\n` }), rooms)
      assert.equal(violations.length, 1, violations.join('\n'))
      assert.ok(violations[0]?.startsWith(`${path}:1  uses ${name}: `), violations[0])
    })
  }
}

test('refuses node:process in an adapter, which would bring the environment', (t) => {
  const root = tempTree(t, { ...clean, 'shared/adapters/net/x.ts': "import { env } from 'node:process'\n" })
  assert.match(
    checkRooms(root, rooms).violations.join('\n'),
    /^shared\/adapters\/net\/x\.ts:1 {2}uses node:process/,
  )
})

test('refuses a cycle among files, also one of types only', (t) => {
  const root = tempTree(t, {
    ...clean,
    'shared/base/a.ts': "import type { B } from './b.ts'\nexport type A = B\n",
    'shared/base/b.ts': "import type { C } from './c.ts'\nexport type B = C\n",
    'shared/base/c.ts': "import type { A } from './a.ts'\nexport type C = A\n",
  })
  assert.deepEqual(checkRooms(root, rooms).violations, [
    'shared/base/a.ts  is in a cycle: shared/base/a.ts -> shared/base/b.ts -> shared/base/c.ts -> shared/base/a.ts',
  ])
})

test('refuses a file of shared that lies in no room and no adapter', (t) => {
  const stray = ['shared/loose.ts', 'shared/adapters/loose.ts', 'shared/adapters/disk/x.ts']
  const root = tempTree(t, { ...clean, ...Object.fromEntries(stray.map((path) => [path, 'export {}\n'])) })
  assert.deepEqual(
    checkRooms(root, rooms).violations,
    [...stray].sort().map((path) => `${path}  belongs to no room and no adapter`),
  )
})

const plantedTables: readonly (readonly [string, Rooms['rooms'], string])[] = [
  ['a listed room without a folder', { dsn: { imports: [], reason: 'x' } }, 'room dsn has no folder'],
  [
    'a row that names an unknown room',
    { base: { imports: ['smpt'], reason: 'x' } },
    'room base names unknown room smpt',
  ],
  [
    'rows that form a cycle',
    { base: { imports: ['queue'], reason: 'x' } },
    'rooms in a cycle: base -> queue -> base',
  ],
]

for (const [rule, rows, text] of plantedTables) {
  test(`refuses ${rule}`, (t) => {
    const planted = { ...rooms, rooms: { ...rooms.rooms, ...rows } }
    assert.deepEqual(checkRooms(tempTree(t, clean), planted).violations, [`shared/rooms.json  ${text}`])
  })
}

test('refuses a room that is not listed', (t) => {
  const root = tempTree(t, clean)
  mkdirSync(join(root, 'shared/dsn'))
  assert.deepEqual(checkRooms(root, rooms).violations, ['shared/rooms.json  room dsn is not listed'])
})

test('fails when it read no module', (t) => {
  const root = tempTree(t, { 'shared/rooms.json': '{}' })
  const report = checkRooms(root, { rooms: {}, libraries: [] })
  assert.deepEqual(report, { modules: 0, violations: ['no source file was read'] })
})

test('the table is refused when a row has no reason', (t) => {
  const table = { rooms: { base: { imports: [], reason: '' } }, libraries: [] }
  const root = tempTree(t, { 'shared/rooms.json': JSON.stringify(table) })
  assert.throws(() => readRooms(root), /reason/)
})

test("this repository's own table can be read", () => {
  assert.ok(readRooms(join(import.meta.dirname, '../..')).rooms.base)
})
