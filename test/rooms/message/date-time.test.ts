import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDateTime, parseDateTime } from '../../../shared/message/date-time.ts'

const dates = [
  { text: 'Fri, 21 Nov 1997 09:55:06 -0600', iso: '1997-11-21T15:55:06.000Z' },
  { text: '4 Nov 2026 12:34:56 +0000', iso: '2026-11-04T12:34:56.000Z' },
  { text: 'Thu, 13 Feb 1969 23:32 -0330 (Newfoundland Time)', iso: '1969-02-14T03:02:00.000Z' },
  { text: '21 Nov 97 09:55:06 GMT', iso: '1997-11-21T09:55:06.000Z' },
  { text: '1 jan 26 00:00:00 est', iso: '2026-01-01T05:00:00.000Z' },
  { text: '1 Jan 126 00:00:00 Z', iso: '2026-01-01T00:00:00.000Z' },
  { text: 'Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', iso: '1997-11-21T15:55:06.000Z' },
  { text: 'Fri 21 November 1997 9:55:06', iso: '1997-11-21T09:55:06.000Z' },
  { text: '30 Jun 2015 23:59:60 +0000', iso: '2015-07-01T00:00:00.000Z' },
]
for (const { text, iso } of dates) {
  test(`reads the date ${text} (RFC 5322 §3.3, §4.3)`, () => {
    assert.equal(parseDateTime(text), Date.parse(iso))
  })
}

for (const text of [
  '',
  'yesterday',
  '2026-11-04T12:34:56Z',
  '31 Feb 2026 00:00:00 +0000',
  '1 Foo 2026 00:00:00 +0000',
  '1 Jan 2026 24:00:00 +0000',
  '0 Jan 2026 00:00 +0000',
  'x'.repeat(1e6),
]) {
  test(`takes ${JSON.stringify(text.slice(0, 30))} for no date`, () => {
    assert.equal(parseDateTime(text), undefined)
  })
}

test('formats without weekday and reads it back, to the second', () => {
  assert.equal(formatDateTime(Date.UTC(2026, 10, 4, 2, 3, 4, 999)), '4 Nov 2026 02:03:04 +0000')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (second) => {
      assert.equal(parseDateTime(formatDateTime(second * 1000)), second * 1000)
    }),
  )
})
