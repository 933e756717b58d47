import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../../shared/address/address.ts'
import { arrange } from './arrange.ts'

// AT-76, §7.4: what a submission hears of special addresses.

const rows: readonly (readonly [localpart: string, stage?: string, code?: number])[] = [
  ['temperror', 'data', 451],
  ['permerror', 'data', 550],
  ['someone+temperror', 'data', 451],
  ['someone+permerror', 'data', 550],
  ['someone+400', 'data', 400],
  ['someone499', 'data', 499],
  ['someone+500', 'data', 500],
  ['someone599', 'data', 599],
  ['someone+399'],
  ['someone+600'],
  ['timeout', 'data', 451],
  ['rcptto+temperror', 'rcpt', 451],
  ['rcptto+permerror', 'rcpt', 550],
  ['rcptto+450', 'rcpt', 450],
  ['rcptto+timeout', 'rcpt', 451],
  ['queue+temperror'],
  ['queue+permerror'],
  ['queue+554'],
  // The stage of MAIL FROM is over.
  ['mailfrom+permerror'],
]
for (const [localpart, stage, code] of rows) {
  const effect = code === undefined ? 'is queued' : `is answered ${code} at ${stage}, and nothing is queued`
  test(`AT-76: a submission to ${localpart} ${effect}`, async () => {
    const { submit, rows: queued, waits } = arrange({ simulateFailures: true })
    const refused = await submit({ to: ['bob@remote.test', `${localpart}@remote.test`] })
    assert.deepEqual([refused?.stage, refused?.refusal.code], [stage, code])
    if (code) assert.equal(refused?.refusal.enhancedCode, `${String(code)[0]}.0.0`)
    assert.equal(queued.length, code === undefined ? 2 : 0)
    assert.deepEqual(waits, localpart.endsWith('timeout') ? [3_600_000] : [])
  })
}

test('AT-76: a reverse-path that begins with mailfrom fails at MAIL', async () => {
  const { submit } = arrange({ simulateFailures: true })
  const refused = await submit({ from: 'mailfrompermerror@shop.example' })
  assert.deepEqual([refused?.stage, refused?.refusal.code], ['mail', 550])
})

test('special addresses are ordinary ones where failures are not simulated', async () => {
  const { submit, rows: queued } = arrange()
  const to = ['permerror@remote.test', 'rcptto+450@remote.test', 'timeout@remote.test']
  assert.equal(await submit({ from: 'mailfrompermerror@shop.example', to }), undefined)
  assert.deepEqual(
    queued.map(({ recipient }) => recipient),
    to.map(parseAddress),
  )
})
