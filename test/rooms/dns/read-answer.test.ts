import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Packet } from 'dns-packet'
import type { DnsRecordType } from '../../../shared/dns/resolver.ts'
import { codes, extendedError, flags, options, read, record, response } from './wire.ts'

const found = (values: readonly unknown[], canonicalName = 'www.example', authentic = false) => ({
  kind: 'found',
  values,
  canonicalName,
  authentic,
})

/** What is read of a response with these answers, without its TTL. */
function answerTo(answers: readonly ReturnType<typeof record>[], type: DnsRecordType = 'A') {
  const result = read(response({ answers: [...answers] }, type), type)
  return result === 'malformed' ? result : result.answer
}

const tlsa = { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from('abcd', 'hex') }
const values: readonly (readonly [type: DnsRecordType, data: unknown, value: unknown])[] = [
  ['A', '192.0.2.1', '192.0.2.1'],
  ['AAAA', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['AAAA', '::ffff:192.0.2.1', '::ffff:c000:201'],
  ['CNAME', 'Other.Example', 'other.example'],
  ['CNAME', '1.0/25.2.0.192.in-addr.arpa', '1.0/25.2.0.192.in-addr.arpa'],
  ['MX', { preference: 10, exchange: 'MX.example' }, { preference: 10, exchange: 'mx.example' }],
  ['MX', { preference: 0, exchange: '.' }, { preference: 0, exchange: '.' }],
  ['NS', 'ns_1.example', 'ns_1.example'],
  ['PTR', 'Host.example', 'host.example'],
  [
    'SRV',
    { priority: 1, weight: 2, port: 587, target: 'Mail.example' },
    { priority: 1, weight: 2, port: 587, target: 'mail.example' },
  ],
  ['SRV', { priority: 0, weight: 0, port: 0, target: '.' }, { priority: 0, weight: 0, port: 0, target: '.' }],
  ['TLSA', tlsa, { usage: 3, selector: 1, matchingType: 1, data: Uint8Array.of(0xab, 0xcd) }],
  [
    'TLSA',
    { usage: 9, selector: 8, matchingType: 7, certificate: Buffer.alloc(0) },
    { usage: 9, selector: 8, matchingType: 7, data: new Uint8Array() },
  ],
  ['TXT', ['v=spf1', ' -all'], 'v=spf1 -all'],
  ['TXT', [Buffer.from([0xe9, 0])], '\u00e9\0'],
  ['TXT', [''], ''],
]

for (const [type, data, value] of values) {
  test(`a ${type} record with ${JSON.stringify(data)} is read as ${JSON.stringify(value)}`, () => {
    assert.deepEqual(answerTo([record('www.example', type, data)], type), found([value]))
  })
}

test('RFC 6604 §3: a CNAME that was asked for is there, although the name where it leads is not', () => {
  const answers = [record('www.example', 'CNAME', 'nowhere.example')]
  const result = read(response({ answers, flags: codes.noName }, 'CNAME'), 'CNAME')
  assert.ok(result !== 'malformed')
  assert.deepEqual(result.answer, found(['nowhere.example']))
})

test('values stay in the order of the answer', () => {
  const answers = ['192.0.2.9', '192.0.2.1', '192.0.2.5'].map((data) => record('WWW.example', 'A', data))
  assert.deepEqual(answerTo(answers), found(['192.0.2.9', '192.0.2.1', '192.0.2.5']))
})

test('records of other names, types and classes are ignored', () => {
  const answers = [
    record('other.example', 'A', '192.0.2.1'),
    record('www.example', 'TXT', 'x'),
    { ...record('www.example', 'A', '192.0.2.2'), class: 'CH' } as ReturnType<typeof record>,
  ]
  assert.deepEqual(answerTo(answers), { kind: 'no-data', authentic: false })
})

const hosts: readonly (readonly [type: DnsRecordType, good: unknown, bad: unknown])[] = [
  ['CNAME', 'good.example', 'b d.example'],
  ['MX', { preference: 1, exchange: 'good.example' }, { preference: 1, exchange: 'b/d.example' }],
  ['NS', 'good.example', 'b d.example'],
  ['PTR', 'good.example', 'b@d.example'],
  ['PTR', 'good.example', 'b\r\nd.example'],
  ['PTR', 'good.example', 'b\u00fcd.example'],
  ['PTR', 'good.example', '.'],
  ['SRV', { port: 1, target: 'good.example' }, { port: 1, target: 'b d.example' }],
]

for (const [type, good, bad] of hosts) {
  test(`a ${type} record with ${JSON.stringify(bad)} is dropped, and fails where there is no other`, () => {
    const [bads, goods] = [bad, good].map((data) => record('www.example', type, data))
    assert.ok(bads && goods)
    const answer = answerTo([bads, goods], type)
    assert.ok(answer !== 'malformed' && answer.kind === 'found')
    assert.equal(answer.values.length, 1)
    assert.deepEqual(answerTo([bads], type), {
      kind: 'failed',
      error: `${type} www.example: no record of it has a valid name`,
    })
  })
}

test('CNAMEs are followed to the canonical name, in any order and letter case', () => {
  const answers = [
    record('C.example', 'A', '192.0.2.1'),
    record('b.example', 'CNAME', 'c.example'),
    record('www.example', 'CNAME', 'B.example'),
  ]
  assert.deepEqual(answerTo(answers), found(['192.0.2.1'], 'c.example'))
})

test('a question for a CNAME is not followed', () => {
  const answers = [record('www.example', 'CNAME', 'b.example'), record('b.example', 'CNAME', 'c.example')]
  assert.deepEqual(answerTo(answers, 'CNAME'), found(['b.example']))
})

test('a CNAME that leads to nothing of the type is NODATA', () => {
  assert.deepEqual(answerTo([record('www.example', 'CNAME', 'b.example')]), {
    kind: 'no-data',
    authentic: false,
  })
})

/** `www.example` leads to `1.example`, and so on, with an address at the end. */
function chain(links: number) {
  const name = (place: number) => (place === 0 ? 'www.example' : `${place}.example`)
  const aliases = Array.from({ length: links }, (_, place) => record(name(place), 'CNAME', name(place + 1)))
  return [...aliases, record(name(links), 'A', '192.0.2.1')]
}

test('a chain of 16 CNAMEs is followed, one of 17 fails', () => {
  assert.deepEqual(answerTo(chain(16)), found(['192.0.2.1'], '16.example'))
  assert.deepEqual(answerTo(chain(17)), {
    kind: 'failed',
    error: 'A www.example: too many CNAMEs, or in a circle',
  })
})

test('CNAMEs in a circle fail', () => {
  const answers = [record('www.example', 'CNAME', 'b.example'), record('b.example', 'CNAME', 'www.example')]
  assert.deepEqual(answerTo(answers), {
    kind: 'failed',
    error: 'A www.example: too many CNAMEs, or in a circle',
  })
})

test('a CNAME that leads to no valid name fails', () => {
  assert.deepEqual(answerTo([record('www.example', 'CNAME', 'b d.example')]), {
    kind: 'failed',
    error: 'A www.example: a CNAME leads to no valid name',
  })
})

const soa = record('example', 'SOA', { mname: 'ns.example', rname: 'a\\.b.example', minimum: 300 }, 900)
const negative = { authorities: [soa] }
const address = { answers: [record('www.example', 'A', '192.0.2.1')] }
interface Status {
  readonly code: number
  readonly parts: Packet
  readonly kind: string
}

const statuses: readonly Status[] = [
  { code: codes.noError, parts: address, kind: 'found' },
  { code: codes.noError, parts: negative, kind: 'no-data' },
  { code: codes.noName, parts: negative, kind: 'no-name' },
  // The code speaks of the end of a chain (RFC 2308 §2.1).
  { code: codes.noName, parts: { answers: [record('www.example', 'CNAME', 'b.example')] }, kind: 'no-name' },
]

for (const { code, parts, kind } of statuses) {
  test(`RFC 6840 §5.7: an answer of code ${code} that is ${kind} is authentic by AD of a trusted server only`, () => {
    for (const [ad, isTrusted] of [
      [true, true],
      [true, false],
      [false, true],
      [false, false],
    ] as const) {
      const message = response({ ...parts, flags: code | (ad ? flags.authentic : 0) })
      const result = read(message, 'A', 'www.example', isTrusted)
      assert.ok(result !== 'malformed' && result.answer.kind !== 'failed')
      assert.equal(result.answer.kind, kind)
      assert.equal(result.answer.authentic, ad && isTrusted)
    }
  })
}

const failures = [
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [9, 'response code 9'],
] as const

for (const [code, name] of failures) {
  test(`code ${code} fails with ${name}, whatever else the response says`, () => {
    const result = read(response({ ...address, flags: code | flags.authentic }))
    const answer = { kind: 'failed', error: `A www.example: ${name}` }
    assert.deepEqual(result, { answer, ttlSeconds: 0 })
  })
}

test('RFC 6891 §6.1.3: the upper bits of the code are in the OPT record', () => {
  const opt = { ...options(), extendedRcode: 1 } as ReturnType<typeof options>
  const result = read(response({ ...address, additionals: [opt] }))
  assert.ok(result !== 'malformed' && result.answer.kind === 'failed')
  assert.equal(result.answer.error, 'A www.example: BADVERS')
})

test('a referral by a server that does not ask others fails', () => {
  const referral = response(negative)
  referral[3] = 0
  const result = read(referral)
  assert.ok(result !== 'malformed' && result.answer.kind === 'failed')
  assert.equal(result.answer.error, 'A www.example: the server does not ask others')
})

test('RFC 8914: a failure says what the resolver said about it, the first of what it said', () => {
  const additionals = [
    options([10, Buffer.alloc(8)], extendedError(6, 'no keys\r\nfor x\0\0'), extendedError(7, '')),
  ]
  const extended = { code: 6, name: 'dnssec bogus', text: 'no keys for x' }
  const error = 'A www.example: SERVFAIL: dnssec bogus, no keys for x'
  assert.deepEqual(read(response({ flags: codes.serverFailure, additionals })), {
    answer: { kind: 'failed', error, extended },
    ttlSeconds: 0,
  })
})

const lives: readonly (readonly [rule: string, parts: Packet, code: number, ttlSeconds: number])[] = [
  [
    'the least of the records',
    { answers: [record('www.example', 'A', '192.0.2.1', 60), record('www.example', 'A', '192.0.2.2', 30)] },
    0,
    30,
  ],
  [
    'the least of the chain',
    { answers: [record('www.example', 'CNAME', 'b.example', 10), record('b.example', 'A', '192.0.2.2', 30)] },
    0,
    10,
  ],
  [
    'RFC 2181 §8: none with the first bit set',
    { answers: [record('www.example', 'A', '192.0.2.1', 2 ** 31)] },
    0,
    0,
  ],
  ['RFC 2308 §5: the minimum of the SOA record, of NODATA', negative, 0, 300],
  ['RFC 2308 §5: the minimum of the SOA record, of NXDOMAIN', negative, codes.noName, 300],
  [
    'RFC 2308 §5: no more than the TTL of the SOA record',
    { authorities: [{ ...soa, ttl: 5 } as typeof soa] },
    0,
    5,
  ],
  ['none for a negative answer without SOA record', {}, codes.noName, 0],
]

for (const [rule, parts, code, ttlSeconds] of lives) {
  test(`the time that an answer lives is ${rule}`, () => {
    const result = read(response({ ...parts, flags: code }))
    assert.ok(result !== 'malformed')
    assert.equal(result.ttlSeconds, ttlSeconds)
  })
}
