import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, type OptAnswer } from 'dns-packet'
import { encodeQuery, isReplyTo } from '../../../shared/dns/query.ts'

const question = { id: 0xabcd, type: 'A', name: 'www.example', asksForAuthenticity: true } as const
const query = encodeQuery(question)

/** The query as a response, with what else stands in it. */
function reply(change: (message: Buffer) => void = () => {}): Uint8Array {
  const message = Buffer.from(query)
  message[2] = 0x80
  change(message)
  return message
}

test('a query asks for recursion, with EDNS for 1232 octets and no signatures', () => {
  const packet = decode(Buffer.from(query))
  assert.deepEqual(packet.questions, [{ name: 'www.example', type: 'A', class: 'IN' }])
  assert.deepEqual([packet.id, packet.flag_rd, packet.flag_cd, packet.flag_qr], [0xabcd, true, false, false])
  const [edns] = packet.additionals as OptAnswer[]
  assert.ok(edns)
  const { udpPayloadSize, ednsVersion, flag_do, options } = edns
  assert.deepEqual([udpPayloadSize, ednsVersion, flag_do, options], [1232, 0, false, []])
})

test('RFC 6840 §5.7: AD is set in queries to servers that we trust, and only there', () => {
  assert.equal(decode(Buffer.from(query)).flag_ad, true)
  const other = encodeQuery({ ...question, asksForAuthenticity: false })
  assert.equal(decode(Buffer.from(other)).flag_ad, false)
})

const replies = [
  ['the same question', true, reply()],
  ['the question in other letter case', true, reply((message) => message.write('WwW', 13, 'latin1'))],
  ['more behind the question', true, Buffer.concat([reply(), Buffer.alloc(40)])],
  ['nothing behind the question', true, reply().subarray(0, -11)],
  ['another id', false, reply((message) => message.writeUInt16BE(0xabcc, 0))],
  ['the mark of a query', false, reply((message) => message.writeUInt8(0, 2))],
  ['another opcode', false, reply((message) => message.writeUInt8(0x88, 2))],
  ['another name', false, reply((message) => message.write('wwv', 13, 'latin1'))],
  ['another type', false, reply((message) => message.writeUInt16BE(28, query.length - 15))],
  ['another class', false, reply((message) => message.writeUInt16BE(3, query.length - 13))],
  [
    'a type that differs as letter cases do',
    false,
    reply((message) => message.writeUInt16BE(0x21, query.length - 15)),
  ],
  ['no question', false, reply((message) => message.writeUInt16BE(0, 4))],
  ['two questions', false, reply((message) => message.writeUInt16BE(2, 4))],
  ['half a question', false, reply().subarray(0, -12)],
  ['nothing', false, new Uint8Array()],
] as const

for (const [rule, expected, message] of replies) {
  test(`RFC 5452 §9.1: a message with ${rule} is ${expected ? '' : 'not '}the reply`, () => {
    assert.equal(isReplyTo(query, message), expected)
  })
}
