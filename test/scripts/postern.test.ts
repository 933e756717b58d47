import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { copyIntoTree, tempTree } from './temp-tree.ts'

const OLD_NODE = `data:text/javascript,${encodeURIComponent(
  "if (process.argv[1].endsWith('postern.mjs')) Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } })",
)}`

/** A tree with the command, nothing to install, and a main.ts of the test's own. */
function commandTree(context: TestContext, main: string): string {
  const root = tempTree(context, {
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{ "packages": {} }',
    'node_modules/.package-lock.json': '{ "packages": {} }',
    'node_modules/.bin/.keep': '',
    'scripts/cli/main.ts': main,
  })
  copyIntoTree(root, 'scripts/prepare.mjs')
  copyIntoTree(root, 'scripts/postern.mjs')
  return root
}

test('passes arguments, input, output and the exit code through', (t) => {
  const main = `
    const args: string[] = process.argv.slice(2)
    process.stdin.pipe(process.stdout)
    process.stdin.on('end', () => console.error(JSON.stringify(args)))
    process.exitCode = 7`
  const root = commandTree(t, main)
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/postern.mjs'), 'queue', '--to', 'a b', ''],
    { input: 'typed', encoding: 'utf8' },
  )
  assert.deepEqual(
    { status, stdout, stderr },
    { status: 7, stdout: 'typed', stderr: '["queue","--to","a b",""]\n' },
  )
})

test('an older Node hands over to the Node in node_modules', (t) => {
  const root = commandTree(t, 'console.log(process.argv0)')
  const installed = join(root, 'node_modules/.bin/node')
  symlinkSync(process.execPath, installed)
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', OLD_NODE, join(root, 'scripts/postern.mjs')],
    { encoding: 'utf8' },
  )
  assert.deepEqual({ stdout, stderr }, { stdout: `${installed}\n`, stderr: '' })
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} reaches the command, whose own end is passed on`, async (t) => {
    const main = `
      process.on('${signal}', () => { console.log('heard'); process.exit(3) })
      setInterval(() => {}, 1000)
      console.log('ready')`
    const child = spawn(process.execPath, [join(commandTree(t, main), 'scripts/postern.mjs')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.once('data', () => child.kill(signal))
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
    assert.deepEqual({ output, code }, { output: 'ready\nheard\n', code: 3 })
  })
}

test('a command ended by a signal ends the whole by that signal', async (t) => {
  const root = commandTree(t, "process.kill(process.pid, 'SIGTERM')\nsetInterval(() => {}, 1000)")
  const child = spawn(process.execPath, [join(root, 'scripts/postern.mjs')], { stdio: 'ignore' })
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM'])
})
