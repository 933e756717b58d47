import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SaslClient } from '../../../shared/account/sasl.ts'
import { saslClient } from '../../../shared/account/sasl-client.ts'
import { scramClient } from '../../../shared/account/scram-client.ts'

const text = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString()
const answerTo = async (client: SaslClient, challenge: string) => {
  const answer = await client.answer(Buffer.from(challenge))
  return 'problem' in answer ? answer.problem : text(answer.response)
}

const examples = [
  {
    rule: 'SCRAM-SHA-1 as in RFC 5802 §5',
    hash: 'sha1',
    nonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    clientFinal: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    rule: 'SCRAM-SHA-256 as in RFC 7677 §3',
    hash: 'sha256',
    nonce: 'rOprNGfwEbeRWgbNEkqO',
    serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    clientFinal:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
] as const

for (const { rule, hash, nonce, serverFirst, clientFinal, serverFinal } of examples) {
  const begin = () =>
    scramClient({ hash, nonce, username: 'user', password: 'pencil', binding: { flag: 'n' } })

  test(`the client says ${rule}`, async () => {
    const client = begin()
    assert.equal(text(client.initial), `n,,n=user,r=${nonce}`)
    assert.equal(await answerTo(client, serverFirst), clientFinal)
    assert.match(client.missing() ?? '', /has not proved/)
    assert.equal(await answerTo(client, serverFinal), '')
    assert.equal(client.missing(), undefined)
  })

  test(`the client believes no server without the password, of ${rule}`, async () => {
    const client = begin()
    await answerTo(client, serverFirst)
    const wrong = serverFinal.replace(/.(?==+$)/, 'A')
    assert.match(await answerTo(client, wrong), /does not know the password/)
    assert.notEqual(client.missing(), undefined)
  })
}

const login = { username: 'a=b,c', password: 'secret', nonce: 'abc', binding: { flag: 'n' } } as const

test('what cannot be a challenge of SCRAM, or asks for too little or too much work, is not answered', async () => {
  const challenges: readonly (readonly [challenge: string, problem: RegExp])[] = [
    ['', /none of SCRAM/],
    ['r=other,s=QSXCR+Q6sek8bf92,i=4096', /none of SCRAM/],
    ['r=abc,s=QSXCR+Q6sek8bf92,i=4096', /none of SCRAM/],
    ['r=abcd,s=*,i=4096', /none of SCRAM/],
    ['m=new,r=abcd,s=QSXCR+Q6sek8bf92,i=4096', /none of SCRAM/],
    ['r=abcd,s=QSXCR+Q6sek8bf92,i=1', /asks for 1 iterations/],
    ['r=abcd,s=QSXCR+Q6sek8bf92,i=100000000', /asks for 100000000 iterations/],
  ]
  for (const [challenge, problem] of challenges) {
    const client = saslClient({ ...login, mechanism: 'SCRAM-SHA-256' })
    assert.match(await answerTo(client, challenge), problem)
  }
})

test('a name is written so that its commas are none of SCRAM’s (RFC 5802 §5.1)', () => {
  const client = saslClient({ ...login, mechanism: 'SCRAM-SHA-256' })
  assert.equal(text(client.initial), 'n,,n=a=3Db=2Cc,r=abc')
})

test('the client says what it binds to, and that it could have (RFC 5802 §6)', async () => {
  const data = Buffer.from('bound')
  const bound = saslClient({
    ...login,
    mechanism: 'SCRAM-SHA-256-PLUS',
    binding: { flag: 'p', name: 'tls-exporter', data },
  })
  assert.match(text(bound.initial), /^p=tls-exporter,,n=/)
  const channel = Buffer.from('p=tls-exporter,,bound').toString('base64')
  assert.ok((await answerTo(bound, 'r=abcd,s=QSXCR+Q6sek8bf92,i=4096')).startsWith(`c=${channel},`))
  const could = saslClient({ ...login, mechanism: 'SCRAM-SHA-256', binding: { flag: 'y' } })
  assert.match(text(could.initial), /^y,,n=/)
})

test('CRAM-MD5 answers as in RFC 2195 §2', async () => {
  const client = saslClient({
    ...login,
    mechanism: 'CRAM-MD5',
    username: 'tim',
    password: 'tanstaaftanstaaf',
  })
  assert.equal(client.initial, undefined)
  assert.notEqual(client.missing(), undefined)
  assert.equal(
    await answerTo(client, '<1896.697170952@postoffice.reston.mci.net>'),
    'tim b913a602c7eda7a495b4e6e7334d3890',
  )
  assert.equal(client.missing(), undefined)
})

test('PLAIN says all at once (RFC 4616), LOGIN one after the other, and neither says it again', async () => {
  const plain = saslClient({ ...login, mechanism: 'PLAIN' })
  assert.equal(text(plain.initial), '\0a=b,c\0secret')
  assert.equal(await answerTo(plain, 'more'), 'the server asks for more')
  const client = saslClient({ ...login, mechanism: 'LOGIN' })
  assert.equal(await answerTo(client, 'Username:'), 'a=b,c')
  assert.equal(await answerTo(client, 'Password:'), 'secret')
  assert.equal(await answerTo(client, 'Again:'), 'the server asks for more')
})
