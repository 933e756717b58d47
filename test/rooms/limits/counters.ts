import type { CounterName, CounterStore } from '../../../shared/limits/counter-store.ts'

/** Counters in a map, which a test can read; `operations` names the calls. */
export function testCounters(): CounterStore & {
  readonly counts: Map<string, number>
  readonly operations: string[]
} {
  const counts = new Map<string, number>()
  const operations: string[] = []
  return {
    counts,
    operations,
    async read(names) {
      operations.push(`read ${names.length}`)
      return names.map((name) => counts.get(textOf(name)) ?? 0)
    },
    async sum(subject, since) {
      operations.push('sum')
      const found = [...counts].filter(([name]) => name.startsWith(`${subject}@`))
      return found.reduce((sum, [name, count]) => sum + (Number(name.split('@')[1]) >= since ? count : 0), 0)
    },
    async add(name, amount) {
      operations.push('add')
      counts.set(textOf(name), (counts.get(textOf(name)) ?? 0) + amount)
    },
    async reset(name, count) {
      operations.push('reset')
      if (counts.get(textOf(name)) !== count) return false
      counts.set(textOf(name), 0)
      return true
    },
  }
}

function textOf({ subject, since }: CounterName): string {
  return `${subject}@${since}`
}
