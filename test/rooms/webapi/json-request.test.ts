import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod/mini'
import { ApiError } from '../../../shared/webapi/api-error.ts'
import { list, parseRequest, record, text } from '../../../shared/webapi/json-request.ts'

const schema = record({
  Subject: text,
  To: list(record({ Name: text, Address: text })),
  Flag: z.optional(z.boolean()),
})
const empty = { Subject: '', To: [] }

const accepted: readonly [rule: string, json: string, value: unknown][] = [
  ['absent fields are empty', '{}', empty],
  ['null as the whole document is the empty object', 'null', empty],
  ['null fields are empty', '{"Subject":null,"To":null}', empty],
  [
    'names match without case',
    '{"SUBJECT":"x","to":[{"ADDRESS":"a"}]}',
    { Subject: 'x', To: [{ Name: '', Address: 'a' }] },
  ],
  ['of equal names the last wins', '{"Subject":"x","Subject":"y"}', { ...empty, Subject: 'y' }],
  ['what follows the first value is ignored', '{"Subject":"}{"} trailing {', { ...empty, Subject: '}{' }],
]
for (const [rule, json, value] of accepted) {
  test(rule, () => {
    assert.deepEqual(parseRequest(schema, json), value)
  })
}

const refused: readonly [rule: string, json: string, message: RegExp][] = [
  ['an unknown field is named', '{"Subjct":"x"}', /unknown field Subjct/],
  [
    'an unknown field of a list item is named with its place',
    '{"To":[{},{"Adress":"x"}]}',
    /unknown field To\[1\]\.Adress/,
  ],
  ['a wrong type is named with its place', '{"To":[{"Address":5}]}', /To\[0\]\.Address: /],
  ['a list is no request', '[]', /request: /],
  ['a text is no request', '"x"', /request: /],
  ['text that is no JSON', '{"Subject":', /not JSON/],
  ['nothing', '', /not JSON/],
]
for (const [rule, json, message] of refused) {
  test(`protocol error: ${rule}`, () => {
    assert.throws(
      () => parseRequest(schema, json),
      (error) => error instanceof ApiError && error.code === 'protocol' && message.test(error.message),
    )
  })
}
