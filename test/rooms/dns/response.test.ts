import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DnsRecordType } from '../../../shared/dns/resolver.ts'
import { codes, extendedError, flags, options, read, record, response } from './wire.ts'

const address = record('www.example', 'A', '192.0.2.1')

/** The message with one octet changed: the one so many octets after the first place of `near`. */
function changed(message: Uint8Array, near: string, after: number, octet: number): Uint8Array {
  const copy = Buffer.from(message)
  const place = copy.lastIndexOf(Buffer.from(near, 'latin1')) + after
  assert.ok(place >= after && place < copy.length)
  copy[place] = octet
  return copy
}

const dataOfA = '\0\x04\xc0\0\x02\x01'
const serverFailure = (...additionals: ReturnType<typeof record>[]) =>
  response({ flags: codes.serverFailure, additionals })
const withType = (type: DnsRecordType, data: unknown) =>
  response({ answers: [record('www.example', type, data)] }, type)
const label = (text: string) => String.fromCharCode(text.length) + text

const malformed: readonly (readonly [rule: string, message: Uint8Array])[] = [
  ['nothing', new Uint8Array()],
  ['half a header', response({}).subarray(0, 6)],
  ['a header without its question', response({}).subarray(0, 12)],
  ['a record that is cut off', response({ answers: [address] }).subarray(0, -2)],
  [
    'more records counted than there are',
    changed(response({ answers: [address] }), '\x80\x80\0\x01\0\x01', 5, 2),
  ],
  ['an A record of three octets', changed(response({ answers: [address] }), dataOfA, 1, 3)],
  [
    'an A record that reaches into the next',
    changed(response({ answers: [address, address] }), dataOfA, 1, 5),
  ],
  ['an AAAA record of four octets', changed(withType('AAAA', '::1'), '\0\x10\0', 1, 4)],
  ['a CNAME that ends before its record', changed(withType('CNAME', 'a.example'), '\0\x0b\x01a', 1, 12)],
  ['an MX record that is a name only', changed(withType('MX', { exchange: 'a.b' }), '\0\x07\0\0\x01a', 1, 5)],
  [
    'TLSA data of two octets',
    changed(
      withType('TLSA', { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(0) }),
      '\0\x03\x03\x01\x01',
      1,
      2,
    ),
  ],
  ['a string of a TXT record that reaches beyond it', changed(withType('TXT', 'abc'), '\x03abc', 0, 4)],
  ['two OPT records', serverFailure(options(), options())],
  ['an extended error of one octet', serverFailure(options([15, Uint8Array.of(1)]))],
  ['an extended error of no octets', serverFailure(options([15, new Uint8Array()]))],
  [
    'an option that reaches beyond its record',
    changed(serverFailure(options([15, Uint8Array.of(0, 6)])), '\0\x0f\0\x02', 3, 3),
  ],
  [
    'a label with a dot, as owner',
    changed(response({ answers: [record('www-x.example', 'A', '192.0.2.1')] }), 'www-x', 3, 0x2e),
  ],
  ['a label with a dot, as target', changed(withType('CNAME', 'mx-a.example'), 'mx-a', 2, 0x2e)],
  [
    'a label with a dot, as mail exchange',
    changed(withType('MX', { exchange: 'mx-a.example' }), 'mx-a', 2, 0x2e),
  ],
  ['a label of 70 octets', withType('PTR', `${'a'.repeat(70)}.example`)],
  [
    'a name that points to itself',
    changed(changed(withType('CNAME', 'ab'), label('ab'), 0, 0xc0), 'ab', 0, 0xff),
  ],
  ['a name of more than 255 octets', withType('PTR', `${'a.'.repeat(130)}example`)],
]

for (const [rule, message] of malformed) {
  test(`a message with ${rule} is malformed`, () => {
    const types: readonly DnsRecordType[] = ['A', 'AAAA', 'CNAME', 'MX', 'PTR', 'TLSA', 'TXT']
    for (const type of types) assert.equal(read(message, type), 'malformed')
  })
}

test('RFC 1035 §5.3: a dot in the mailbox of a SOA record is none of our business', () => {
  const soa = record('example', 'SOA', { mname: 'ns.example', rname: 'first\\.last.example', minimum: 60 })
  assert.deepEqual(read(response({ authorities: [soa] })), {
    answer: { kind: 'no-data', authentic: false },
    ttlSeconds: 60,
  })
})

test('a compressed name is read (RFC 1035 §4.1.4)', () => {
  // The owner is a pointer to the question's name.
  const [head, tail] = [response({}), Buffer.from('c00c00010001000000050004c0000201', 'hex')]
  head[7] = 1
  assert.deepEqual(read(Buffer.concat([head, tail])), {
    answer: { kind: 'found', values: ['192.0.2.1'], canonicalName: 'www.example', authentic: false },
    ttlSeconds: 5,
  })
})

const names = [
  [0, 'other'],
  [7, 'signature expired'],
  [12, 'nsec missing'],
  [24, 'invalid data'],
  [25, 'code 25'],
  [49152, 'code 49152'],
] as const

for (const [code, name] of names) {
  test(`RFC 8914 §4: extended error ${code} is "${name}"`, () => {
    const result = read(serverFailure(options(extendedError(code, ''))))
    assert.ok(result !== 'malformed' && result.answer.kind === 'failed')
    assert.deepEqual(result.answer.extended, { code, name, text: '' })
    assert.equal(result.answer.error, `A www.example: SERVFAIL: ${name}`)
  })
}

/** Whole messages, to be spoilt. */
const sound = [
  response({ answers: [address], flags: flags.authentic }),
  response({ flags: codes.noName }),
  response({ answers: [record('www.example', 'CNAME', 'b.example'), record('b.example', 'A', '192.0.2.1')] }),
  withType('MX', { preference: 1, exchange: 'mx.example' }),
  withType('TXT', ['a', 'b'.repeat(200)]),
  withType('TLSA', { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) }),
  withType('SRV', { port: 25, target: 'mx.example' }),
  response({
    authorities: [record('example', 'SOA', { mname: 'a.example', rname: 'b.example', minimum: 1 })],
  }),
  serverFailure(
    options([10, Buffer.alloc(8)], extendedError(6, 'text'), [8, Buffer.from('00011800c00002', 'hex')]),
  ),
]
const mutation = fc.record({
  at: fc.nat(),
  octet: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x2e, 0xc0, 0xff)),
})
const spoilt = fc
  .record({
    message: fc.constantFrom(...sound),
    mutations: fc.array(mutation, { maxLength: 6 }),
    cut: fc.option(fc.nat(), { freq: 4 }),
    tail: fc.uint8Array({ maxLength: 12 }),
  })
  .map(({ message, mutations, cut, tail }) => {
    const copy = Buffer.concat([message, tail])
    for (const { at, octet } of mutations) copy[at % copy.length] = octet
    return cut === null ? copy : copy.subarray(0, cut % copy.length)
  })
const types: readonly DnsRecordType[] = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TLSA', 'TXT']

/** What may be read of any message: valid names, bounded times, and no line break in an error. */
function assertSane(message: Uint8Array, type: DnsRecordType): string {
  const result = read(message, type)
  if (result === 'malformed') return result
  const { answer, ttlSeconds } = result
  assert.ok(ttlSeconds >= 0 && ttlSeconds < 2 ** 31)
  if (answer.kind === 'failed') assert.match(answer.error, /^[^\x00-\x1f\x7f]+$/)
  if (answer.kind !== 'found') return answer.kind
  assert.ok(answer.values.length > 0)
  assert.match(answer.canonicalName, /^(?=.{1,253}$)[a-z0-9_/-]{1,63}(\.[a-z0-9_/-]{1,63})*$/)
  for (const value of answer.values) if (type === 'PTR') assert.match(String(value), /^[a-z0-9_.-]{1,253}$/)
  return answer.kind
}

test('whatever is done to a message, it is malformed or read as something sane', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(spoilt, fc.constantFrom(...types), (message, type) => {
      seen.add(assertSane(message, type))
    }),
    { numRuns: 20_000 },
  )
  assert.deepEqual([...seen].sort(), ['failed', 'found', 'malformed', 'no-data', 'no-name'])
})

test('octets at random are read without harm', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...types), (message, type) => {
      assertSane(message, type)
    }),
    { numRuns: 5_000 },
  )
})

for (const [links, isRead] of [
  [127, true],
  [128, false],
  [8000, false],
] as const) {
  test(`a message with 4000 names behind ${links} pointers each is ${isRead ? 'read' : 'malformed'}, in no time`, () => {
    const start = 23 + 2 * links
    const message = Buffer.alloc(start + 12 * 4000)
    // One record of the root with the chain as its data, then those that begin with the chain's end.
    message.writeUInt16BE(4001, 6)
    message.writeUInt16BE(99, 13)
    message.writeUInt16BE(2 * links, 21)
    for (let link = 0; link < links; link++)
      message.writeUInt16BE(0xc000 + (link === 0 ? 12 : 21 + 2 * link), 23 + 2 * link)
    for (let at = start; at < message.length; at += 12) {
      message.writeUInt16BE(0xc000 + start - 2, at)
      message.writeUInt16BE(99, at + 2)
    }
    const startedAt = performance.now()
    assert.equal(read(message) !== 'malformed', isRead)
    const tookMs = performance.now() - startedAt
    assert.ok(tookMs < 500, `${tookMs} ms`)
  })
}
