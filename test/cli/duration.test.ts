import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from 'commander'
import { formatDuration, parseDuration } from '../../scripts/cli/duration.ts'

const durations = [
  { text: '0', nanoseconds: 0, written: '0' },
  { text: '72h', nanoseconds: 259_200_000_000_000, written: '72h' },
  { text: '1h30m', nanoseconds: 5_400_000_000_000, written: '1h30m' },
  { text: '1.5h', nanoseconds: 5_400_000_000_000, written: '1h30m' },
  { text: '90s', nanoseconds: 90_000_000_000, written: '1m30s' },
  { text: '0s', nanoseconds: 0, written: '0' },
  { text: '250ms', nanoseconds: 250_000_000, written: '0.25s' },
  { text: '3μs', nanoseconds: 3_000, written: '0.000003s' },
]

for (const { text, nanoseconds, written } of durations) {
  test(`${text} is ${nanoseconds} ns and written ${written}`, () => {
    assert.equal(parseDuration(text), nanoseconds)
    assert.equal(formatDuration(nanoseconds), written)
  })
}

for (const text of ['', '72', '3d', '-1h', '1h-', 'h', '1 h', '1h 30m', '1e3s', 'Infinity']) {
  test(`${JSON.stringify(text)} is no duration`, () => {
    assert.throws(() => parseDuration(text), InvalidArgumentError)
  })
}
