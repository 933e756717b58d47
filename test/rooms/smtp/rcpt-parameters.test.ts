import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRcpt } from '../../../shared/smtp/rcpt-parameters.ts'

const RULES = { isSubmission: true, hostname: 'mx.example', smtputf8: false } as const

const rows: readonly (readonly [argument: string, expected: object | string])[] = [
  ['TO:<a@x.example>', { address: { localpart: 'a', domain: 'x.example' } }],
  ['to: <"a b"@X.example>', { address: { localpart: 'a b', domain: 'x.example' } }],
  ['TO:<Postmaster>', { address: { localpart: 'Postmaster', domain: 'mx.example' } }],
  ['TO:<>', '501 5.1.3'],
  ['TO:<a@>', '501 5.1.3'],
  ['TO:<somebody>', '501 5.1.3'],
  ['TO:<a@[IPv6:2001:db8::1]>', '550 5.1.1'],
  ['FROM:<a@x.example>', '501 5.1.3'],
  ['TO:<ü@x.example>', '553 5.6.7'],
  ['TO:<a@x.example> NOTIFY=NEVER', { notify: [] }],
  ['TO:<a@x.example> NOTIFY=success,DELAY,SUCCESS', { notify: ['SUCCESS', 'DELAY'] }],
  ['TO:<a@x.example> NOTIFY=NEVER,DELAY', '501 5.5.4'],
  ['TO:<a@x.example> NOTIFY=SOMETIMES', '501 5.5.4'],
  ['TO:<a@x.example> NOTIFY=', '501 5.5.4'],
  ['TO:<a@x.example> NOTIFY', '501 5.5.4'],
  ['TO:<a@x.example> ORCPT=rfc822;b+2Bc@y.example', { originalRecipient: 'rfc822;b+c@y.example' }],
  ['TO:<a@x.example> ORCPT=b@y.example', '501 5.5.4'],
  ['TO:<a@x.example> ORCPT=rfc822;', '501 5.5.4'],
  ['TO:<a@x.example> ORCPT=rfc822;b+0D+0Ac', '501 5.5.4'],
  [`TO:<a@x.example> ORCPT=rfc822;${'b'.repeat(493)}`, { originalRecipient: `rfc822;${'b'.repeat(493)}` }],
  [`TO:<a@x.example> ORCPT=rfc822;${'b'.repeat(494)}`, '501 5.5.4'],
  ['TO:<a@x.example> NOTIFY=DELAY NOTIFY=DELAY', '501 5.5.4'],
  ['TO:<a@x.example> SIZE=1', '555 5.5.4'],
]

for (const [argument, expected] of rows) {
  const what = typeof expected === 'string' ? expected : 'read'
  test(`RCPT ${argument.slice(0, 60)} is ${what} (RFC 5321 §4.1.1.3, RFC 3461 §4)`, () => {
    const read = parseRcpt(argument, RULES)
    if (typeof expected === 'string')
      assert.equal('code' in read && `${read.code} ${read.enhancedCode}`, expected)
    else assert.deepEqual({ ...read, ...expected }, read)
  })
}

test('a server that receives knows no parameter of RCPT', () => {
  for (const text of ['NOTIFY=NEVER', 'ORCPT=rfc822;a']) {
    const read = parseRcpt(`TO:<a@x.example> ${text}`, { ...RULES, isSubmission: false })
    assert.equal('code' in read && read.code, 555)
  }
})

test('an address in UTF-8 goes where MAIL said SMTPUTF8', () => {
  assert.ok('address' in parseRcpt('TO:<ü@x.example>', { ...RULES, smtputf8: true }))
})
