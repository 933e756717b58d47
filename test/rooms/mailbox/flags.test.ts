import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FlagError, flagsIn, parseFlag, withFlags, withoutFlags } from '../../../shared/mailbox/flags.ts'

test('flags are read without regard to case (RFC 9051 §2.3.2)', () => {
  for (const [text, flag] of [
    ['\\Answered', '\\answered'],
    ['\\FLAGGED', '\\flagged'],
    ['\\Deleted', '\\deleted'],
    ['\\Seen', '\\seen'],
    ['\\Draft', '\\draft'],
    ['$Junk', '$junk'],
    ['$NotJunk', '$notjunk'],
    ['$Forwarded', '$forwarded'],
    ['$Phishing', '$phishing'],
    ['$MDNSent', '$mdnsent'],
    ['Custom', 'custom'],
    ['$Label1', '$label1'],
    ["a-b.c_d!#&'+,/:;<=>?@[^`|}~", "a-b.c_d!#&'+,/:;<=>?@[^`|}~"],
    ['k'.repeat(100), 'k'.repeat(100)],
  ] as const) {
    assert.equal(parseFlag(text), flag)
  }
})

test('what is neither a system flag nor a keyword is refused', () => {
  const broken = ['', ' ', 'a b', 'a\tb', 'é', '\u007f', '\\recent', '\\custom', 'k'.repeat(101)]
  for (const text of [...broken, ...[...'(){%*"\\]'].map((character) => `a${character}b`)]) {
    assert.throws(() => parseFlag(text), FlagError, JSON.stringify(text))
  }
})

test('system flags come first in their order, then keywords by the alphabet, each once', () => {
  assert.deepEqual(withFlags(['\\seen', 'work'], ['$forwarded', 'home', '\\answered', '\\seen', 'work']), [
    ...['$forwarded', '\\answered', '\\seen'],
    ...['home', 'work'],
  ])
})

test('flags that are cleared are gone, and clearing others changes nothing', () => {
  assert.deepEqual(withoutFlags(['$forwarded', '\\seen', 'work'], ['\\seen', 'home']), ['$forwarded', 'work'])
})

test('a message has at most a hundred keywords', () => {
  const keywords = Array.from({ length: 100 }, (_, place) => `k${place}`)
  assert.equal(withFlags(['\\seen'], keywords).length, 101)
  assert.throws(() => withFlags(keywords, ['one-more']), FlagError)
})

test('a mailbox tells whether its mails are junk: Junk that they are, Inbox nothing, others that they are not', () => {
  assert.deepEqual(flagsIn('Junk', ['$notjunk', '\\seen']), ['$junk', '\\seen'])
  assert.deepEqual(flagsIn('Inbox', ['$notjunk', '\\seen', 'work']), ['\\seen', 'work'])
  assert.deepEqual(flagsIn('Archive', ['$junk', '\\seen']), ['$notjunk', '\\seen'])
})
