import { readdirSync, readFileSync } from 'node:fs'

/** The program of a task that the local cloud started, as this process's child (proc(5)). */
export interface TaskProcess {
  readonly pid: number
  readonly environment: Readonly<Record<string, string>>
}

/** The one whose environment has that variable; undefined while there is none. */
export function findTaskProcess(variable: string): TaskProcess | undefined {
  for (const pid of childrenOfThis()) {
    const environment = environmentOf(pid)
    if (variable in environment) return { pid, environment }
  }
  return undefined
}

function childrenOfThis(): readonly number[] {
  return readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  )
}

/** Empty for a process that has just ended. */
function environmentOf(pid: number): Record<string, string> {
  try {
    const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return Object.fromEntries(lines.flatMap((line) => (line ? [splitAtFirst(line)] : [])))
  } catch {
    return {}
  }
}

function splitAtFirst(line: string): readonly [string, string] {
  const end = line.indexOf('=')
  return [line.slice(0, end), line.slice(end + 1)]
}
