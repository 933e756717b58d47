import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { parseDomainName } from '../../../shared/address/domain-name.ts'
import { type DkimAlgorithm, dkimRecord, newDkimKeyPair } from '../../../shared/dkim/dkim-key.ts'
import { dkimSignatures, type Signer } from '../../../shared/dkim/sign.ts'

const domain = parseDomainName('sender.example')
const now = Date.now()
const message = [
  'From: Ada <ada@sender.example>',
  'To: you@recipient.example,',
  '\tthem@recipient.example',
  'Subject:  two  spaces ',
  'Message-ID: <1@sender.example>',
  'X-Other: not signed',
  '',
  'Hello  \t there ',
  '',
  'bye',
  '',
  '',
  '',
].join('\r\n')

const keys = {
  rsa: await signerOf('rsa-sha256', 'one'),
  ed25519: await signerOf('ed25519-sha256', 'two'),
}

suite('signatures (RFC 6376, RFC 8463), as mailauth judges them', () => {
  const cases = [
    { rule: 'RSA', signers: [keys.rsa], content: message },
    { rule: 'Ed25519', signers: [keys.ed25519], content: message },
    { rule: 'two signers', signers: [keys.rsa, keys.ed25519], content: message },
    { rule: 'no body', signers: [keys.rsa], content: message.slice(0, message.indexOf('\r\n\r\n') + 4) },
    { rule: 'a body of empty lines', signers: [keys.rsa], content: `From: a@sender.example\r\n\r\n\r\n\r\n` },
    { rule: 'a last line without end', signers: [keys.rsa], content: `${message}end \t` },
    { rule: '8-bit text', signers: [keys.ed25519], content: `Subject: voilà\r\n${message}voilà\r\nà` },
    { rule: 'a field twice', signers: [keys.rsa], content: `Subject: another\r\n${message}` },
    {
      rule: 'a body of several pieces',
      signers: [keys.rsa],
      content: `${message}${'line  with  spaces \r\n\r\n\r\n'.repeat(100_000)}`,
    },
  ]
  for (const { rule, signers, content } of cases) {
    test(rule, async () => {
      assert.deepEqual(
        await verify((await dkimSignatures(Buffer.from(content), signers, now)) + content),
        signers.map(() => 'pass'),
      )
    })
  }

  test('hold when a relay changes white space and adds fields that are not signed', async () => {
    const signed = (await dkimSignatures(Buffer.from(message), [keys.rsa], now)) + message
    const changed = signed.replace('two  spaces ', ' two spaces').replace('Hello  \t there ', 'Hello there')
    assert.deepEqual(await verify(`X-Seen: yes\r\n${changed}`), ['pass'])
  })

  const changes: readonly [string, (signed: string) => string][] = [
    ['the body', (signed) => signed.replace('bye', 'buy')],
    ['a signed field', (signed) => signed.replace('two  spaces', 'three spaces')],
    ['a second From (RFC 6376 §8.15)', (signed) => `From: eve@evil.example\r\n${signed}`],
    ['a Reply-To that was not there', (signed) => `Reply-To: eve@evil.example\r\n${signed}`],
    ['a Content-Type that was not there', (signed) => `Content-Type: text/html\r\n${signed}`],
  ]
  for (const [what, change] of changes) {
    test(`break with ${what}`, async () => {
      const signed = (await dkimSignatures(Buffer.from(message), [keys.rsa, keys.ed25519], now)) + message
      const results = await verify(change(signed))
      assert.equal(results.length, 2)
      assert.ok(!results.includes('pass'), results.join())
    })
  }

  test('any body of lines, blanks and empty lines', async () => {
    const line = fc.array(fc.constantFrom(' ', '\t', 'a', 'b', '.', '\r\n', '\r\n\r\n'), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(line, async (parts) => {
        const content = `From: a@sender.example\r\n\r\n${parts.join('')}`
        const signed = (await dkimSignatures(Buffer.from(content), [keys.ed25519], now)) + content
        assert.deepEqual(await verify(signed), ['pass'])
      }),
      { numRuns: 200 },
    )
  })

  test('say when they were made and for how long they are good, on short lines', async () => {
    const field = await dkimSignatures(Buffer.from(message), [keys.rsa], 1_800_000_000_000)
    assert.match(field, /t=1800000000; x=1800604800;/)
    assert.ok(field.split('\r\n').every((line) => line.length <= 998 && line.length < 90))
  })
})

async function signerOf(algorithm: DkimAlgorithm, selector: string): Promise<Signer & { record: string }> {
  const { privateKey, publicKey } = await newDkimKeyPair(algorithm)
  const key = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
  return { domain, selector, algorithm, privateKey: key, record: dkimRecord({ algorithm, publicKey }) }
}

async function verify(signed: string): Promise<string[]> {
  const records: Record<string, string> = Object.fromEntries(
    Object.values(keys).map(({ selector, record }) => [`${selector}._domainkey.${domain}`, record]),
  )
  const { results } = await dkimVerify(Buffer.from(signed), {
    strict: true,
    resolver: async (name: string) => [[records[name] ?? '']],
  })
  return results.map(({ status }: { status: { result: string } }) => status.result)
}
