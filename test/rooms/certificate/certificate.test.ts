import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { DAY } from '../../../shared/base/clock.ts'
import type { CertificateStore, StoredCertificate } from '../../../shared/certificate/certificate-store.ts'
import { keepSelfSigned } from '../../../shared/certificate/keep-self-signed.ts'
import { readKeyedCertificate } from '../../../shared/certificate/keyed-certificate.ts'
import { newPrivateKey, selfSigned } from '../../../shared/certificate/self-signed.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const clock = fakeClock()
const random = seededRandom()
const ours = await selfSigned(random, ['mail.example', 'localhost'], newPrivateKey(), clock.now())

function memoryStore(): CertificateStore & { now?: StoredCertificate } {
  return {
    async read() {
      return this.now
    },
    async replace(before, next) {
      if (this.now?.certificate !== before?.certificate) return false
      this.now = next
      return true
    },
  }
}

function portsOf(store: CertificateStore, ownClock = clock) {
  return { store, sealingSecret: async () => 'a secret', clock: ownClock, random }
}

test('a self-signed certificate is one of a server, by ECDSA P-256, for 4 years, with its names', () => {
  const read = new X509Certificate(ours.certificate)
  assert.equal(read.subjectAltName, 'DNS:mail.example, DNS:localhost')
  assert.equal(read.checkHost('mail.example'), 'mail.example')
  assert.equal(read.verify(read.publicKey), true)
  assert.equal(read.ca, false)
  assert.equal(read.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  assert.equal(read.validFromDate.getTime(), clock.now() - DAY)
  assert.equal(read.validToDate.getTime(), clock.now() + 4 * 365 * DAY)
  assert.deepEqual(read.keyUsage, ['1.3.6.1.5.5.7.3.1'])
})

test('the certificate is made once, kept with a sealed key, and the same ever after', async () => {
  const store = memoryStore()
  const made = await keepSelfSigned(portsOf(store), ['mail.example'])
  assert.equal(Buffer.from(store.now?.sealedKey ?? []).includes('PRIVATE KEY'), false)
  assert.deepEqual(await keepSelfSigned(portsOf(store), ['mail.example']), made)
})

test('of two listeners that start together, both show the certificate of the faster one', async () => {
  const store = memoryStore()
  const [one, other] = await Promise.all([
    keepSelfSigned(portsOf(store), ['mail.example']),
    keepSelfSigned(portsOf(store), ['mail.example']),
  ])
  assert.deepEqual(one, other)
})

test('RFC 6698: another name, or a certificate that ends soon, is made for the same key', async () => {
  const store = memoryStore()
  const later = fakeClock(clock.now())
  const first = await keepSelfSigned(portsOf(store, later), ['mail.example'])
  const renamed = await keepSelfSigned(portsOf(store, later), ['mx.example'])
  later.advance(4 * 365 * DAY - 59 * DAY)
  const renewed = await keepSelfSigned(portsOf(store, later), ['mx.example'])
  assert.equal(new Set([first, renamed, renewed].map(({ certificate }) => certificate)).size, 3)
  assert.equal(new Set([first, renamed, renewed].map(({ privateKey }) => privateKey)).size, 1)
  assert.equal(new X509Certificate(renewed.certificate).subjectAltName, 'DNS:mx.example')
})

const { certificate, privateKey } = ours
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const foreignKey = rsa.export({ type: 'pkcs1', format: 'pem' }).toString()

const readable = {
  'JSON with certificate and privateKey': JSON.stringify({ certificate, privateKey }),
  'two PEM blocks': `${certificate}${privateKey}`,
  'two PEM blocks in the other order, with text around them': `Bag\n${privateKey}\nsubject=\n${certificate}\n`,
}
for (const [form, text] of Object.entries(readable)) {
  test(`a secret is read: ${form}`, () => {
    const read = readKeyedCertificate(text)
    assert.equal(new X509Certificate(read.certificate).raw.equals(new X509Certificate(certificate).raw), true)
    assert.deepEqual(createPublicKey(read.privateKey), createPublicKey(privateKey))
  })
}

test('a secret is read with the whole chain, in its order', () => {
  const chain = `${certificate}${certificate}`
  assert.equal(readKeyedCertificate(`${chain}${privateKey}`).certificate.split('BEGIN CERTIFICATE').length, 3)
})

const broken = {
  'no PEM block CERTIFICATE': privateKey,
  'one PEM block PRIVATE KEY': certificate,
  'not that of the first certificate': `${certificate}${foreignKey}`,
  'JSON object and is none': '{"certificate":',
  'the texts "certificate" and "privateKey"': JSON.stringify({ certificate }),
  'CERTIFICATE cannot be read': `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${privateKey}`,
  'PRIVATE KEY cannot be read': `${certificate}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
}
for (const [problem, text] of Object.entries(broken)) {
  test(`a secret is refused, and its error says: ${problem}`, () => {
    assert.throws(() => readKeyedCertificate(text), new RegExp(problem))
  })
}
