/** Who imports whom. Names that are not keys themselves are ignored. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

/** At least one cycle of every knot, each as the names along it with the first repeated at its end. */
export function findCycles(graph: ImportGraph): readonly (readonly string[])[] {
  const cycles: string[][] = []
  const finished = new Set<string>()
  const path: string[] = []

  const visit = (name: string): void => {
    if (finished.has(name)) return
    const start = path.indexOf(name)
    if (start >= 0) {
      cycles.push([...path.slice(start), name])
      return
    }
    path.push(name)
    for (const next of graph.get(name) ?? []) if (graph.has(next)) visit(next)
    path.pop()
    finished.add(name)
  }

  for (const name of graph.keys()) visit(name)
  return cycles
}
