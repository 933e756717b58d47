import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHello } from '../../../shared/smtp/hello.ts'

const rows: readonly (readonly [argument: string, atPort25: boolean, atSubmission: boolean])[] = [
  ['mx.example', true, true],
  ['mx.example.', true, true],
  ['localhost', true, true],
  ['my_machine', true, true],
  ['xn--tda.example', true, true],
  ['[192.0.2.1]', true, true],
  ['[IPv6:2001:db8::1]', true, true],
  ['[2001:db8::1]', false, true],
  ['[192.0.2.1', false, true],
  ['ü.example', false, true],
  ["Anna's Laptop", false, true],
  ['a..example', false, true],
  ['-a.example', false, true],
  ['a'.repeat(255), true, true],
  ['a'.repeat(256), false, false],
  ['', false, false],
]

for (const [argument, atPort25, atSubmission] of rows) {
  test(`EHLO ${argument.slice(0, 30)} (${argument.length} characters) is ${atPort25 ? '' : 'no '}name of a server (RFC 5321 §4.1.1.1)`, () => {
    assert.equal(parseHello(argument, false), atPort25 ? argument : undefined)
    assert.equal(parseHello(argument, true), atSubmission ? argument : undefined)
  })
}
