import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'

/** What `cdk synth` wrote: the template and the files that a deployment would upload. */
export interface Assembly {
  readonly templateText: string
  /** The staged file or directory of an uploaded object, by its key in the bootstrap bucket. */
  readonly assets: ReadonlyMap<string, string>
}

/** Reads one stack of a cloud assembly directory (`cdk.out`). */
export function openAssembly(directory: string, stack: string): Assembly {
  const file = (name: string) => readFileSync(resolve(directory, name), 'utf8')
  const { files } = manifestSchema.parse(JSON.parse(file(`${stack}.assets.json`)))
  const assets = new Map<string, string>()
  for (const { source, destinations } of Object.values(files)) {
    for (const { objectKey } of Object.values(destinations)) {
      assets.set(objectKey, resolve(directory, source.path))
    }
  }
  return { templateText: file(`${stack}.template.json`), assets }
}

const manifestSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
})
