// Runs before every npm script, on the Node the owner happens to have (20 or newer) and without dependencies:
// installs what package-lock.json names if node_modules differs, so that the script itself finds Node 24.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const OLDEST_NODE = 20
const NODE = 24

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const nodeMajor = Number.parseInt(process.versions.node, 10)

if (nodeMajor < OLDEST_NODE) {
  stop(`Postern needs Node ${OLDEST_NODE} or newer to install itself; this is Node ${process.versions.node}.`)
}
const reason = reasonToInstall()
if (reason !== undefined) install(reason)
if (nodeMajor < NODE && !existsSync(join(modules, '.bin', 'node'))) {
  stop(`Install Node ${NODE}: npm has none for this platform, and this is Node ${process.versions.node}.`)
}

/** Compares what npm installed with the lock: unlike file times, contents survive a checkout and a manual install. */
function reasonToInstall() {
  const locked = readPackages(join(root, 'package-lock.json'))
  const installed = readPackages(join(modules, '.package-lock.json'))
  // npm writes its own lock last, so that a missing one also tells of an install that was cut off.
  if (installed === undefined) return 'node_modules is missing or incomplete'
  if (locked === undefined) return 'package-lock.json cannot be read'

  const wrong = Object.entries(locked).find(([path, entry]) => {
    const present = installed[path]
    return present === undefined ? isNeeded(path, entry, locked) : !isSame(present, entry)
  })
  if (wrong !== undefined) return `${wrong[0]} is not what package-lock.json names`
  const extra = Object.keys(installed).find((path) => locked[path] === undefined)
  return extra === undefined ? undefined : `${extra} is not in package-lock.json`
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** The empty path is the project itself. Of the optional packages only our own for this platform must be there. */
function isNeeded(path, entry, locked) {
  if (path === '') return false
  if (!entry.optional) return true
  const own = locked['']?.optionalDependencies ?? {}
  const isOwn = Object.hasOwn(own, path.slice('node_modules/'.length))
  return isOwn && fits(entry.os, process.platform) && fits(entry.cpu, process.arch)
}

function fits(allowed, actual) {
  return allowed === undefined || [allowed].flat().includes(actual)
}

function isSame(present, entry) {
  return present.version === entry.version && present.integrity === entry.integrity
}

function install(why) {
  console.log(`Running npm ci: ${why}.`)
  const result = spawnSync('npm', ['ci'], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: pathWithoutModules() },
    shell: process.platform === 'win32',
  })
  if (result.error) stop(`npm cannot be started: ${result.error.message}.`)
  if (result.status !== 0) stop(`npm ci failed (${result.signal ?? `exit code ${result.status}`}).`)
}

/** `npm run` puts node_modules/.bin first; npm must not run on the very Node that it is about to replace. */
function pathWithoutModules() {
  const bin = join(modules, '.bin')
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== bin)
    .join(delimiter)
}

function stop(sentence) {
  console.error(sentence)
  process.exit(1)
}
