import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DmarcRecord, parseDmarcRecord } from '../../../shared/authentication/dmarc-record.ts'

const plain: DmarcRecord = { policy: 'none', strictDkim: false, strictSpf: false, percent: 100 }

const good: readonly (readonly [text: string, record: Partial<DmarcRecord>])[] = [
  ['v=DMARC1;p=none', {}],
  ['v=DMARC1; p=reject', { policy: 'reject' }],
  ['v=DMARC1; p=reject;', { policy: 'reject' }],
  ['v = DMARC1 ; p = quarantine ; ', { policy: 'quarantine' }],
  ['V=DMARC1; P=Reject', { policy: 'reject' }],
  ['v=DMARC1; p=reject; sp=none', { policy: 'reject', subdomainPolicy: 'none' }],
  ['v=DMARC1; p=none; adkim=s; aspf=s', { strictDkim: true, strictSpf: true }],
  ['v=DMARC1; p=none; adkim=R; aspf=S', { strictSpf: true }],
  ['v=DMARC1; p=none; pct=0', { percent: 0 }],
  ['v=DMARC1; p=none; pct=100', {}],
  ['v=DMARC1; p=none; ri=86400; fo=0:1:d:s; rf=afrf:iodef', {}],
  ['v=DMARC1; p=none; rua=mailto:a@y.example,mailto:b@y.example!10m', {}],
  ['v=DMARC1; p=none; ruf=mailto:a@y.example!5k , https://y.example/r', {}],
  ['v=DMARC1; p=reject; np=none; t=y; zz=1', { policy: 'reject' }],
  ['v=DMARC1; rua=mailto:a@y.example', {}],
  ['v=DMARC1; p=bogus; rua=mailto:a@y.example', {}],
  ['v=DMARC1; p=reject; sp=bogus; rua=mailto:a@y.example', {}],
]
for (const [text, record] of good) {
  test(`DMARC record (RFC 7489 §6.3): ${text}`, () => {
    assert.deepEqual(parseDmarcRecord(text), { ...plain, ...record })
  })
}

const malformed = [
  'v=DMARC1',
  'v=DMARC1;',
  'v=DMARC1 p=none',
  'v=DMARC1; p',
  'v=DMARC1; p=',
  'v=DMARC1; p=bogus',
  'v=DMARC1; p=none; sp=bogus',
  'v=DMARC1; sp=none',
  'v=DMARC1; sp=none; p=none',
  'v=DMARC1; pct=100; p=none',
  'v=DMARC1; p=none; p=reject',
  'v=DMARC1; p=none; P=reject',
  'v=DMARC1; p=none; v=DMARC1',
  'v=DMARC1; p=none;; pct=1',
  'v=DMARC1; p=none; =1',
  'v=DMARC1; p=none; 1=1',
  'v=DMARC1; p=none; adkim=x',
  'v=DMARC1; p=none; aspf=strict',
  'v=DMARC1; p=none; adkim=',
  'v=DMARC1; p=none; pct=101',
  'v=DMARC1; p=none; pct=-1',
  'v=DMARC1; p=none; pct=1.5',
  'v=DMARC1; p=none; pct=',
  'v=DMARC1; p=none; ri=day',
  'v=DMARC1; p=none; ri=4294967296',
  'v=DMARC1; p=none; fo=2',
  'v=DMARC1; p=none; fo=',
  'v=DMARC1; p=none; fo=0:',
  'v=DMARC1; p=none; rf=',
  'v=DMARC1; p=none; rf=a b',
  'v=DMARC1; p=none; rua=',
  'v=DMARC1; p=none; rua=a@y.example',
  'v=DMARC1; p=none; rua=mailto:',
  'v=DMARC1; p=none; rua=mailto:a@y.example,',
  'v=DMARC1; p=none; rua=mailto:a@y.example!10x',
  'v=DMARC1; p=none; rua=mailto:a@y.example!',
  'v=DMARC1; p=none; ruf=mailto:a@y.example b',
  'v=DMARC1; p=none; zz=\u0000',
]
for (const text of malformed) {
  test(`malformed DMARC record: ${JSON.stringify(text)}`, () => {
    assert.equal(parseDmarcRecord(text), 'malformed')
  })
}

test('other TXT records are none', () => {
  for (const text of [
    '',
    'v=spf1 -all',
    'v=dmarc1; p=none',
    'v=DMARC11; p=none',
    'p=none; v=DMARC1',
    ' v=DMARC1',
  ]) {
    assert.equal(parseDmarcRecord(text), undefined, text)
  }
})
