import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SmtpInput } from '../../../shared/adapters/net/smtp-input.ts'

const all = (unread: Buffer) => ({ taken: unread.length, result: String(unread) })

test('between two pieces of content all others have their turn', async () => {
  const input = new SmtpInput()
  const turns: number[] = []
  let turn = 0
  const isRead = input.read((unread) => {
    turns.push(turn)
    return { taken: unread.length, ...(turns.length === 4 && { result: true }) }
  })
  for (let piece = 0; piece < 4; piece++) input.write(Buffer.alloc(65_536))
  while (turns.length < 4 && turn < 20) {
    await nextTurn()
    turn += 1
  }
  assert.equal(await isRead, true)
  // The first is read as it comes, in the turn before.
  assert.equal(new Set(turns.slice(1)).size, 3, `a piece in each turn, not ${turns}`)
})

test('while nobody asks, the client is to wait, and nothing is lost', async () => {
  const input = new SmtpInput()
  assert.ok(!input.write(Buffer.alloc(70_000, 'a')), 'no more is wanted')
  await nextTurn()
  assert.ok(input.hasUnread && input.writableNeedDrain)
  const drained = new Promise((done) => input.once('drain', done))
  assert.equal((await input.read(all))?.length, 70_000)
  await drained
})

test('what one reader leaves, the next one has', async () => {
  const input = new SmtpInput()
  input.write('abc')
  assert.equal(await input.read((unread) => ({ taken: 1, result: String(unread) })), 'abc')
  assert.equal(await input.read(all), 'bc')
})

test('who waits for input that has been given up hears so, and nobody hears of what comes then', async () => {
  const input = new SmtpInput()
  const waits = input.read(all)
  input.abandon()
  assert.equal(await waits, undefined)
  input.write('late')
  assert.equal(await input.read(all), undefined)
  assert.ok(!input.hasUnread)
})
