import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { DkimResult } from '../../../shared/authentication/authentication.ts'
import { keyRecord, type SigningRequest, signDkim } from '../../support/dkim-signer.ts'
import type { FakeZone } from '../../support/fake-dns.ts'

/** A message, the keys in the DNS, and what must come of its first signature. */
export interface DkimCase {
  readonly rule: string
  readonly message: string
  readonly zone: FakeZone
  readonly result: DkimResult['result']
  readonly problem?: RegExp
}

/** What differs from a message that passes. */
interface Mutation {
  readonly sign?: Partial<SigningRequest>
  /** Of the signed message. */
  readonly change?: (message: string) => string
  /** What stands at `sel._domainkey.y.example`. */
  readonly txt?: readonly string[]
  readonly zone?: FakeZone
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 768 })
const ed25519 = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')

const HEADER = 'From: Ann <ann@y.example>\r\nTo: you@postern.example\r\nSubject: a  b\r\n c\r\n'
const BODY = 'Hello  you \r\n\r\n\t-- \r\nAnn\r\n\r\n\r\n'
const NAME = 'sel._domainkey.y.example'

const rsaRecord = keyRecord(rsa.publicKey)
const edRecord = keyRecord(ed25519.publicKey)

const cases: readonly (readonly [rule: string, DkimCase['result'], problem: RegExp | undefined, Mutation])[] =
  [
    ['an RSA signature', 'pass', undefined, {}],
    [
      'an Ed25519 signature',
      'pass',
      undefined,
      { sign: { privateKey: ed25519.privateKey }, txt: [edRecord] },
    ],
    ...(['simple/simple', 'simple/relaxed', 'relaxed/simple'] as const).map(
      (canonicalization) =>
        [`canonicalization ${canonicalization}`, 'pass', undefined, { sign: { canonicalization } }] as const,
    ),
    ['an empty body, simple', 'pass', undefined, { sign: { body: '', canonicalization: 'relaxed/simple' } }],
    ['an empty body, relaxed', 'pass', undefined, { sign: { body: '' } }],
    ['a body of empty lines', 'pass', undefined, { sign: { body: ' \r\n\t\r\n\r\n' } }],
    ['a body without line break', 'pass', undefined, { sign: { body: 'x' } }],
    ['a key record without v= and k=', 'pass', undefined, { txt: [rsaRecord.replace(/^.*?(?=p=)/, '')] }],
    ['a bare RSAPublicKey', 'pass', undefined, { txt: [`v=DKIM1; p=${pkcs1(rsa.publicKey)}`] }],
    ['unknown tags', 'pass', undefined, { sign: { tags: { zz: 'a(b"c' } }, txt: [`${rsaRecord}; zz=1`] }],
    ['TXT records that are no keys', 'pass', undefined, { txt: ['v=spf1 -all', rsaRecord] }],
    ['an identity below d=', 'pass', undefined, { sign: { tags: { i: 'a=2Bb@m.y.example' } } }],
    ['it expires in the future', 'pass', undefined, { sign: { tags: { t: '1', x: '99999999999' } } }],
    [
      'fields that are not signed may be added',
      'pass',
      undefined,
      { change: (text) => `X-New: 1\r\n${text}` },
    ],
    [
      'the last field of a name is signed',
      'pass',
      undefined,
      { change: (text) => `Subject: another\r\n${text}` },
    ],
    [
      'an oversigned field may not be added',
      'fail',
      /header/,
      {
        sign: { signedFields: 'From:From:Subject:Subject' },
        change: (text) => `Subject: another\r\n${text}`,
      },
    ],
    [
      'an oversigned field may not be added with a space before its colon',
      'fail',
      /header/,
      { sign: { signedFields: 'From:From:Subject' }, change: (text) => `From : eve@evil.example\r\n${text}` },
    ],
    [
      'a signed field was changed',
      'fail',
      /header/,
      { change: (text) => text.replace('Subject: a', 'Subject: b') },
    ],
    ['the body was changed', 'fail', /body/, { change: (text) => `${text}more\r\n` }],
    [
      'relaxed: white space may change',
      'pass',
      undefined,
      { change: (text) => text.replace('a  b', 'a b').replace('Hello  you ', 'Hello\tyou') },
    ],
    [
      'simple: white space may not change',
      'fail',
      /header/,
      { sign: { canonicalization: 'simple/simple' }, change: (text) => text.replace('a  b', 'a b') },
    ],
    ['of another key', 'fail', /header/, { sign: { privateKey: other.privateKey }, txt: [edRecord] }],
    ['no version', 'permerror', /no v=/, { sign: { tags: { v: '' } } }],
    ['another version', 'permerror', /version/, { sign: { tags: { v: '2' } } }],
    ['a tag twice', 'permerror', /tags/, { sign: { tags: { zz: '1; zz=2' } } }],
    ['a tag without value', 'permerror', /tags/, { sign: { tags: { zz: '1; yy' } } }],
    ['no body hash', 'permerror', /no bh=/, { sign: { tags: { bh: '' } } }],
    ['a body hash of another length', 'permerror', /bh=/, { sign: { tags: { bh: 'AAAA' } } }],
    ['From is not signed', 'permerror', /From/, { sign: { signedFields: 'Subject:To' } }],
    ['Subject is not signed', 'policy', /Subject/, { sign: { signedFields: 'From:To' } }],
    ['l=, even over the whole body', 'policy', /l=/, { sign: { tags: { l: '25' } } }],
    ['l=0', 'policy', /l=/, { sign: { tags: { l: '0' } } }],
    ['l= is no number', 'permerror', /l=/, { sign: { tags: { l: '-1' } } }],
    ['expired', 'permerror', /expired/, { sign: { tags: { x: '1700000000' } } }],
    [
      'expires before it was made',
      'permerror',
      /before/,
      { sign: { tags: { t: '99999999999', x: '99999999998' } } },
    ],
    ['rsa-sha1', 'permerror', /algorithm/, { sign: { hash: 'sha1' } }],
    ['an unknown hash', 'permerror', /algorithm/, { sign: { tags: { a: 'rsa-md5' } } }],
    ['an unknown algorithm', 'permerror', /algorithm/, { sign: { tags: { a: 'dsa-sha256' } } }],
    ['an unknown canonicalization', 'permerror', /canon/, { sign: { tags: { c: 'loose/relaxed' } } }],
    ['an unknown query method', 'permerror', /query/, { sign: { tags: { q: 'http' } } }],
    ['one known query method of several', 'pass', undefined, { sign: { tags: { q: 'http : dns/txt' } } }],
    ['an identity elsewhere', 'permerror', /i=/, { sign: { tags: { i: '@evil.example' } } }],
    [
      'an identity above d=',
      'permerror',
      /i=/,
      { sign: { domain: 'm.y.example', tags: { i: '@y.example' } } },
    ],
    ['an identity without domain', 'permerror', /i=/, { sign: { tags: { i: 'ann' } } }],
    ['a top-level domain', 'permerror', /public suffix/, atDomain('example')],
    ['a public suffix of a registry', 'permerror', /public suffix/, atDomain('co.uk')],
    ['a public suffix of a company', 'permerror', /public suffix/, atDomain('github.io')],
    ['no key record', 'permerror', /no key/, { zone: {} }],
    ['the DNS fails', 'temperror', /SERVFAIL/, { zone: { [NAME]: { fails: true } } }],
    ['a record of DKIM1 that is none', 'permerror', /no key/, { txt: ['v=DKIM1; k=rsa; bogus'] }],
    // Another result (temperror) would let a forger choose it wherever the DNS has a wildcard.
    ['a TXT record of something else', 'permerror', /no key/, { txt: ['v=spf1 -all'] }],
    ['a record of another version', 'permerror', /no key/, { txt: [rsaRecord.replace('DKIM1', 'DKIM2')] }],
    ['several keys', 'permerror', /several/, { txt: [rsaRecord, edRecord] }],
    ['the key does not allow the hash', 'permerror', /sha256/, { txt: [`${rsaRecord}; h=sha1`] }],
    ['the key allows several hashes', 'pass', undefined, { txt: [`${rsaRecord}; h=sha1 : sha256`] }],
    ['a key for another algorithm', 'permerror', /algorithm/, { txt: [edRecord] }],
    ['an unknown kind of key', 'permerror', /algorithm/, { txt: [rsaRecord.replace('k=rsa', 'k=dsa')] }],
    [
      'a key of another kind than it says',
      'permerror',
      /malformed/,
      { txt: [edRecord.replace('ed25519', 'rsa')] },
    ],
    ['a revoked key', 'permerror', /revoked/, { txt: ['v=DKIM1; p='] }],
    ['no base64', 'permerror', /malformed/, { txt: ['v=DKIM1; p=!!!!'] }],
    [
      'an RSA key of less than 1024 bits (RFC 8301 §3.2)',
      'permerror',
      /768 bits/,
      { sign: { privateKey: weak.privateKey }, txt: [keyRecord(weak.publicKey)] },
    ],
    ['a key for another service', 'permerror', /mail/, { txt: [`${rsaRecord}; s=tlsrpt`] }],
    ['a key for all services', 'pass', undefined, { txt: [`${rsaRecord}; s=tlsrpt:*`] }],
    [
      't=s: an identity below d=',
      'permerror',
      /d= itself/,
      { sign: { tags: { i: '@m.y.example' } }, txt: [`${rsaRecord}; t=s`] },
    ],
    ['t=s: the identity is d=', 'pass', undefined, { txt: [`${rsaRecord}; t=s`] }],
    [
      't=y: what does not pass was not signed',
      'none',
      /body/,
      { txt: [`${rsaRecord}; t=y`], change: (text) => `${text}more` },
    ],
    ['t=y: what passes passes', 'pass', undefined, { txt: [`${rsaRecord}; t=y:s`] }],
  ]

/** The mutations of mox's tests, and more; each has one rule that it breaks or keeps. */
export const dkimCases: readonly DkimCase[] = cases.map(([rule, result, problem, mutation]) => {
  const {
    sign = {},
    change = (text) => text,
    txt = [rsaRecord],
    zone = { [NAME]: { TXT: [...txt] } },
  } = mutation
  const message = change(signDkim({ header: HEADER, body: BODY, privateKey: rsa.privateKey, ...sign }))
  return { rule, message, zone, result, ...(problem && { problem }) }
})

function atDomain(domain: string): Mutation {
  return { sign: { domain }, zone: { [`sel._domainkey.${domain}`]: { TXT: [rsaRecord] } } }
}

function pkcs1(publicKey: KeyObject): string {
  return createPublicKey(publicKey.export({ format: 'pem', type: 'spki' }))
    .export({ format: 'der', type: 'pkcs1' })
    .toString('base64')
}
