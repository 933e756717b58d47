import { mkdirSync, writeFileSync } from 'node:fs'
import { openApiDocument } from '../shared/webapi/openapi.ts'
import { requireNode24 } from './checks/node-version.ts'

// Writes what `/webapi/v0/openapi.json` serves to dist/openapi.json, for tools that read files.

requireNode24()
const directory = new URL('../dist/', import.meta.url)
mkdirSync(directory, { recursive: true })
writeFileSync(new URL('openapi.json', directory), `${JSON.stringify(openApiDocument(), undefined, 2)}\n`)
console.log('wrote dist/openapi.json')
