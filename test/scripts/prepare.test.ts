import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyIntoTree, tempTree } from './temp-tree.ts'

const hono = { version: '4.0.0', integrity: 'sha512-hono' }
const ownNode = { version: '24.0.0', integrity: 'sha512-node', optional: true }
const here = { os: [process.platform], cpu: [process.arch] }
const elsewhere = { os: ['sunos'], cpu: ['sparc'] }

/** The packages of a lock with two optional packages of our own, one of them for another platform. */
const locked = {
  '': { optionalDependencies: { 'node-here': '24.0.0', 'node-elsewhere': '24.0.0' } },
  'node_modules/hono': hono,
  'node_modules/node-here': { ...ownNode, ...here },
  'node_modules/node-elsewhere': { ...ownNode, ...elsewhere },
  'node_modules/fsevents': { version: '2.0.0', integrity: 'sha512-fsevents', optional: true },
}
const installed = { 'node_modules/hono': hono, 'node_modules/node-here': { ...ownNode, ...here } }

interface Setup {
  readonly lock?: string
  readonly installed?: object | undefined
  readonly nodeVersion?: string
  readonly npmExitCode?: number
  readonly withNode?: boolean
}

/** Runs prepare.mjs in a tree of its own, with an `npm` that only writes down how it was called. */
function prepare(context: TestContext, setup: Setup) {
  const { nodeVersion = process.versions.node, npmExitCode = 0, withNode = true } = setup
  const tree = {
    'package-lock.json': setup.lock ?? JSON.stringify({ packages: locked }),
    ...(setup.installed && {
      'node_modules/.package-lock.json': JSON.stringify({ packages: setup.installed }),
    }),
    ...(withNode && { 'node_modules/.bin/node': '' }),
  }
  const root = tempTree(context, tree)
  const log = join(root, 'npm.log')
  const npm = `#!/bin/sh\n/bin/echo "$PWD $*" >> ${log}\n/bin/echo "$PATH" >> ${log}\nexit ${npmExitCode}\n`
  const bin = tempTree(context, { npm })
  spawnSync('chmod', ['+x', join(bin, 'npm')])
  copyIntoTree(root, 'scripts/prepare.mjs')

  const version = `Object.defineProperty(process, 'versions', { value: { node: '${nodeVersion}' } })`
  const result = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(version)}`, 'scripts/prepare.mjs'],
    {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: [join(root, 'node_modules/.bin'), bin, dirname(process.execPath)].join(delimiter) },
    },
  )
  const [npmCall, npmPath] = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []
  return { ...result, root, bin, npmCall, npmPath }
}

test('does nothing, silently, when node_modules holds what the lock names', (t) => {
  const { status, stdout, stderr, npmCall } = prepare(t, { installed })
  assert.deepEqual(
    { status, stdout, stderr, npmCall },
    { status: 0, stdout: '', stderr: '', npmCall: undefined },
  )
})

const reasons: readonly (readonly [string, Setup, string])[] = [
  ['node_modules is missing', {}, 'node_modules is missing or incomplete'],
  [
    'a package is missing',
    { installed: { 'node_modules/node-here': installed['node_modules/node-here'] } },
    'node_modules/hono is not what package-lock.json names',
  ],
  [
    'a package has another version',
    { installed: { ...installed, 'node_modules/hono': { ...hono, version: '3.0.0' } } },
    'node_modules/hono is not what package-lock.json names',
  ],
  [
    'a package has other contents',
    { installed: { ...installed, 'node_modules/hono': { ...hono, integrity: 'sha512-other' } } },
    'node_modules/hono is not what package-lock.json names',
  ],
  [
    'an optional package of our own for this platform is missing',
    { installed: { 'node_modules/hono': hono } },
    'node_modules/node-here is not what package-lock.json names',
  ],
  [
    'a package was removed from the lock',
    { installed: { ...installed, 'node_modules/left-pad': hono } },
    'node_modules/left-pad is not in package-lock.json',
  ],
  ['the lock cannot be read', { installed, lock: '<<<<<<< HEAD' }, 'package-lock.json cannot be read'],
]

for (const [rule, setup, reason] of reasons) {
  test(`runs npm ci once, in the root, and says why when ${rule}`, (t) => {
    const { status, stdout, root, npmCall } = prepare(t, setup)
    assert.deepEqual(
      { status, stdout, npmCall },
      { status: 0, stdout: `Running npm ci: ${reason}.\n`, npmCall: `${root} ci` },
    )
  })
}

test('npm does not run on the Node in node_modules that it replaces', (t) => {
  const { bin, npmPath } = prepare(t, {})
  assert.equal(npmPath, [bin, dirname(process.execPath)].join(delimiter))
})

test('fails in one sentence when npm ci fails', (t) => {
  const { status, stderr } = prepare(t, { npmExitCode: 7 })
  assert.deepEqual({ status, stderr }, { status: 1, stderr: 'npm ci failed (exit code 7).\n' })
})

test('refuses a Node older than 20 in one sentence, before anything is installed', (t) => {
  const { status, stderr, npmCall } = prepare(t, { nodeVersion: '18.20.0' })
  assert.equal(status, 1)
  assert.equal(stderr, 'Postern needs Node 20 or newer to install itself; this is Node 18.20.0.\n')
  assert.equal(npmCall, undefined)
})

test('takes Node 20 where npm installed Node 24', (t) => {
  assert.equal(prepare(t, { installed, nodeVersion: '20.20.2' }).status, 0)
})

test('says what to install where npm has no Node 24 and the own one is older', (t) => {
  const { status, stderr } = prepare(t, { installed, nodeVersion: '22.1.0', withNode: false })
  assert.equal(status, 1)
  assert.equal(stderr, 'Install Node 24: npm has none for this platform, and this is Node 22.1.0.\n')
})

test('takes the own Node 24 where npm has none', (t) => {
  assert.equal(prepare(t, { installed, nodeVersion: '24.0.0', withNode: false }).status, 0)
})
