import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { variables } from '../../shared/runtime/names.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { keyRecord, signDkim } from '../support/dkim-signer.ts'
import type { FakeZone } from '../support/fake-dns.ts'
import { testPostern } from '../support/test-postern.ts'
import { webhookReceiver } from '../support/webhook-receiver.ts'
import { zoneServer } from '../support/zone-server.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const ZONE: FakeZone = {
  '1.0.0.127.in-addr.arpa': { PTR: ['out.remote.example'], authentic: false },
  'out.remote.example': { A: ['127.0.0.1'] },
  'remote.example': { MX: [[1, 'out.remote.example']], TXT: ['v=spf1 a:out.remote.example -all'] },
  'sel._domainkey.remote.example': { TXT: [keyRecord(publicKey)] },
  '_dmarc.remote.example': { TXT: ['v=DMARC1; p=reject'] },
  'evil.example': { A: ['192.0.2.1'] },
}

test('mail over a real socket is judged by what a DNS server tells of its sender', async (context) => {
  const dns = await zoneServer(context, ZONE)
  const postern = await testPostern(context, {
    environment: {
      listener: { [variables.skipSenderChecks]: '', [variables.dnsServers]: dns.address },
    },
  })
  const receiver = await webhookReceiver(context)
  await postern.admin.patch(`/accounts/${localSeed.account}`, {
    IncomingWebhook: { URL: receiver.url, Authorization: '' },
  })
  // So long the listener may take options to be as they were.
  await sleep(5_000)
  const message = signDkim({
    header: 'From: Ann <ann@remote.example>\r\nSubject: genuine\r\nMessage-ID: <1@remote.example>\r\n',
    body: 'hello\r\n',
    privateKey,
    domain: 'remote.example',
  })
  await assert.rejects(
    deliverRaw(postern.smtpPort, 'eve@evil.example', localSeed.address, message.replace('hello', 'pay me')),
    /550 5\.7\.26 remote\.example asks to refuse what it does not vouch for \(DMARC\)/,
  )
  await assert.rejects(
    deliverRaw(postern.smtpPort, 'eve@nowhere.example', localSeed.address, message),
    /550 5\.7\.27 .*nowhere\.example, has no mail server and no address/,
  )
  await deliverRaw(postern.smtpPort, 'ann@remote.example', localSeed.address, message)

  const call = await eventually('the call of the accepted message', () => receiver.calls[0])
  const meta = call.json.Meta as Record<string, unknown>
  const verified = {
    MailFromValidated: true,
    MsgFromValidated: true,
    DKIMVerifiedDomains: ['remote.example'],
    MailboxName: 'Inbox',
  }
  assert.partialDeepStrictEqual(meta, verified)
  const got = await postern.call('MessageGet', { MsgID: meta.MsgID })
  assert.partialDeepStrictEqual(got.json.Meta, verified)
  const raw = await postern.post('MessageRawGet', JSON.stringify({ MsgID: meta.MsgID }), {
    'content-type': 'application/json',
  })
  const text = await raw.text()
  assert.match(text, /\tiprev=pass \(without dnssec\) policy\.iprev=127\.0\.0\.1;\r\n/)
  assert.match(text, /\tdkim=pass \(2048 bit rsa, with dnssec\) header\.d=remote\.example/)
  assert.match(text, /\tspf=pass \(with dnssec\) smtp\.mailfrom=remote\.example;\r\n/)
  assert.match(text, /\tdmarc=pass \(with dnssec\) header\.from=remote\.example\r\n/)
  assert.match(text, /\r\n\t\(dnssec: iprev no, dkim yes, spf yes, dmarc yes\);\r\n/)
  // A deferred call would be of a message that was refused.
  assert.equal(receiver.calls.length, 1)
})
