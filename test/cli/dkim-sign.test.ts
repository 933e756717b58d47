import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { keyRecord } from '../support/dkim-signer.ts'
import { zoneServer } from '../support/zone-server.ts'
import { runPostern } from './admin-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'postern-dkim-sign-'))
after(() => rmSync(directory, { recursive: true }))

/** Writes a file, and answers where it is. */
function fileOf(name: string, content: string): string {
  const file = join(directory, name)
  writeFileSync(file, content)
  return file
}

function pemOf(key: KeyObject): string {
  return String(key.export({ format: 'pem', type: 'pkcs8' }))
}

const ed25519 = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const message = fileOf('message.eml', 'From: a@y.example\nSubject: x\n\nx\n')
const keyFile = fileOf('ed25519.pem', pemOf(ed25519.privateKey))

for (const [algorithm, { privateKey, publicKey }] of Object.entries({ ed25519, rsa })) {
  test(`RFC 6376: what postern dkim sign --whole makes with ${algorithm} is verified`, async (t) => {
    const key = fileOf(`${algorithm}.pem`, pemOf(privateKey))
    const args = ['--key', key, '--domain', 'Y.example', '--selector', 'SEL', '--whole']
    const { status, stdout } = await runPostern(['dkim', 'sign', message, ...args])
    assert.equal(status, 0)
    const { address } = await zoneServer(t, { 'sel._domainkey.y.example': { TXT: [keyRecord(publicKey)] } })
    const signed = fileOf(`${algorithm}.eml`, stdout)
    const verified = await runPostern(['dkim', 'verify', signed, '--server', address])
    assert.match(verified.stdout, /^1: pass$/m)
  })
}

test('postern dkim sign prints the field alone', async () => {
  const args = ['dkim', 'sign', message, '--key', keyFile, '--domain', 'y.example', '--selector', 'sel']
  const { stdout } = await runPostern(args)
  assert.match(stdout, /^DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed\/relaxed; d=y\.example; s=sel;\n/)
  assert.doesNotMatch(stdout, /\r|From: a@/)
  const json = JSON.parse((await runPostern([...args, '--json'])).stdout) as object
  assert.deepEqual(Object.keys(json), ['algorithm', 'field'])
})

const good = { '--key': keyFile, '--domain': 'y.example', '--selector': 'sel' }
const refused: readonly (readonly [file: string, options: Record<string, string>, stderr: RegExp])[] = [
  [message, { ...good, '--key': message }, /^error: --key: must be a private key as PEM, not encrypted$/m],
  [message, { ...good, '--domain': 'a..b' }, /^error: --domain: malformed domain name "a\.\.b"/],
  [message, { ...good, '--selector': 'a b' }, /^error: selector: "a b" must be labels of letters/],
  [message, { '--key': keyFile, '--domain': 'y.example' }, /required option '--selector <name>'/],
]
for (const [file, options, expected] of refused) {
  test(`postern dkim sign says what it cannot do: ${expected.source}`, async () => {
    const { status, stderr } = await runPostern(['dkim', 'sign', file, ...Object.entries(options).flat()])
    assert.match(stderr, expected)
    assert.equal(status, 1)
  })
}
