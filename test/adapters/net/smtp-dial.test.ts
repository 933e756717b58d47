import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { dialSmtp, type SmtpDial } from '../../../shared/adapters/net/smtp-dial.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates.ts'
import { identityOf } from '../../support/tls-server.ts'
import { scriptedServer } from './scripted-server.ts'
import { trustCertificate } from './trust-certificate.ts'

const root = await makeAuthority({ subject: 'root' })
const leaf = await makeCertificate({ issuer: root, names: ['mx.example'] })
const identity = identityOf([leaf, root])

/** Calls a server that does what a script says. */
async function dial(
  t: TestContext,
  script: Parameters<typeof scriptedServer>[1],
  options: Partial<SmtpDial> = {},
) {
  const { port, commands } = await scriptedServer(t, script)
  const who = { host: 'mx.example', addresses: ['127.0.0.1'], port, hostname: 'me' }
  return { peer: await dialSmtp({ ...who, tls: 'offered', timeoutMs: 5_000, ...options }), commands }
}

const hello = ['250-mx.example', '250 SIZE 10']

test('a call shows greeting, extensions before and after STARTTLS and certificates, and takes leave', async (t) => {
  trustCertificate(t, root.pem)
  const greeting = ['220-mx.example ESMTP', '220 hello']
  const script = { identity, greeting: greeting.join('\r\n'), extensions: ['SIZE 10'] }
  const { peer, commands } = await dial(t, script)
  assert.deepEqual(peer, {
    address: '127.0.0.1',
    greeting,
    helloPlain: ['250-mx.example', '250-SIZE 10', '250 STARTTLS'],
    helloSecured: hello,
    tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', chain: [leaf.der, root.der] },
  })
  assert.deepEqual(commands, ['EHLO me', 'STARTTLS', 'EHLO me', 'QUIT'])
})

test('TLS from the first octet has no plain reply to EHLO', async (t) => {
  const { peer, commands } = await dial(
    t,
    { identity, implicitTls: true, extensions: ['SIZE 10'] },
    { tls: 'immediate' },
  )
  assert.deepEqual([peer.helloPlain, peer.helloSecured, peer.tls?.protocol], [undefined, hello, 'TLSv1.3'])
  assert.deepEqual(commands, ['EHLO me', 'QUIT'])
})

const plain: readonly (readonly [what: string, script: object, options: Partial<SmtpDial>])[] = [
  ['a server without STARTTLS', {}, {}],
  ['a call without TLS', { identity }, { tls: 'none' }],
]
for (const [what, script, options] of plain) {
  test(`${what} has a session that is not encrypted`, async (t) => {
    const { peer, commands } = await dial(t, script, options)
    assert.deepEqual([peer.tls, peer.helloSecured, peer.error], [undefined, undefined, undefined])
    assert.deepEqual(commands, ['EHLO me', 'QUIT'])
  })
}

const distrusted: readonly (readonly [host: string, isTrusted: boolean, distrust: string])[] = [
  ['mx.example', false, 'certificate not accepted (SELF_SIGNED_CERT_IN_CHAIN)'],
  ['other.example', true, 'certificate is for another host name'],
  ['127.0.0.1', true, 'certificate is for another host name'],
]
for (const [host, isTrusted, distrust] of distrusted) {
  test(`a certificate that is not trusted for ${host} is shown: ${distrust}`, async (t) => {
    if (isTrusted) trustCertificate(t, root.pem)
    const { peer } = await dial(t, { identity }, { host })
    assert.deepEqual([peer.tls?.distrust, peer.tls?.chain.length, peer.error], [distrust, 2, undefined])
  })
}

const greeting = ['220 mx.example ESMTP']
const failures: readonly (readonly [
  what: string,
  script: object,
  options: Partial<SmtpDial>,
  peer: object,
])[] = [
  [
    'STARTTLS that is required, not offered and refused',
    {
      extensions: ['SIZE 10'],
      reply: (command: string) => (command === 'STARTTLS' ? '454 not now' : undefined),
    },
    { tls: 'required' },
    { greeting, helloPlain: hello, error: 'the server answered 454 not now' },
  ],
  [
    'a greeting that refuses',
    { greeting: '554 go away' },
    {},
    { greeting: ['554 go away'], error: 'the server answered 554 go away' },
  ],
  ['a server that says nothing', { greeting: null }, { timeoutMs: 200 }, { error: 'timed out' }],
]
for (const [what, script, options, expected] of failures) {
  test(`a call that fails shows what it saw: ${what}`, async (t) => {
    const { peer } = await dial(t, script, options)
    assert.deepEqual(peer, { address: '127.0.0.1', ...expected })
  })
}
