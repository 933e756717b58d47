import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { keyRecord, signDkim } from '../support/dkim-signer.ts'
import type { FakeZone } from '../support/fake-dns.ts'
import { zoneServer } from '../support/zone-server.ts'
import { runPostern } from './admin-server.ts'

const ed25519 = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ED25519 = keyRecord(ed25519.publicKey)
const RSA = keyRecord(rsa.publicKey, 'v=DKIM1; t=y')
const ZONE: FakeZone = {
  'sel._domainkey.y.example': { TXT: ['v=spf1 -all', ED25519] },
  'rsa._domainkey.y.example': { TXT: [RSA], authentic: false },
  'old._domainkey.y.example': { TXT: ['v=DKIM1; k=ed25519; p='] },
  'new._domainkey.y.example': { TXT: ['v=DKIM1; k=new; p=YQ=='] },
  'two._domainkey.y.example': { TXT: [ED25519, RSA] },
}

const lookups: readonly (readonly [selector: string, status: number, lines: readonly string[]])[] = [
  ['sel', 0, [`record:  ${ED25519}`, 'dnssec:  with dnssec', 'key:     ed25519']],
  ['SEL', 0, [`record:  ${ED25519}`, 'dnssec:  with dnssec', 'key:     ed25519']],
  [
    'rsa',
    0,
    [
      `record:  ${RSA}`,
      'dnssec:  without dnssec',
      'key:     rsa, 2048 bits',
      'test:    the domain only tests DKIM: what does not pass counts as not signed',
    ],
  ],
  ['old', 1, ['record:   v=DKIM1; k=ed25519; p=', 'dnssec:   with dnssec', 'problem:  the key was revoked']],
  [
    'new',
    1,
    [
      'record:   v=DKIM1; k=new; p=YQ==',
      'dnssec:   with dnssec',
      'problem:  the key is for another algorithm',
    ],
  ],
  ['two', 1, ['dnssec:   with dnssec', 'problem:  several key records']],
  ['none', 1, ['dnssec:   with dnssec', 'problem:  no key record']],
]
for (const [selector, status, lines] of lookups) {
  test(`dkim lookup ${selector} y.example`, async (t) => {
    const { address } = await zoneServer(t, ZONE)
    const ended = await runPostern(['dkim', 'lookup', selector, 'y.example', '--server', address])
    assert.deepEqual(
      { status: ended.status, stdout: ended.stdout, stderr: ended.stderr },
      { status, stdout: `${lines.join('\n')}\n`, stderr: '' },
    )
  })
}

test('dkim lookup --json prints what was found', async (t) => {
  const { address } = await zoneServer(t, ZONE)
  const { stdout } = await runPostern(['dkim', 'lookup', 'rsa', 'y.example', '--server', address, '--json'])
  const expected = { text: RSA, isTest: true, authentic: false, type: 'rsa', bits: 2048 }
  assert.deepEqual(JSON.parse(stdout), expected)
})

const MESSAGE = {
  header: 'From: ann@y.example\r\nSubject: x\r\n',
  body: 'hello\r\n',
  privateKey: ed25519.privateKey,
}

test('dkim verify shows every signature, and ends well where one passes', async (t) => {
  const lost = { ...MESSAGE, privateKey: rsa.privateKey, selector: 'rsa', body: 'hello!\r\n' }
  const old = signDkim({ ...MESSAGE, selector: 'old', tags: { i: 'ann@y.example' } })
  const [broken] = signDkim(lost).split('From: ')
  const { status, stdout, stderr } = await verify(
    t,
    old.split('From: ')[0] + (broken ?? '') + signDkim(MESSAGE),
  )
  assert.deepEqual([status, stderr], [0, ''])
  assert.deepEqual(stdout.split('\n'), [
    '1: permerror',
    '   problem:    the key was revoked',
    '   domain:     y.example',
    '   identity:   ann@y.example',
    '   selector:   old',
    '   algorithm:  ed25519-sha256',
    '   dnssec:     with dnssec',
    '',
    '2: none',
    '   problem:    the body was changed',
    '   domain:     y.example',
    '   identity:   @y.example',
    '   selector:   rsa',
    '   algorithm:  rsa-sha256, a key of 2048 bits',
    '   dnssec:     without dnssec',
    '',
    '3: pass',
    '   domain:     y.example',
    '   identity:   @y.example',
    '   selector:   sel',
    '   algorithm:  ed25519-sha256',
    '   dnssec:     with dnssec',
    '',
  ])
})

test('dkim verify takes bare LF for CRLF where there is nothing else', async (t) => {
  const { status, stdout } = await verify(t, signDkim(MESSAGE).replaceAll('\r\n', '\n'))
  assert.deepEqual([status, stdout.split('\n')[0]], [0, '1: pass'])
})

test('dkim verify --json prints the results', async (t) => {
  const { stdout } = await verify(t, signDkim(MESSAGE), '--json')
  assert.deepEqual(
    JSON.parse(stdout).map(({ result, selector }: Record<string, string>) => [result, selector]),
    [['pass', 'sel']],
  )
})

test('dkim verify ends badly where no signature passes', async (t) => {
  const changed = await verify(t, `${signDkim(MESSAGE)}more\r\n`)
  assert.deepEqual([changed.status, changed.stdout.split('\n')[0]], [1, '1: fail'])
  const unsigned = await verify(t, 'From: ann@y.example\r\n\r\n')
  assert.deepEqual([unsigned.status, unsigned.stdout], [1, 'the message has no DKIM signature\n'])
})

for (const [args, error] of [
  [['lookup', 'a b', 'y.example'], /^error: selector: "a b" must be labels of/],
  [['lookup', 'sel', 'y..example'], /^error: domain: malformed domain name/],
  [['verify', '/nowhere/message.eml'], /^error: file: ENOENT/],
] as const) {
  test(`dkim ${args.join(' ')} is refused, and says why`, async () => {
    const { status, stderr } = await runPostern(['dkim', ...args])
    assert.equal(status, 1)
    assert.match(stderr, error)
  })
}

async function verify(t: TestContext, message: string, ...args: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'postern-dkim-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'message.eml')
  writeFileSync(file, message, 'latin1')
  const { address } = await zoneServer(t, ZONE)
  return await runPostern(['dkim', 'verify', file, '--server', address, ...args])
}
