import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { resolve } from 'node:path'
import { z } from 'zod'
import { findCycles } from './cycles.ts'
import { type Module, type ModuleImport, readModules } from './modules.ts'

const roomsSchema = z.strictObject({
  rooms: z.record(z.string(), z.strictObject({ imports: z.array(z.string()), reason: z.string().min(1) })),
  libraries: z.array(z.string()),
})

/** The contents of `shared/rooms.json`: which room may import which and why, and the libraries that do no I/O. */
export type Rooms = z.infer<typeof roomsSchema>

interface RoomReport {
  /** How many source files were read. */
  readonly modules: number
  /** One line each, beginning with the file. */
  readonly violations: readonly string[]
}

/** Where a file belongs (`stray`: in shared, but in no room); `group` is the room, the kind of adapter or the deployable. */
interface Place {
  readonly area: 'room' | 'adapter' | 'function' | 'local' | 'infra' | 'script' | 'test' | 'root' | 'stray'
  readonly group: string
}

const ROOMS_FILE = 'shared/rooms.json'
const NAMES_FILE = 'shared/runtime/names.ts'
const SETTINGS_FILE = 'shared/runtime/settings.ts'
const ADAPTERS = ['aws', 'net', 'system']
const PURE_BUILTINS = ['node:buffer', 'node:crypto', 'node:url', 'node:util', 'node:zlib']

/** Reads `shared/rooms.json` below the root; throws a ZodError or SyntaxError when it has another form. */
export function readRooms(root: string): Rooms {
  return roomsSchema.parse(JSON.parse(readFileSync(resolve(root, ROOMS_FILE), 'utf8')))
}

/** Checks who imports whom (ARCHITECTURE.md, "Rooms") in every source file below the root. */
export function checkRooms(root: string, rooms: Rooms): RoomReport {
  const modules = readModules(root)
  // A check that reads nothing passes for ever: a moved folder must not switch it off.
  const nothing = modules.length === 0 ? ['no source file was read'] : []
  const violations = [
    ...nothing,
    ...tableViolations(root, rooms),
    ...modules.flatMap((module) => [...importViolations(module, rooms), ...ambientViolations(module)]),
    ...cycleViolations(modules),
  ]
  return { modules: modules.length, violations }
}

function tableViolations(root: string, rooms: Rooms): readonly string[] {
  const listed = Object.entries(rooms.rooms)
  const folders = readdirSync(resolve(root, 'shared'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'adapters')
    .map((entry) => entry.name)
  const graph = new Map(listed.map(([room, { imports }]) => [room, imports]))
  const unknown = listed.flatMap(([room, { imports }]) =>
    imports.filter((other) => !graph.has(other)).map((other) => `room ${room} names unknown room ${other}`),
  )
  return [
    ...listed.filter(([room]) => !folders.includes(room)).map(([room]) => `room ${room} has no folder`),
    ...folders.filter((folder) => !graph.has(folder)).map((folder) => `room ${folder} is not listed`),
    ...unknown,
    ...findCycles(graph).map((cycle) => `rooms in a cycle: ${cycle.join(' -> ')}`),
  ].map((text) => `${ROOMS_FILE}  ${text}`)
}

function importViolations(module: Module, rooms: Rooms): readonly string[] {
  const from = placeOf(module.path)
  if (from.area === 'stray') return [`${module.path}  belongs to no room and no adapter`]
  return module.imports.flatMap((imported) => {
    const problem =
      imported.target === undefined
        ? packageProblem(from, imported, rooms)
        : fileProblem(from, imported.target, rooms)
    const name = imported.specifier ?? 'a computed name'
    return problem === undefined ? [] : [`${module.path}:${imported.line}  imports ${name}: ${problem}`]
  })
}

function placeOf(path: string): Place {
  const [top = '', second = '', third = '', ...rest] = path.split('/')
  switch (top) {
    case 'shared':
      return sharedPlaceOf(second, third, rest.length > 0)
    case 'functions':
      return { area: 'function', group: second }
    case 'infra':
      return { area: second === 'local' ? 'local' : 'infra', group: '' }
    case 'scripts':
      return { area: 'script', group: '' }
    case 'test':
      return { area: 'test', group: '' }
    default:
      return { area: 'root', group: '' }
  }
}

function sharedPlaceOf(second: string, third: string, isDeeper: boolean): Place {
  if (second === 'adapters') {
    return ADAPTERS.includes(third) && isDeeper
      ? { area: 'adapter', group: third }
      : { area: 'stray', group: '' }
  }
  return third === '' ? { area: 'stray', group: '' } : { area: 'room', group: second }
}

function fileProblem(from: Place, target: string, rooms: Rooms): string | undefined {
  const to = placeOf(target)
  if (to.area === from.area && to.group === from.group) return undefined
  if (to.area === 'test') return 'nobody imports test'
  switch (from.area) {
    case 'room':
      return roomProblem(from.group, to, rooms)
    case 'adapter':
      return to.area === 'room' ? undefined : 'adapters import rooms and their own folder only'
    case 'function':
      return isShared(to) ? undefined : 'functions import shared and their own folder only'
    case 'local':
      return 'infra/local imports infra/local only'
    case 'infra':
      return to.area === 'local' || to.area === 'root' || target === NAMES_FILE
        ? undefined
        : `infra imports infra and ${NAMES_FILE} only`
    default:
      return undefined
  }
}

function roomProblem(room: string, to: Place, rooms: Rooms): string | undefined {
  if (to.area !== 'room') return 'rooms import rooms only'
  const row = rooms.rooms[room]
  return row?.imports.includes(to.group) ? undefined : `room ${room} may not import room ${to.group}`
}

function isShared(place: Place): boolean {
  return place.area === 'room' || place.area === 'adapter'
}

function packageProblem(from: Place, imported: ModuleImport, rooms: Rooms): string | undefined {
  const { specifier } = imported
  if (specifier === undefined) {
    return isShared(from) || from.area === 'function' ? 'what it imports cannot be checked' : undefined
  }
  if (/^([/#]|file:|data:)/.test(specifier)) return 'only relative paths and packages are imported'
  if (from.area !== 'room') return undefined
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    return PURE_BUILTINS.includes(specifier)
      ? undefined
      : `rooms use only ${PURE_BUILTINS.join(', ')} of Node`
  }
  const isPure = rooms.libraries.some(
    (library) => specifier === library || specifier.startsWith(`${library}/`),
  )
  return isPure ? undefined : `not among the libraries of ${ROOMS_FILE}`
}

/** Time, randomness and the environment come by ports, so that tests and the moved local clock decide. */
function ambientViolations(module: Module): readonly string[] {
  const { path } = module
  const place = placeOf(path)
  const mayUse = (place.area === 'adapter' && place.group === 'system') || path === SETTINGS_FILE
  if (!isShared(place) || mayUse) return []
  const processes = module.imports.filter(({ specifier }) => /^(node:)?process$/.test(specifier ?? ''))
  return [...module.ambientUses, ...processes.map(({ line }) => ({ name: 'node:process', line }))].map(
    ({ name, line }) => `${path}:${line}  uses ${name}: only adapters/system and ${SETTINGS_FILE} may`,
  )
}

function cycleViolations(modules: readonly Module[]): readonly string[] {
  const graph = new Map(
    modules.map(({ path, imports }) => [path, imports.flatMap(({ target }) => target ?? [])]),
  )
  return findCycles(graph).map((cycle) => `${cycle[0]}  is in a cycle: ${cycle.join(' -> ')}`)
}
