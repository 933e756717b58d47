import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bundleFunctions } from '../../infra/bundle.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-bundles-'))
let bundles: readonly string[] = []

before(async () => {
  await bundleFunctions(directory)
  bundles = globSync('*/*.mjs', { cwd: directory })
})
after(() => rmSync(directory, { recursive: true, force: true }))

test('every deployable has a bundle', () => {
  const deployables = globSync('*/{handler,main}.ts', {
    cwd: join(import.meta.dirname, '..', '..', 'functions'),
  })
  assert.ok(deployables.length >= 7)
  assert.deepEqual(bundles.map((path) => path.replace('.mjs', '.ts')).sort(), [...deployables].sort())
})

test('no bundle holds a word of local mode: what differs there is configuration that a deployment has too', () => {
  const words =
    /dynoxide|localstack|ASIALOCAL|AKIALOCAL|local[ -]?(mode|cloud|postern)|posternadmin|posternpostern|infra\/local|stand-in/gi
  for (const path of bundles) {
    const found = readFileSync(join(directory, path), 'utf8').match(words)
    assert.deepEqual(found ?? [], [], path)
  }
})

test('the webapi bundle has at most 1.2 MB', () => {
  const size = readFileSync(join(directory, 'webapi', 'handler.mjs')).length
  assert.ok(size <= 1_200_000, `${size} bytes`)
})
