import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../../../shared/webapi/api-error.ts'
import { readCallBody } from '../../../shared/webapi/call-body.ts'

const form = (parts: readonly string[]) =>
  Buffer.from(`${parts.map((part) => `--b\r\n${part}\r\n`).join('')}--b--\r\n`, 'latin1')

test('JSON is the request itself', () => {
  assert.deepEqual(readCallBody('application/json; charset=utf-8', Buffer.from('{"Text":"ü"}')), {
    json: '{"Text":"ü"}',
    files: [],
  })
})

test('a urlencoded form carries it in the field request', () => {
  const body = Buffer.from('x=1&request=%7B%22Text%22%3A%22a+b%22%7D')
  assert.equal(readCallBody('application/x-www-form-urlencoded', body).json, '{"Text":"a b"}')
})

test('a multipart form carries files beside it, with the fields of their parts (RFC 7578 §4)', () => {
  const body = form([
    'Content-Disposition: form-data; name="request"\r\n\r\n{}',
    'Content-Disposition: form-data; name="inlinefile"; filename="l.png"\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\n\r\n\x89PNG\r\n\x00\xff',
    'Content-Disposition: form-data; name="attachedfile"; filename="m.eml"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--',
  ])
  const { json, files } = readCallBody('multipart/form-data; boundary=b', body)
  assert.equal(json, '{}')
  assert.deepEqual(
    files.map((file) => ({ ...file, data: Buffer.from(file.data).toString('latin1') })),
    [
      {
        field: 'inlinefile',
        name: 'l.png',
        contentType: 'image/png',
        contentId: '<logo>',
        data: '\x89PNG\r\n\x00\xff',
      },
      {
        field: 'attachedfile',
        name: 'm.eml',
        contentType: 'multipart/mixed; boundary=c',
        contentId: '',
        data: '--c\r\n\r\nx\r\n--c--',
      },
    ],
  )
})

const refused: readonly [rule: string, contentType: string, body: string][] = [
  ['another content type', 'text/plain', 'request={}'],
  ['no content type', '', 'request={}'],
  ['a form without the field', 'application/x-www-form-urlencoded', 'x=1'],
  ['an empty field', 'application/x-www-form-urlencoded', 'request='],
  ['a multipart form without boundary', 'multipart/form-data', '--b\r\n\r\n--b--'],
  ['a multipart form without the field', 'multipart/form-data; boundary=b', '--b\r\n\r\nx\r\n--b--'],
]
for (const [rule, contentType, body] of refused) {
  test(`AT-11: protocol error: ${rule}`, () => {
    assert.throws(
      () => readCallBody(contentType, Buffer.from(body)),
      (error) => error instanceof ApiError && error.code === 'protocol',
    )
  })
}
