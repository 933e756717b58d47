import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContentMemory, IncomingContent } from '../../../shared/smtp/incoming-content.ts'

const ROOM = 4_000_000
const nobody = async () => {}

test('content comes out as it came in, however it was cut, and gives its memory back', async () => {
  const memory = new ContentMemory(ROOM)
  const content = new IncomingContent(memory, 1_000_000)
  const whole = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
  for (let at = 0; at < whole.length; at += 7_777) content.append(whole.subarray(at, at + 7_777))
  const read = await content.whole(nobody)
  assert.ok(Buffer.isBuffer(read) && read.equals(whole))
  assert.ok(!memory.hasRoomFor(ROOM))
  content.release()
  content.release()
  assert.ok(memory.hasRoomFor(ROOM) && !memory.hasRoomFor(ROOM + 1))
})

test('pieces of an octet take the memory of their octets', () => {
  const memory = new ContentMemory(ROOM)
  const content = new IncomingContent(memory, 1_000_000)
  for (let octet = 0; octet < 16_384; octet++) content.append(Buffer.of(1))
  assert.ok(memory.hasRoomFor(ROOM - 16_384))
})

test('content of no octet takes nothing', async () => {
  const memory = new ContentMemory(0)
  const read = await new IncomingContent(memory, 10).whole(nobody)
  assert.equal(Buffer.isBuffer(read) && read.length, 0)
})

test('the largest size is allowed, an octet more is not, and the memory is free at once (RFC 1870 §6.3)', () => {
  const memory = new ContentMemory(ROOM)
  const content = new IncomingContent(memory, 20_000)
  content.append(Buffer.alloc(20_000))
  assert.equal(content.refusal?.code, undefined)
  content.append(Buffer.alloc(1))
  assert.equal(content.refusal?.code, 552)
  assert.ok(memory.hasRoomFor(ROOM))
  content.append(Buffer.alloc(20_000))
  assert.ok(memory.hasRoomFor(ROOM), 'what follows is dropped')
})

test('without memory the message is put off, also when only its last copy does not fit', async () => {
  for (const room of [10_000, 90_000]) {
    const content = new IncomingContent(new ContentMemory(room), 1_000_000)
    content.append(Buffer.alloc(45_000))
    const read = await content.whole(nobody)
    assert.equal('code' in read && read.code, 452, `${room}`)
  }
})
