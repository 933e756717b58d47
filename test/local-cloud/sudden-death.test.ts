import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bootLocalCloud } from '../../infra/local/boot.ts'
import { synthDemoApp } from './demo-app.ts'

const directory = mkdtempSync(join(tmpdir(), 'sudden-death-'))
after(() => rmSync(directory, { recursive: true }))

/** The processes whose command line names our temporary directory. */
function processes(): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  return lines.filter((line) => line.includes(directory))
}

test('local cloud: SIGKILL leaves no engine and no task, and the data can be used again', {
  timeout: 20_000,
}, async () => {
  const handler = 'export const handler = async () => null'
  const task = "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1e6)"
  const assembly = synthDemoApp(directory, { api: handler, worker: handler, task })
  const data = join(directory, 'data')
  const script = fileURLToPath(import.meta.resolve('./boot-process.ts'))
  const booted = spawn(process.execPath, [script, assembly, data], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: booted.stdout })) {
    if (line === '[main] up') break
  }
  // Ourselves, the keeper's two shells and cat are not counted on: what matters is that these two are there.
  const running = processes()
  assert.ok(running.some((line) => line.includes('dynoxide --host')))
  assert.ok(running.some((line) => line.includes('--import')))
  booted.kill('SIGKILL')
  while (processes().length > 0) await setTimeout(20)
  const cloud = await bootLocalCloud({
    assembly,
    stack: 'Demo',
    directory: data,
    httpPort: 0,
    addresses: ['127.0.0.1'],
  })
  await cloud.stop()
  assert.deepEqual(processes(), [])
})
