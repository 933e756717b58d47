import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { describeTlsa, formatTlsa, makeRecord, parseTlsaParameter } from '../../../shared/dane/tlsa.ts'
import { makeCertificate } from '../../support/certificates.ts'
import { associate } from '../../support/tlsa.ts'

const made = await makeCertificate({ names: ['mx.example'] })
const other = await makeCertificate()
const key = createPrivateKey(made.privateKey)
const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()

test('RFC 7218: parameters are read by number and by name, in any case', () => {
  const read = [
    ...['0', 'pkix-ta', 'PKIX-EE', 'DANE-TA', '3'].map((text) => parseTlsaParameter('usage', text)),
    ...['Cert', 'SPKI', '1'].map((text) => parseTlsaParameter('selector', text)),
    ...['full', 'sha2-256', 'SHA2-512', '0'].map((text) => parseTlsaParameter('matching type', text)),
  ]
  assert.deepEqual(read, [0, 0, 1, 2, 3, 0, 1, 1, 0, 1, 2, 0])
})

for (const [parameter, text] of [
  ['usage', '4'],
  ['usage', 'spki'],
  ['usage', ''],
  ['selector', '2'],
  ['selector', '00'],
  ['matching type', 'sha256'],
] as const) {
  test(`RFC 7218: ${parameter} ${JSON.stringify(text)} is refused, with the choices`, () => {
    assert.throws(() => parseTlsaParameter(parameter, text), {
      name: 'TlsaSyntaxError',
      message: new RegExp(`^${parameter}: ${JSON.stringify(text)} must be one of 0 \\(`),
    })
  })
}

test('RFC 6698 §2.2: a record is shown as zone files have it, and by the names of its parameters', () => {
  const record = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array([0, 255]) }
  assert.equal(formatTlsa(record), '3 1 1 00ff')
  assert.equal(describeTlsa(record), 'dane-ee spki sha2-256')
  assert.equal(describeTlsa({ ...record, usage: 200, selector: 7, matchingType: 9 }), '200 7 9')
})

for (const selector of [0, 1]) {
  for (const matchingType of [0, 1, 2]) {
    test(`RFC 6698 §2.1: makes a record 3 ${selector} ${matchingType} of the first certificate`, () => {
      const record = makeRecord(3, selector, matchingType, `${made.pem}${other.pem}${other.privateKey}`)
      assert.equal(formatTlsa(record), formatTlsa(associate(3, selector, matchingType, made)))
    })
  }
}

for (const [what, pem] of [
  ['private key', made.privateKey],
  ['SEC 1 private key', key.export({ type: 'sec1', format: 'pem' }).toString()],
  [
    'private key after its parameters',
    `-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n${made.privateKey}`,
  ],
  ['public key', publicKey],
  ['public key before a certificate', `${publicKey}${other.pem}`],
] as const) {
  test(`RFC 6698 §2.1: makes a record of a ${what}`, () => {
    assert.equal(formatTlsa(makeRecord(2, 1, 1, pem)), formatTlsa(associate(2, 1, 1, made)))
  })
}

const encrypted = key
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString()
for (const [selector, pem, message] of [
  [0, made.privateKey, 'file: selector 0 (cert) needs a certificate, and the first in it is a private key'],
  [1, 'mx.example', 'file: must have a certificate, a public key or a private key in PEM form'],
  [1, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'file: its certificate cannot be read'],
  [1, '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'file: its public key cannot be read'],
  [1, encrypted, 'file: its private key is encrypted'],
] as const) {
  test(`no record is made: ${message}`, () => {
    assert.throws(() => makeRecord(3, selector, 1, pem), { name: 'TlsaSyntaxError', message })
  })
}
