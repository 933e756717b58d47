import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulatedFailure } from '../../../shared/reception/simulated-failure.ts'

const cases: readonly [localpart: string, code: number | undefined, stage?: string, silent?: boolean][] = [
  ['someone', undefined],
  [`you+${'a'.repeat(23)}454`, undefined],
  ['someone399', undefined],
  ['someone600', undefined],
  ['x1234', undefined],
  ['permerrors', undefined],
  ['someone+temperror', 451, 'data'],
  ['permerror', 550, 'data'],
  ['a+452', 452, 'data'],
  ['a554', 554, 'data'],
  ['mailfrom+permerror', 550, 'mail'],
  ['rcptto+450', 450, 'rcpt'],
  ['b+timeout', 451, 'data', true],
]
for (const [localpart, code, stage, silent = false] of cases) {
  test(`${localpart}: ${code === undefined ? 'no failure' : `${code} at ${stage}`}`, () => {
    const failure = simulatedFailure(localpart)
    assert.equal(failure?.refusal.code, code)
    if (!failure) return
    assert.equal(failure.stage, stage)
    assert.equal(failure.silentMs > 0, silent)
    assert.equal(failure.refusal.enhancedCode, `${String(code)[0]}.0.0`)
    const [, ending = ''] = /ends in (\w+)$/.exec(failure.refusal.text) ?? []
    assert.ok(ending !== '' && localpart.endsWith(ending), 'the reply says which address it was')
  })
}
