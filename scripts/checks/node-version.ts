const NODE = 24

/** Exits with one sentence when this is an older Node; scripts that were started without npm can meet one. */
export function requireNode24(): void {
  const found = process.versions.node
  if (Number.parseInt(found, 10) >= NODE) return
  console.error(`Postern's scripts need Node ${NODE}; this is Node ${found}: start them with "npm run".`)
  process.exit(1)
}
