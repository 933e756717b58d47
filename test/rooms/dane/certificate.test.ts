import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { readCertificate } from '../../../shared/dane/certificate.ts'
import { makeAuthority, makeCertificate } from '../../support/certificates.ts'

/** As `openssl x509 -req` makes one without extensions: version 1, which many mail servers have. */
const version1 = Buffer.from(
  [
    'MIIBIzCBywIUQG66D0oUtxUiRvSj3X9MahOtLKkwCgYIKoZIzj0EAwIwFTETMBEGA1UEAwwKbXguZXhhbXBsZTAeFw0yNjEx',
    'MjIxNjMwNDZaFw0yNjExMjMxNjMwNDZaMBUxEzARBgNVBAMMCm14LmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC',
    'AARzwqgP07AP/SZvpb0u0nc3IxJCvxP3fL9yioT/9cZynzO8xrqL57EEReGapEmbGCjw4alqd6QZaM2gQBWZNWrPMAoGCCqG',
    'SM49BAMCA0cAMEQCIHFDxlUAKyQNy7PKy6PeMnL2gE4PH9mBeN4c/Rle/UvxAiBN4JByrLCxQ5aBFarkOsN5WQ9AQKTPmum9',
    'qZUftMEFjA==',
  ].join(''),
  'base64',
)

test('RFC 5280 §4.1: the key of a certificate of version 1 is where its version would move it', () => {
  const spki = readCertificate(version1)?.spki ?? new Uint8Array()
  const digest = createHash('sha256').update(spki).digest('hex')
  // openssl pkey -pubout -outform DER | sha256sum
  assert.equal(digest, '8dfc08dddd447760e4ff55b923afc69d6122f5d97361f509cc57dee8d122e781')
})

test('RFC 5280 §4.2.1.9: how many authorities may follow is read, and is unlimited where nothing says so', async () => {
  const lengths = [undefined, 0, 3, 200].map(async (pathLength) => {
    const authority = await makeAuthority(pathLength === undefined ? {} : { pathLength })
    return readCertificate(authority.der)?.pathLength
  })
  assert.deepEqual(await Promise.all(lengths), [Number.POSITIVE_INFINITY, 0, 3, 200])
})

test('no prefix of a certificate is one, and none breaks the reader', async () => {
  const { der } = await makeCertificate({ names: ['mx.example'] })
  for (let length = 0; length < der.length; length += 1) {
    assert.equal(readCertificate(der.subarray(0, length)), undefined)
  }
})
