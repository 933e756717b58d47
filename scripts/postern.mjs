#!/usr/bin/env node
// The `postern` command: runs on Node 20 or newer, hands over to scripts/cli/main.ts under Node 24.
import './prepare.mjs'
import { spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const NODE = 24

const isRecent = Number.parseInt(process.versions.node, 10) >= NODE
const node = isRecent ? process.execPath : pathOf('../node_modules/.bin/node')
const child = spawn(node, [pathOf('./cli/main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })

process.on('SIGTERM', (signal) => child.kill(signal))
process.on('SIGHUP', (signal) => child.kill(signal))
// A terminal sends Ctrl-C to both processes; a second one would look like an impatient user.
process.on('SIGINT', (signal) => process.stdin.isTTY || child.kill(signal))

child.on('error', (error) => {
  console.error(`postern cannot start Node ${NODE}: ${error.message}`)
  process.exitCode = 1
})
child.on('exit', (code, signal) => {
  if (signal === null) {
    process.exitCode = code
    return
  }
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})

function pathOf(relative) {
  return fileURLToPath(new URL(relative, import.meta.url))
}
