import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMail } from '../../../shared/smtp/mail-parameters.ts'

const NOW = Date.parse('2026-11-22T12:00:00Z')
const DELIVERY = { isSubmission: false, tls: 'active', maxSize: 2_000, now: NOW } as const
const SUBMISSION = { ...DELIVERY, isSubmission: true } as const

const paths: readonly (readonly [argument: string, address: string | undefined | number])[] = [
  ['FROM:<>', undefined],
  ['from:<a@x.example>', 'a@x.example'],
  ['FROM: <a@x.example>', 'a@x.example'],
  ['FROM:<"a b@c>d"@x.example>', 'a b@c>d@x.example'],
  ['FROM:<@relay.example,@two.example:a@x.example>', 'a@x.example'],
  ['FROM:<a@[192.0.2.1]>', 550],
  ['FROM:<postmaster>', 501],
  ['FROM:a@x.example', 501],
  ['FROM:<a b@x.example>', 501],
  ['FROM:<a@x.example>SIZE=1', 501],
  ['FROM:<a@x_y.example>', 501],
  ['FROM <a@x.example>', 501],
  ['TO:<a@x.example>', 501],
  ['FROM:<ü@x.example>', 553],
  ['FROM:<a@ü.example>', 553],
  ['', 501],
]

for (const [argument, expected] of paths) {
  test(`MAIL ${argument}: ${expected ?? 'the null reverse-path'} (RFC 5321 §4.1.1.2)`, () => {
    const read = parseMail(argument, DELIVERY)
    const { address } = 'code' in read ? {} : read
    const found = 'code' in read ? read.code : address && `${address.localpart}@${address.domain}`
    assert.equal(found, expected)
  })
}

const parameters: readonly (readonly [text: string, expected: object | string])[] = [
  ['', {}],
  ['SIZE=0', { size: 0 }],
  ['size=2000', { size: 2_000 }],
  ['SIZE=2001', '552 5.3.4'],
  ['SIZE=99999999999999999999', '552 5.3.4'],
  ['SIZE=999999999999999999999', '501 5.5.4'],
  ['SIZE=much', '501 5.5.4'],
  ['SIZE=', '501 5.5.4'],
  ['SIZE', '501 5.5.4'],
  ['SIZE=1 SIZE=2', '501 5.5.4'],
  ['BODY=8bitmime', { body: '8BITMIME' }],
  ['BODY=7BIT', {}],
  ['BODY=BINARYMIME', '555 5.5.4'],
  ['BODY=9BIT', '501 5.5.4'],
  ['BODY', '501 5.5.4'],
  ['SMTPUTF8', { smtputf8: true }],
  ['SMTPUTF8=yes', '501 5.5.4'],
  ['REQUIRETLS', { requireTls: true }],
  ['REQUIRETLS=1', '501 5.5.4'],
  ['AUTH=<>', {}],
  ['AUTH=a+2Bb@x.example', {}],
  ['AUTH', '501 5.5.4'],
  ['AUTH=a+2b', '501 5.5.4'],
  ['RET=hdrs', { return: 'HDRS' }],
  ['RET=FULL', { return: 'FULL' }],
  ['RET=SOME', '501 5.5.4'],
  ['ENVID=a+2Bb+20c', { envelopeId: 'a+b c' }],
  ['ENVID=a+0Ab', '501 5.5.4'],
  ['ENVID=a+zz', '501 5.5.4'],
  [`ENVID=${'x'.repeat(100)}`, { envelopeId: 'x'.repeat(100) }],
  [`ENVID=${'x'.repeat(101)}`, '501 5.5.4'],
  ['MT-PRIORITY=1', '555 5.5.4'],
  ['=1', '501 5.5.4'],
  ['SIZE=1=2', '501 5.5.4'],
  ['-A', '501 5.5.4'],
  ['SIZE=1  BODY=8BITMIME ', { size: 1, body: '8BITMIME' }],
]

const usual = { body: '7BIT', smtputf8: false, requireTls: false }

for (const [text, expected] of parameters) {
  test(`MAIL parameters "${text}" are ${typeof expected === 'string' ? expected : 'read'} (RFC 5321 §4.1.1.11)`, () => {
    const read = parseMail(`FROM:<> ${text}`, SUBMISSION)
    if (typeof expected === 'string')
      assert.equal('code' in read && `${read.code} ${read.enhancedCode}`, expected)
    else assert.deepEqual(read, { ...usual, ...expected })
  })
}

const releases: readonly (readonly [text: string, expected: string])[] = [
  ['HOLDFOR=1', '2026-11-22T12:00:01.000Z for;1'],
  ['HOLDFOR=5184000', '2027-01-21T12:00:00.000Z for;5184000'],
  ['HOLDFOR=5184001', '554'],
  ['HOLDFOR=999999999', '554'],
  ['HOLDFOR=1000000000', '501'],
  ['HOLDFOR=0', '501'],
  ['HOLDFOR=00', '501'],
  ['HOLDFOR=-1', '501'],
  ['HOLDFOR=1.5', '501'],
  ['HOLDFOR=x', '501'],
  ['HOLDFOR', '501'],
  ['HOLDUNTIL=2026-11-22T12:00:01Z', '2026-11-22T12:00:01.000Z until;2026-11-22T12:00:01Z'],
  ['HOLDUNTIL=2026-12-01T00:00:00.5Z', '2026-12-01T00:00:00.500Z until;2026-12-01T00:00:00.5Z'],
  ['HOLDUNTIL=2027-01-21T12:00:00Z', '2027-01-21T12:00:00.000Z until;2027-01-21T12:00:00Z'],
  ['HOLDUNTIL=2027-01-21T12:00:01Z', '554'],
  ['HOLDUNTIL=2026-11-22T12:00:00Z', '554'],
  ['HOLDUNTIL=2026-11-21T12:00:00Z', '554'],
  ['HOLDUNTIL=2026-12-01T00:00:00+01:00', '501'],
  ['HOLDUNTIL=2026-12-01', '501'],
  ['HOLDUNTIL=2026-12-32T00:00:00Z', '501'],
  ['HOLDUNTIL=2027-02-30T00:00:00Z', '501'],
  ['HOLDUNTIL=x', '501'],
  ['HOLDUNTIL', '501'],
  ['HOLDFOR=1 HOLDFOR=1', '501'],
  ['HOLDUNTIL=2026-12-01T00:00:00Z HOLDUNTIL=2026-12-01T00:00:00Z', '501'],
  ['HOLDFOR=1 HOLDUNTIL=2026-12-01T00:00:00Z', '501'],
]

for (const [text, expected] of releases) {
  test(`AT-59: ${text} is ${expected} at submission, and unknown elsewhere (RFC 4865)`, () => {
    const read = parseMail(`FROM:<> ${text}`, SUBMISSION)
    const { futureRelease } = 'code' in read ? {} : read
    const release = futureRelease && `${new Date(futureRelease.at).toISOString()} ${futureRelease.request}`
    assert.equal('code' in read ? String(read.code) : release, expected)
    assert.ok('code' in parseMail(`FROM:<> ${text}`, DELIVERY))
  })
}

test('REQUIRETLS is unknown without TLS to be had, and needs it where it can be had (RFC 8689 §4.2)', () => {
  for (const [tls, code] of [
    ['none', 555],
    ['possible', 523],
  ] as const) {
    const read = parseMail('FROM:<> REQUIRETLS', { ...DELIVERY, tls })
    assert.equal('code' in read && read.code, code)
  }
})

test('what the submitter asks for is unknown to a server that receives (RFC 3461)', () => {
  for (const text of ['RET=FULL', 'ENVID=a']) {
    const read = parseMail(`FROM:<> ${text}`, DELIVERY)
    assert.equal('code' in read && read.code, 555)
  }
})

test('an address in UTF-8 needs SMTPUTF8 (RFC 6531 §3.4)', () => {
  const read = parseMail('FROM:<ü@ü.example> SMTPUTF8', DELIVERY)
  assert.deepEqual('address' in read && read.address, { localpart: 'ü', domain: 'xn--tda.example' })
})
