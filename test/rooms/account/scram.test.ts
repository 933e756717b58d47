import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkClientFinal, readClientFirst, writeServerFirst } from '../../../shared/account/scram.ts'
import { scramKeysOf } from '../../support/scram-client.ts'

const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
const KEYS = scramKeysOf('pencil', 'W22ZaJ0SNY7soEsUEjb6gQ==', 4096)
const FINAL = `c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`

function dialogue(channelBinding = new Uint8Array()) {
  const clientFirst = readClientFirst('n,,n=user,r=rOprNGfwEbeRWgbNEkqO') ?? assert.fail('not read')
  return { clientFirst, nonce: NONCE, serverFirst: writeServerFirst(NONCE, KEYS), channelBinding }
}

test('RFC 7677 §3: the example of SCRAM-SHA-256, message by message', () => {
  assert.equal(dialogue().serverFirst, `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`)
  assert.deepEqual(checkClientFinal(dialogue(), KEYS, FINAL), {
    kind: 'proved',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  })
})

test('RFC 5802 §3: another password, another user, another proof proves nothing', () => {
  const other = scramKeysOf('crayon', KEYS.salt, KEYS.iterations)
  assert.equal(checkClientFinal(dialogue(), other, FINAL).kind, 'unproved')
  assert.equal(
    checkClientFinal(dialogue(), { ...KEYS, storedKey: '', serverKey: '' }, FINAL).kind,
    'unproved',
  )
  assert.equal(checkClientFinal(dialogue(), KEYS, FINAL.replace('p=dH', 'p=eH')).kind, 'unproved')
})

test('RFC 5802 §6: the channel must be the one that the client saw', () => {
  assert.equal(checkClientFinal(dialogue(Buffer.from('another channel')), KEYS, FINAL).kind, 'unbound')
  assert.equal(checkClientFinal(dialogue(), KEYS, FINAL.replace('biws', 'eSws')).kind, 'unbound')
})

const unreadableFinals = {
  'a nonce that is not the whole one': FINAL.replace(NONCE, 'rOprNGfwEbeRWgbNEkqO'),
  'no proof': `c=biws,r=${NONCE}`,
  'a proof that is not base64': FINAL.replace(/p=.*/, 'p=!!!!'),
  'a proof of another length': FINAL.replace(/p=.*/, 'p=AAAA'),
  'something after the proof': `${FINAL},x=1`,
  nothing: '',
}
for (const [rule, text] of Object.entries(unreadableFinals)) {
  test(`RFC 5802 §7: a client-final-message is refused for ${rule}`, () => {
    assert.equal(checkClientFinal(dialogue(), KEYS, text).kind, 'malformed')
  })
}

test('RFC 5802 §7: a client-first-message is read: flags, identities, escapes, extensions', () => {
  const read = readClientFirst('p=tls-exporter,a=a=2Cb,n=me=3Dyou@x.example,r=abc,z=more')
  assert.deepEqual(read, {
    flag: 'p',
    bindingName: 'tls-exporter',
    authorizationId: 'a,b',
    userName: 'me=you@x.example',
    nonce: 'abc',
    gs2Header: 'p=tls-exporter,a=a=2Cb,',
    bare: 'n=me=3Dyou@x.example,r=abc,z=more',
  })
  assert.equal(readClientFirst('y,,n=user,r=abc')?.flag, 'y')
})

const unreadableFirsts = {
  'no header of GS2': 'n=user,r=abc',
  'an unknown flag': 'x,,n=user,r=abc',
  'a mandatory extension': 'n,,m=1,n=user,r=abc',
  'no user name': 'n,,n=,r=abc',
  'no nonce': 'n,,n=user,r=',
  'a nonce with a space': 'n,,n=user,r=a b',
  'a nonce of more than 256 characters': `n,,n=user,r=${'a'.repeat(257)}`,
  'an unknown escape': 'n,,n=us=41er,r=abc',
  'an equals sign that is not escaped': 'n,,n=us=er,r=abc',
  'a zero byte': 'n,,n=us\0er,r=abc',
}
for (const [rule, text] of Object.entries(unreadableFirsts)) {
  test(`RFC 5802 §7: a client-first-message is refused for ${rule}`, () => {
    assert.equal(readClientFirst(text), undefined)
  })
}
