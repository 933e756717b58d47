import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { Template } from 'aws-cdk-lib/assertions'
import { buildApp } from '../../infra/app.ts'

for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name]
// Makes the CDK put findings into the error it throws instead of on the terminal.
process.env.NODE_ENV = 'test'

/** Where assemblies go; it is gone after the tests of a file. */
export const directory = mkdtempSync(join(tmpdir(), 'postern-synth-'))
after(() => rmSync(directory, { recursive: true }))
export const bundles = placeholderBundles()

export const assembly = buildApp({ outdir: join(directory, 'out'), bundles, validate: true }).synth()
export const stack = assembly.getStackByName('Postern')
export const template = Template.fromJSON(stack.template)

export type Resources = Record<string, { readonly Type: string }>

function placeholderBundles(): string {
  const path = join(directory, 'bundles')
  const files = {
    'handler.mjs': ['webapi', 'admin', 'deliver', 'webhook', 'sweep', 'ses-events'],
    'main.mjs': ['listener', 'sender'],
  }
  for (const [file, names] of Object.entries(files)) {
    for (const name of names) {
      mkdirSync(join(path, name), { recursive: true })
      writeFileSync(join(path, name, file), `// ${name}\n`)
    }
  }
  return path
}

/** The properties of all resources of a type whose logical ids begin so; there must be one. */
export function resources(type: string, prefix = '') {
  const found = Object.entries(template.findResources(type)).filter(([id]) => id.startsWith(prefix))
  assert.ok(found.length > 0, `no ${type} ${prefix}`)
  return found.map(([, { Properties }]) => Properties)
}

/** The only element. */
export function one<T>(list: readonly T[]): T {
  const [first, ...others] = list
  assert.ok(first !== undefined && others.length === 0, `one wanted, found ${list.length}`)
  return first
}

/** The containers of the only task. */
export function containers(from: Template) {
  const task = one(Object.values(from.findResources('AWS::ECS::TaskDefinition')))
  return [...task.Properties.ContainerDefinitions]
}

/** The template as it is with this context. */
export function withContext(name: string, context: Readonly<Record<string, string>>): Template {
  process.env.CDK_CONTEXT_JSON = JSON.stringify(context)
  try {
    const app = buildApp({ outdir: join(directory, name), bundles, validate: false })
    return Template.fromJSON(app.synth().getStackByName('Postern').template)
  } finally {
    delete process.env.CDK_CONTEXT_JSON
  }
}

/** The container that runs our code. */
export function listener() {
  return one(containers(template).filter(({ Name }) => Name === 'listener'))
}

/** The queue of that name, not the one of its dead letters. */
export function mainQueue(prefix: string) {
  return one(resources('AWS::SQS::Queue', prefix).filter(({ RedrivePolicy }) => RedrivePolicy !== undefined))
}

/** An ARN or an URL as text; a resource of the stack is `<ConstructPath>`, without the hash of its logical id. */
export function flatten(value: string | Record<string, unknown>): string {
  if (typeof value === 'string') return value
  const [name, of] = one(Object.entries(value))
  if (name === 'Fn::Join' && Array.isArray(of)) return of[1].map(flatten).join(of[0])
  return `<${String(Array.isArray(of) ? of[0] : of).replace(/[0-9A-F]{8}$/, '')}>`
}
