import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { smtpDialer } from '../../../shared/adapters/net/smtp-dialer.ts'
import { DAY } from '../../../shared/base/clock.ts'
import type { PeerProof } from '../../../shared/direct/sessions.ts'
import type { TlsFailure } from '../../../shared/transport-security/tls-failure.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates.ts'
import { identityOf } from '../../support/tls-server.ts'
import { scriptedServer } from './scripted-server.ts'
import { assertFailed, assertOpen, directRequest, sessionRequest } from './session-request.ts'
import { trustCertificate } from './trust-certificate.ts'

const root = await makeAuthority()
const good = await makeCertificate({ issuer: root, names: ['mx.example'] })
const required = { tls: 'required' } as const
const hasty = smtpDialer({ greetingMs: 300, handshakeMs: 300, inactivityMs: 300, quitMs: 200 })

const certificates: readonly (readonly [
  rule: string,
  terms: Parameters<typeof makeCertificate>[0],
  failure: Pick<TlsFailure, 'resultType' | 'reason'> | undefined,
])[] = [
  ['for the host, of a trusted authority', { issuer: root, names: ['mx.example'] }, undefined],
  ['of nobody', { names: ['mx.example'] }, { resultType: 'certificate-not-trusted', reason: '' }],
  [
    'of an unknown authority',
    { issuer: await makeAuthority(), names: ['mx.example'] },
    { resultType: 'certificate-not-trusted', reason: '' },
  ],
  [
    'for another host',
    { issuer: root, names: ['other.example'] },
    { resultType: 'certificate-host-mismatch', reason: '' },
  ],
  [
    'that names the host outside the extension only (RFC 8461 §4.1)',
    { issuer: root, subject: 'mx.example' },
    { resultType: 'certificate-host-mismatch', reason: '' },
  ],
  [
    'that has expired',
    {
      issuer: root,
      names: ['mx.example'],
      validFrom: new Date(Date.now() - 2 * DAY),
      validTo: new Date(Date.now() - DAY),
    },
    { resultType: 'certificate-expired', reason: '' },
  ],
  [
    'that is not valid yet',
    { issuer: root, names: ['mx.example'], validFrom: new Date(Date.now() + DAY / 2) },
    { resultType: 'certificate-expired', reason: '' },
  ],
  [
    'for another purpose',
    { issuer: root, names: ['mx.example'], extendedKeyUsage: '1.3.6.1.5.5.7.3.4' },
    { resultType: 'certificate-not-trusted', reason: 'invalid-purpose' },
  ],
]
for (const [rule, terms, failure] of certificates) {
  test(`a certificate ${rule} is ${failure?.resultType ?? 'trusted'}, and the session open all the same (RFC 8460 §4.3.1)`, async (t) => {
    trustCertificate(t, root.pem)
    const certificate = await makeCertificate(terms)
    const server = await scriptedServer(t, { identity: identityOf([certificate]) })
    const proofs: PeerProof[] = []
    const session = await hasty.open(
      sessionRequest(server.port, {
        judge: (proof) => {
          proofs.push(proof)
          return { kind: 'accepted', ...(!failure && { verifiedBy: 'WebPKI' }) }
        },
      }),
    )
    assertOpen(session)
    const { text, ...found } = session.proof?.webPkiFailure ?? {}
    assert.deepEqual(found, failure ?? {})
    if (failure) assert.match(text ?? '', /^TLS handshake with mx\.example:\d+: certificate /)
    assert.deepEqual(session.proof?.chain[0], certificate.der)
    assert.deepEqual(proofs, [session.proof])
    assert.equal(session.remote.tls?.isVerified, failure === undefined)
    await session.end()
  })
}

test('a server that the judge refuses hears nothing more, with a failure of the stage of TLS', async (t) => {
  const server = await scriptedServer(t, { identity: identityOf([good]) })
  const failure = {
    resultType: 'validation-failure',
    text: 'mx.example: no record matches',
    reason: 'no',
  } as const
  const none = await hasty.open(
    sessionRequest(server.port, { ...required, judge: () => ({ kind: 'refused', failure }) }),
  )
  assertFailed(none)
  assert.deepEqual([none.stage, none.error, none.failure], ['tls', failure.text, failure])
  assert.deepEqual(none.proof?.chain, [good.der])
  assert.equal(none.remote?.tls?.isVerified, false)
  assert.deepEqual(server.commands, ['EHLO here.example', 'STARTTLS', 'EHLO here.example'])
})

test('the name that SNI asks for may be another than the one a certificate is looked at for', async (t) => {
  trustCertificate(t, root.pem)
  const server = await scriptedServer(t, { identity: identityOf([good, root]) })
  const session = await hasty.open(sessionRequest(server.port, { serverName: 'base.example' }))
  assertOpen(session)
  assert.equal(session.proof?.webPkiFailure, undefined)
  assert.deepEqual(session.proof?.chain, [good.der, root.der])
  await session.end()
})

test('an IP address is asked for by no name, and its certificate is for another host', async (t) => {
  trustCertificate(t, root.pem)
  const server = await scriptedServer(t, { identity: identityOf([good]) })
  const session = await hasty.open(
    sessionRequest(server.port, { host: '127.0.0.1', serverName: '127.0.0.1' }),
  )
  assertOpen(session)
  assert.equal(session.proof?.webPkiFailure?.resultType, 'certificate-host-mismatch')
  await session.end()
})

const refusals: readonly (readonly [reply: string, code: number])[] = [
  ['454 4.7.0 not now', 454],
  ['502 5.5.1 what?', 502],
]
for (const tls of ['required', 'opportunistic'] as const) {
  for (const [reply, code] of refusals) {
    test(`${tls} STARTTLS that is answered ${code} is a failure of TLS (RFC 3207 §4)`, async (t) => {
      const server = await scriptedServer(t, {
        extensions: ['STARTTLS'],
        reply: (command) => (command === 'STARTTLS' ? reply : undefined),
      })
      const none = await hasty.open(sessionRequest(server.port, { tls }))
      assertFailed(none)
      const reason = `smtp-starttls-reply-code-${code}`
      assert.deepEqual([none.stage, none.code], ['tls', code])
      assert.deepEqual([none.failure?.resultType, none.failure?.reason], ['starttls-not-supported', reason])
      assert.ok(none.transcript?.some((line) => line.endsWith(reply)))
    })
  }
}

test('required STARTTLS is said where it is not offered', async (t) => {
  const server = await scriptedServer(t, { identity: identityOf([good]), extensions: [], reply: hiding })
  const session = await hasty.open(sessionRequest(server.port, required))
  assertOpen(session)
  assert.deepEqual(session.proof?.chain, [good.der])
  await session.end()
})

test('a server that does not know EHLO has no STARTTLS to require', async (t) => {
  const server = await scriptedServer(t, {
    reply: (command) => (command.startsWith('EHLO') ? '502 5.5.1 what?' : undefined),
  })
  const none = await hasty.open(sessionRequest(server.port, required))
  assertFailed(none)
  assert.deepEqual([none.stage, none.failure?.resultType], ['tls', 'starttls-not-supported'])
})

/** A fatal alert (RFC 8446 §6), in a record of its own. */
const alert = (number: number) => Buffer.from([21, 3, 3, 0, 2, 2, number])

const handshakes: readonly (readonly [rule: string, act: (socket: Socket) => void, reason: string])[] = [
  ['sends the alert 40', (socket) => socket.end(alert(40)), 'tls-remote-alert-40-handshake-failure'],
  ['sends the alert 70', (socket) => socket.end(alert(70)), 'tls-remote-alert-70-protocol-version'],
  ['sends the alert 112', (socket) => socket.end(alert(112)), 'tls-remote-alert-112-unrecognized-name'],
  ['speaks SMTP still', (socket) => socket.write('500 5.5.1 what?\r\n'), 'tls-record-header-error'],
  ['says nothing', () => {}, 'io-timeout-during-handshake'],
  ['closes', (socket) => socket.end(), 'connection-closed-during-handshake'],
  ['resets', (socket) => socket.resetAndDestroy(), 'connection-closed-during-handshake'],
]
for (const [rule, act, reason] of handshakes) {
  test(`a server that ${rule} when the handshake begins fails with ${reason} (RFC 8460 §4.3.1)`, async (t) => {
    const none = await hasty.open(sessionRequest(await brokenServer(t, act)))
    assertFailed(none)
    assert.deepEqual(
      [none.stage, none.code, none.failure?.resultType, none.failure?.reason],
      ['tls', 0, 'validation-failure', reason],
    )
    assert.match(none.error, /^TLS handshake with mx\.example:\d+: /)
  })
}

test('an alert after the handshake of TLS 1.3 is a failure of TLS too, with what the server had shown', async (t) => {
  const server = await scriptedServer(t, {
    identity: { ...identityOf([good]), requestCert: true, rejectUnauthorized: true },
  })
  const none = await hasty.open(sessionRequest(server.port))
  assertFailed(none)
  assert.deepEqual([none.stage, none.failure?.reason], ['tls', 'tls-remote-alert-116-certificate-required'])
  assert.deepEqual(none.proof?.chain, [good.der])
})

test('a message that demands REQUIRETLS says so where that is offered over TLS (RFC 8689 §4.2.1)', async (t) => {
  const server = await scriptedServer(t, { identity: identityOf([good]), extensions: ['REQUIRETLS'] })
  const session = await hasty.open(sessionRequest(server.port, required))
  assertOpen(session)
  const [outcome] = await session.send(directRequest(['a@x.example'], { requireTls: true }))
  assert.equal(outcome?.kind, 'accepted')
  assert.equal(outcome?.remote?.tls?.protocol, 'TLSv1.3')
  assert.ok(server.commands.includes('MAIL FROM:<from@here.example> REQUIRETLS'))
  await session.end()
})

function hiding(command: string): string | undefined {
  return command.startsWith('EHLO') ? '250 mx.example' : undefined
}

/** Takes STARTTLS, and does something else when the client says hello. */
async function brokenServer(t: TestContext, act: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    socket.write('220 mx.example\r\n')
    socket.on('data', (data: Buffer) => {
      if (data.toString().startsWith('EHLO')) socket.write('250-mx.example\r\n250 STARTTLS\r\n')
      else if (data.toString().startsWith('STARTTLS')) socket.write('220 go on\r\n')
      else act(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}
