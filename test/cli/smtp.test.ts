import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { scriptedServer } from '../adapters/net/scripted-server.ts'
import { makeAuthority, makeCertificate } from '../support/certificates.ts'
import { identityOf } from '../support/tls-server.ts'
import { zoneServer } from '../support/zone-server.ts'
import { runPostern } from './admin-server.ts'

const root = await makeAuthority({ subject: 'root' })
const leaf = await makeCertificate({ subject: 'leaf', issuer: root, names: ['mx.example', '*.y.example'] })
const identity = identityOf([leaf, root])

const directory = mkdtempSync(join(tmpdir(), 'postern-smtp-'))
const trusted = { NODE_EXTRA_CA_CERTS: join(directory, 'root.pem') }
writeFileSync(trusted.NODE_EXTRA_CA_CERTS, root.pem)
after(() => rmSync(directory, { recursive: true }))

/** Calls a server that does what a script says, by a name of its address. */
async function dial(
  t: TestContext,
  script: Parameters<typeof scriptedServer>[1],
  { host = 'mx.example', args = [], env = {} }: { host?: string; args?: string[]; env?: object } = {},
) {
  const server = await scriptedServer(t, script)
  const here = { A: ['127.0.0.1'] }
  const { address } = await zoneServer(t, { 'mx.example': here, 'no.example': {} })
  const ended = await runPostern(
    ['smtp', 'dial', `${host}:${server.port}`, '--server', address, '--ehlo', 'me', ...args],
    { ...env },
  )
  assert.equal(ended.stderr, '')
  return { ...ended, commands: server.commands, port: server.port }
}

test('postern smtp dial shows greeting, extensions and certificates, and takes leave', async (t) => {
  const script = {
    identity,
    greeting: '220-mx.example ESMTP\r\n220 hel\x1blo',
    extensions: ['SIZE 10', 'PIPELINING'],
  }
  const { stdout, status, commands, port } = await dial(t, script, { env: trusted })
  const [said, first, second] = stdout.trimEnd().split('\n\n')
  assert.deepEqual(said?.replace(/ {2,}/g, ' | ').split('\n'), [
    `host: | mx.example, port ${port}`,
    'address: | 127.0.0.1',
    'greeting: | 220-mx.example ESMTP; 220 hel lo',
    'offers: | SIZE 10, PIPELINING, STARTTLS',
    'TLS: | TLSv1.3, TLS_AES_256_GCM_SHA384',
    'offers with TLS: | SIZE 10, PIPELINING',
    'certificate: | trusted for mx.example',
  ])
  assert.match(
    String(first),
    /^certificate 1:\n {2}subject: +CN=leaf\n {2}names: +DNS:mx\.example, DNS:\*\.y\.example\n {2}issuer: +CN=root\n {2}valid: +\d{4}-.*Z to \d{4}-.*Z$/,
  )
  assert.match(String(second), /^certificate 2:\n {2}subject: +CN=root\n {2}names: +none\n/)
  assert.deepEqual(commands, ['EHLO me', 'STARTTLS', 'EHLO me', 'QUIT'])
  assert.equal(status, 0)
})

test('postern smtp dial --json shows all, and a certificate that is not trusted is no failure', async (t) => {
  const script = { identity, implicitTls: true }
  const { stdout, status } = await dial(t, script, { args: ['--tls', 'immediate', '--json'] })
  const { tls, extensions } = JSON.parse(stdout)
  assert.deepEqual([tls.trusted, tls.certificates.length, extensions, status], [false, 2, undefined, 0])
  assert.deepEqual(tls.extensions, ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'SIZE'])
})

test('postern smtp dial ends with 1 and shows what it saw where there is no session', async (t) => {
  const { stdout, status } = await dial(t, { greeting: '554 go away' })
  assert.match(stdout, /^greeting: +554 go away\nfailed: +the server answered 554 go away$/m)
  assert.equal(status, 1)
})

test('postern smtp dial ends with 1 for a name without address', async (t) => {
  const { stdout, status } = await dial(t, {}, { host: 'no.example' })
  assert.match(stdout, /^failed: +the host no\.example has no address$/m)
  assert.equal(status, 1)
})

const refused: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
  [['a..example'], /^error: host: malformed domain name "a\.\.example"/],
  [['mx.example:70000'], /^error: port: "70000" must be a number from 1 to 65535/],
  [['[::g]:25'], /^error: host: "::g" must be an IPv6 address/],
  [['mx.example', '--ehlo', 'a b'], /^error: --ehlo: "a b" must be a host name/],
]
for (const [args, expected] of refused) {
  test(`postern smtp dial ${args.join(' ')} is refused`, async () => {
    const { status, stderr } = await runPostern(['smtp', 'dial', ...args])
    assert.match(stderr, expected)
    assert.equal(status, 1)
  })
}

test('postern smtp dial knows localhost without the DNS (RFC 6761 §6.3)', async (t) => {
  const { stdout, status } = await dial(t, { extensions: [] }, { host: 'localhost', args: ['--tls', 'none'] })
  assert.match(stdout, /^address: +127\.0\.0\.1$/m)
  assert.equal(status, 0)
})
