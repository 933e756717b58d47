import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifyDkim } from '../../../shared/authentication/dkim-verify.ts'
import { parseTagList } from '../../../shared/authentication/tag-list.ts'
import { type Canonicalization, canonicalizeField, hashBody } from '../../../shared/dkim/canonicalization.ts'
import { dkimPorts } from '../../support/dkim-ports.ts'

test('the example of RFC 6376 §3.4.5', async () => {
  const fields = ['A: X\r\n', 'B : Y\t\r\n\tZ  \r\n']
  const body = ' C \r\nD \t E\r\n\r\n\r\n'
  const relaxed = fields.map((field) => canonicalizeField(field, 'relaxed'))
  const simple = fields.map((field) => canonicalizeField(field, 'simple'))
  assert.deepEqual(relaxed, ['a:X', 'b:Y Z'])
  assert.deepEqual(simple, ['A: X', 'B : Y\t\r\n\tZ  '])
  assert.equal(await hashOf(body, 'relaxed'), sha256(' C\r\nD E\r\n'))
  assert.equal(await hashOf(body, 'simple'), sha256(' C \r\nD \t E\r\n'))
})

test('bodies of nothing (RFC 6376 §3.4.3, §3.4.4)', async () => {
  const nothing = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
  const emptyLine = 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY='
  const rows: readonly (readonly [body: string, way: Canonicalization, hash: string])[] = [
    ['', 'simple', emptyLine],
    ['\r\n', 'simple', emptyLine],
    ['\r\n\r\n', 'simple', emptyLine],
    ['', 'relaxed', nothing],
    ['\r\n\r\n', 'relaxed', nothing],
    [' \t\r\n \r\n', 'relaxed', nothing],
    ['x', 'simple', sha256('x\r\n')],
    ['x\r\n', 'simple', sha256('x\r\n')],
    ['x \t', 'relaxed', sha256('x\r\n')],
    ['x\r', 'relaxed', sha256('x\r\r\n')],
    ['x\n', 'simple', sha256('x\n\r\n')],
    ['\u00a0\r\n', 'relaxed', sha256('\u00a0\r\n')],
  ]
  for (const [body, way, hash] of rows) {
    assert.equal(await hashOf(body, way), hash, JSON.stringify([body, way]))
  }
})

test('white space is that of the RFC, not that of JavaScript', () => {
  assert.equal(canonicalizeField('A:\u00a0x\u000b\u00a0\r\n', 'relaxed'), 'a:\u00a0x\u000b\u00a0')
})

const lists: readonly (readonly [text: string, tags: Readonly<Record<string, string>> | undefined])[] = [
  ['a=1; b=2', { a: '1', b: '2' }],
  ['a=1;b=2;', { a: '1', b: '2' }],
  [' a = 1 2 ;\r\n\tb\r\n =\t2\r\n ', { a: '1 2', b: '2' }],
  ['a=', { a: '' }],
  ['a=x=y', { a: 'x=y' }],
  ['A=1; a=2', { A: '1', a: '2' }],
  ['', {}],
  ['a=1; a=2', undefined],
  ['a=1;; b=2', undefined],
  ['a=1; b', undefined],
  ['=1', undefined],
  ['1a=1', undefined],
  ['a-b=1', undefined],
  ['a=\u0000', undefined],
]
for (const [text, tags] of lists) {
  test(`the tag list ${JSON.stringify(text)} (RFC 6376 §3.2) is ${tags ? 'read' : 'none'}`, () => {
    const found = parseTagList(text)
    assert.deepEqual(found && Object.fromEntries(found), tags)
  })
}

test('no octets make it throw, and nothing unsigned passes', async () => {
  const whole =
    'DKIM-Signature: v=1; a=ed25519-sha256; d=y.example; s=sel; h=from:subject; ' +
    'bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA'
  const word = fc.constantFrom(
    whole,
    'DKIM-Signature: ',
    'v=1; a=rsa-sha256; ',
    'd=y.example; s=sel; h=from:subject; ',
    'bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA',
    'x=',
    ';',
    '\r\n',
    '\r\n ',
    'From: a@y.example\r\n',
    '\u0000',
    '\u00ff',
  )
  const records = fc.array(
    fc.constantFrom('v=DKIM1; k=ed25519; p=', '; ', 'A'.repeat(43), 'k=ed25519', 't=y', 'h=sha1', '='),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 20 }), records, async (words, record) => {
      const zone = { 'sel._domainkey.y.example': { TXT: [record.join('')] } }
      const results = await verifyDkim(dkimPorts(zone), Buffer.from(words.join(''), 'latin1'))
      assert.ok(results.every(({ result, problem }) => result !== 'pass' && problem !== ''))
    }),
    { numRuns: 500 },
  )
})

async function hashOf(body: string, way: Canonicalization): Promise<string> {
  return (await hashBody(Buffer.from(body, 'latin1'), way, async () => {})).toString('base64')
}

function sha256(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'latin1')).digest('base64')
}
