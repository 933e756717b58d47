import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { verifyDkim } from '../../../shared/authentication/dkim-verify.ts'
import { dkimPorts } from '../../support/dkim-ports.ts'
import { keyRecord } from '../../support/dkim-signer.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const record = keyRecord(publicKey)

/** Where canonicalization has something to do. */
const piece = fc.constantFrom('a', 'B', ' ', '  ', '\t', '\r\n', '\r\n\r\n', '.', ':', '=', '\u00fc')
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
const value = text.map((raw) => raw.replace(/(?:\r\n)+/g, '\r\n ').replace(/(?:\r\n[ \t]*)+$/, ''))
const canonicalization = fc.constantFrom(
  'simple/simple',
  'simple/relaxed',
  'relaxed/simple',
  'relaxed/relaxed',
)

const message = fc
  .tuple(value, value, text)
  .map(
    ([subject, comment, body]) =>
      `From: ann@y.example\r\nSubject:${subject}x\r\nX-Comment: ${comment}x\r\n\r\n${body}`,
  )

test('what mailauth signs verifies, and what was changed since verifies where mailauth says so', async () => {
  await fc.assert(
    fc.asyncProperty(message, canonicalization, fc.nat(), piece, async (unsigned, way, place, added) => {
      const signature = await sign(unsigned, way)
      const signed = signature + unsigned
      assert.deepEqual([await ours(signed), await theirs(signed)], ['pass', 'pass'])
      // Not in the signature itself: mailauth takes b= as base64 whatever else is in it.
      const at = signature.length + (place % unsigned.length)
      // Where a line break comes into the header section, fields end elsewhere, and that is judged otherwise.
      const isHeader = at < signed.indexOf('\r\n\r\n') + 4
      const changed =
        signed.slice(0, at) + (isHeader ? added.replaceAll('\r\n', '') : added) + signed.slice(at)
      assert.equal((await ours(changed)) === 'pass', (await theirs(changed)) === 'pass', changed)
    }),
    { numRuns: 200 },
  )
})

async function sign(unsigned: string, way: string): Promise<string> {
  const key = { signingDomain: 'y.example', selector: 'sel', privateKey: pem }
  // Its types do not know signatureData, without which it signs nothing.
  const options = {
    ...key,
    signatureData: [key],
    canonicalization: way,
    headerList: ['From', 'From', 'Subject', 'X-Comment'],
    signTime: new Date(Date.UTC(2026, 4, 1)),
  }
  const { signatures, errors } = await dkimSign(Buffer.from(unsigned), options)
  assert.deepEqual(errors, [])
  return signatures
}

async function ours(text: string): Promise<string | undefined> {
  const zone = { 'sel._domainkey.y.example': { TXT: [record] } }
  return (await verifyDkim(dkimPorts(zone), Buffer.from(text)))[0]?.result
}

async function theirs(text: string): Promise<string | undefined> {
  const { results } = await dkimVerify(Buffer.from(text), {
    strict: true,
    curTime: new Date(Date.UTC(2026, 5, 1)),
    resolver: async () => [[record]],
  })
  return results[0]?.status.result
}
