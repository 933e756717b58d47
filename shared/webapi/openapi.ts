import * as z from 'zod/mini'
import { flagsRequest } from './message-changes.ts'
import { messageRequest } from './messages.ts'
import { type MethodEntry, methods } from './methods.ts'
import { summary } from './pages.ts'
import { emptyResult, errorResult, message, messageMeta, structure, submission } from './results.ts'
import { file, nameAddress } from './send-request.ts'

/** Schemas that several places share; all others are named after their method. */
const shared = {
  Error: errorResult,
  Empty: emptyResult,
  NameAddress: nameAddress,
  File: file,
  Submission: submission,
  Message: message,
  Structure: structure,
  MessageMeta: messageMeta,
  MessageRequest: messageRequest,
  FlagsRequest: flagsRequest,
} as const

/** The webapi as an OpenAPI 3.1 document, made of the schemas that requests are checked with. */
export function openApiDocument(): object {
  const registry = namedSchemas()
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: reference, override: withoutPattern })
  const components = Object.entries(schemas).map(([name, { $schema, $id, ...schema }]) => [name, schema])
  return {
    openapi: '3.1.0',
    info: {
      title: 'Postern webapi',
      version: '0',
      description:
        'Field names match without case, null is as good as absent, and unknown fields are errors. Every failed call has status 400.',
    },
    servers: [{ url: '/webapi/v0' }],
    security: [{ basic: [] }],
    paths: Object.fromEntries(
      Object.entries(methods).map(([name, entry]) => [
        `/${name}`,
        { post: operation(name, entry, registry) },
      ]),
    ),
    components: {
      securitySchemes: {
        basic: {
          type: 'http',
          scheme: 'basic',
          description: 'An address of the account, and its password.',
        },
      },
      schemas: Object.fromEntries(components),
    },
  }
}

type Registry = z.core.$ZodRegistry<{ readonly id: string }>

function namedSchemas(): Registry {
  const registry = z.registry<{ readonly id: string }>()
  const name = (id: string, schema: z.core.$ZodType) => {
    if (!registry.has(schema)) registry.add(schema, { id })
  }
  for (const [id, schema] of Object.entries(shared)) name(id, schema)
  for (const [method, { request, returns }] of Object.entries(methods)) {
    name(`${method}Request`, request)
    if (returns.kind === 'json') name(`${method}Result`, returns.result)
  }
  return registry
}

function reference(id: string): string {
  return `#/components/schemas/${id}`
}

/** The format says it; the pattern of a time fills a page. */
function withoutPattern({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
}

function operation(name: string, entry: MethodEntry, registry: Registry): object {
  const { doc, returns, headers = {} } = entry
  return {
    operationId: name,
    summary: summary(doc),
    description: doc,
    ...(Object.keys(headers).length > 0 && { parameters: Object.entries(headers).map(headerParameter) }),
    requestBody: { required: true, content: requestContent(entry, registry) },
    responses: {
      200: {
        description: 'Done.',
        content:
          returns.kind === 'json'
            ? { 'application/json': { schema: refTo(returns.result, registry), example: returns.example } }
            : { [returns.contentType]: {} },
      },
      303: {
        description: 'Done; the answer is too large, and is to be read at Location, without credentials.',
        headers: { Location: { schema: { type: 'string', format: 'uri' } } },
      },
      400: {
        description: 'Not done; Code tells programs why, Message people.',
        content: { 'application/json': { schema: refTo(errorResult, registry) } },
      },
      401: { description: 'The credentials are missing or wrong.', content: { 'text/plain': {} } },
      429: { description: 'Too many failed logins, try again later.', content: { 'text/plain': {} } },
    },
  }
}

function headerParameter([name, description]: readonly [string, string]): object {
  return { name, in: 'header', description, schema: { type: 'string' } }
}

/** JSON, and both kinds of form, whose field `request` holds that JSON. */
function requestContent({ request, exampleRequest, uploads = [] }: MethodEntry, registry: Registry): object {
  const schema = refTo(request, registry)
  const field = { type: 'string', contentMediaType: 'application/json', contentSchema: schema }
  const form = (files: object) => ({
    schema: { type: 'object', properties: { request: field, ...files }, required: ['request'] },
  })
  const parts = { type: 'array', items: { type: 'string', contentMediaType: 'application/octet-stream' } }
  return {
    'application/json': { schema, example: exampleRequest },
    'application/x-www-form-urlencoded': form({}),
    'multipart/form-data': form(Object.fromEntries(uploads.map((upload) => [upload, parts]))),
  }
}

function refTo(schema: z.core.$ZodType, registry: Registry): object {
  return { $ref: reference(registry.get(schema)?.id ?? '') }
}
