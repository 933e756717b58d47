import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod/mini'
import { webapi } from '../../../shared/webapi/api.ts'
import type { WebapiPorts } from '../../../shared/webapi/call-context.ts'
import { parseRequest } from '../../../shared/webapi/json-request.ts'
import { methods } from '../../../shared/webapi/methods.ts'
import { openApiDocument } from '../../../shared/webapi/openapi.ts'

type Json = Record<string, unknown>

const document = openApiDocument() as Json & {
  readonly paths: Record<string, { readonly post: Json }>
  readonly components: { readonly schemas: Record<string, Json> }
}

test('the document is served to everybody', async () => {
  const answer = await webapi({} as WebapiPorts).request('/webapi/v0/openapi.json')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(await answer.json(), JSON.parse(JSON.stringify(document)))
})

test('it is OpenAPI 3.1 with what that demands (OpenAPI 3.1.1 §4.8.1, §4.8.2)', () => {
  const { openapi, info } = document
  assert.match(String(openapi), /^3\.1\.\d+$/)
  const { title, version } = info as Json
  assert.ok(typeof title === 'string' && typeof version === 'string')
})

test('every method is a POST with a unique operationId, request and answers', () => {
  assert.deepEqual(
    Object.keys(document.paths),
    Object.keys(methods).map((name) => `/${name}`),
  )
  for (const [path, { post }] of Object.entries(document.paths)) {
    assert.equal(`/${post.operationId}`, path)
    const { content } = post.requestBody as { content: Json }
    assert.deepEqual(Object.keys(content), [
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ])
    assert.deepEqual(Object.keys(post.responses as Json), ['200', '303', '400', '401', '429'])
    for (const response of Object.values(post.responses as Json)) {
      assert.equal(typeof (response as Json).description, 'string', path)
    }
  }
})

test('Send says what its header field Idempotency-Key does', () => {
  const [parameter] = (document.paths['/Send']?.post.parameters ?? []) as Json[]
  assert.deepEqual([parameter?.name, parameter?.in], ['Idempotency-Key', 'header'])
})

test('every reference leads to a schema, and every schema is referred to', () => {
  const text = JSON.stringify(document)
  const targets = new Set([...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, target = '']) => target))
  const schemas = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
  assert.deepEqual([...targets].sort(), schemas.sort())
  assert.doesNotMatch(text, /"\$(?:schema|id|defs)"/)
})

test('names of components are such as OpenAPI allows (OpenAPI 3.1.1 §4.8.7.1)', () => {
  for (const name of Object.keys(document.components.schemas)) assert.match(name, /^[a-zA-Z0-9._-]+$/)
})

test('no field of a request is required, and no others are taken', () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (!name.endsWith('Request')) continue
    assert.deepEqual([schema.required, schema.additionalProperties], [undefined, false], name)
  }
})

test('a structure is made of structures', () => {
  const { properties } = document.components.schemas.Structure as { properties: Record<string, Json> }
  assert.deepEqual(properties.Parts, { type: 'array', items: { $ref: '#/components/schemas/Structure' } })
})

test('files may be uploaded with Send, and with nothing else', () => {
  for (const [name, { uploads = [] }] of Object.entries(methods)) {
    const { post } = document.paths[`/${name}`] ?? assert.fail(name)
    const { content } = post.requestBody as { content: Json }
    const { schema } = content['multipart/form-data'] as { schema: { properties: Json } }
    assert.deepEqual(Object.keys(schema.properties), ['request', ...uploads])
  }
  assert.deepEqual(methods.Send?.uploads, ['alternativefile', 'inlinefile', 'attachedfile'])
})

test('every example is what its schema describes', () => {
  for (const [name, { request, exampleRequest, returns }] of Object.entries(methods)) {
    assert.ok(parseRequest(request, JSON.stringify(exampleRequest)), name)
    if (returns.kind === 'json')
      assert.deepEqual(z.parse(returns.result, returns.example), returns.example, name)
  }
})
