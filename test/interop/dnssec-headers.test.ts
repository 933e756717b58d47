import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { dnsLab, whyNoDnsLab } from '../../scripts/labs/dns-lab.ts'
import { localSeed } from '../../scripts/local-postern.ts'
import { variables } from '../../shared/runtime/names.ts'
import { deliverRaw } from '../support/deliver-raw.ts'
import { keyRecord, signDkim } from '../support/dkim-signer.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

const skip = whyNoDnsLab()
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = keyRecord(publicKey)
const records = `
  @ MX 10 mx
  mx A 127.0.0.1
  @ TXT "v=spf1 a:mx.signed.test -all"
  sel._domainkey TXT "${key}"
  _dmarc TXT "v=DMARC1; p=reject"
`
const reverse = '0.0.127.in-addr.arpa'

let postern: TestPostern
const ends: (() => unknown)[] = []
before(async () => {
  if (skip) return
  const lab = await dnsLab({
    'signed.test': { records, dnssec: 'signed' },
    'unsigned.test': { records, dnssec: 'unsigned' },
    'bogus.test': { records, dnssec: 'bogus' },
    [reverse]: { records: '1 PTR mx.signed.test.', dnssec: 'signed' },
  })
  ends.push(() => lab.stop())
  const listener = { [variables.skipSenderChecks]: '', [variables.dnsServers]: lab.address }
  postern = await testPostern(
    { after: (end: () => unknown) => void ends.push(end) },
    { environment: { listener } },
  )
  // The listener may work with options that are five seconds old, from before the account was set up.
  await sleep(5_000)
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

test('mail from a signed zone says so of each method', { skip }, async () => {
  const raw = await delivered('signed.test')
  assert.match(raw, /\tiprev=pass \(with dnssec\) policy\.iprev=127\.0\.0\.1;\r\n/)
  assert.match(raw, /\tdkim=pass \(with dnssec\) header\.d=signed\.test/)
  assert.match(raw, /\tspf=pass \(with dnssec\) smtp\.mailfrom=signed\.test;\r\n/)
  assert.match(raw, /\tdmarc=pass \(with dnssec\) header\.from=signed\.test\r\n/)
  assert.match(raw, /\r\n\t\(dnssec: iprev yes, dkim yes, spf yes, dmarc yes\);\r\n/)
})

test('mail from an unsigned zone says so, but for what a signed one answered', { skip }, async () => {
  const raw = await delivered('unsigned.test')
  assert.match(raw, /\tdkim=pass \(without dnssec\) header\.d=unsigned\.test/)
  assert.match(raw, /\tspf=pass \(without dnssec\) smtp\.mailfrom=unsigned\.test;\r\n/)
  assert.match(raw, /\tdmarc=pass \(without dnssec\) header\.from=unsigned\.test\r\n/)
  assert.match(raw, /\r\n\t\(dnssec: iprev yes, dkim no, spf no, dmarc no\);\r\n/)
})

test('mail from a zone whose signatures are wrong is to come again', { skip }, async () => {
  await assert.rejects(delivered('bogus.test'), /451 4\.4\.\d+ /)
})

test('what a bogus zone says of a message that another one brought is not known', { skip }, async () => {
  const raw = await delivered('bogus.test', 'signed.test')
  assert.match(raw, /\tdkim=temperror /)
  assert.match(raw, /\tdmarc=temperror /)
  assert.match(raw, /\tspf=pass \(with dnssec\) smtp\.mailfrom=signed\.test;\r\n/)
})

/** Brings a message of an author in a domain; the mail as it is stored then. */
async function delivered(domain: string, mailFromDomain = domain): Promise<string> {
  const subject = `from ${domain} by ${mailFromDomain}`
  const message = signDkim({
    header: `From: <ann@${domain}>\r\nSubject: ${subject}\r\n`,
    body: 'hello\r\n',
    privateKey,
    domain,
  })
  await deliverRaw(postern.smtpPort, `ann@${mailFromDomain}`, localSeed.address, message)
  const found = await eventually('the mail', async () => {
    const mails = await postern.admin.get<{ MsgID: number; Subject: string }[]>('/mail')
    return mails.find((mail) => mail.Subject === subject)
  })
  const raw = await postern.post('MessageRawGet', JSON.stringify({ MsgID: found.MsgID }), {
    'content-type': 'application/json',
  })
  return await raw.text()
}
