import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransportSettings } from '../../../shared/account/options.ts'
import type { Transport } from '../../../shared/queue/transport.ts'
import { functionTransports, senderTransports } from '../../../shared/queue/transports.ts'
import { queuedMessage } from '../../support/queued-message.ts'

const never: Transport<never> = { deliver: () => Promise.reject(new Error('asked')) }
const byFunctions = functionTransports({ relay: never })
const bySender = senderTransports(never)

async function deliver(transport: Transport, settings: TransportSettings) {
  return await transport.deliver({
    transport: settings,
    hostname: 'shop.example',
    messages: [queuedMessage(), queuedMessage()],
    content: Buffer.from('Subject: hi\r\n\r\n'),
    has8bit: false,
    smtputf8: false,
  })
}

for (const [code, kind, enhancedCode] of [
  [450, 'temporary', '4.7.0'],
  [550, 'permanent', '5.7.0'],
] as const) {
  test(`AT-77: transport fail refuses every message with its code ${code}, and is no word of a remote (§11 Q25)`, async () => {
    const refusal = { kind, code, enhancedCode, error: 'no', reply: '', isOurs: true }
    const outcomes = await deliver(byFunctions, { kind: 'fail', code, message: 'no' })
    assert.deepEqual(outcomes, [refusal, refusal])
  })
}

for (const [rule, transport, settings, missing] of [
  ['what is not deployed', byFunctions, { kind: 'direct' }, /no direct delivery/],
  ['SES, where it is not there', byFunctions, { kind: 'ses' }, /no SES/],
  ['what the sender does not do', bySender, { kind: 'ses' }, /transport ses in the process/],
] as const) {
  test(`${rule} is waited for, and said`, async () => {
    const [outcome] = await deliver(transport, settings)
    assert.ok(outcome?.kind === 'temporary' && outcome.code === 0)
    assert.match(outcome.error, missing)
  })
}
