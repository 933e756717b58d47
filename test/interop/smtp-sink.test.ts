import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSmtpSink, whyNoSmtpSink } from '../../scripts/labs/smtp-sink-lab.ts'
import { smtpDialer } from '../../shared/adapters/net/smtp-dialer.ts'
import { assertOpen, directRequest, sessionRequest } from '../adapters/net/session-request.ts'

const dialer = smtpDialer({ quitMs: 1_000 })

/** Options of Postfix's smtp-sink, and what each of two messages of a session comes to, and who hung up. */
const rows: readonly (readonly [
  rule: string,
  options: readonly string[],
  outcomes: readonly string[],
  isReusable: boolean,
])[] = [
  ['takes all', [], ['accepted 250', 'accepted 250'], true],
  ['has no extensions', ['-8', '-p', '-F'], ['accepted 250', 'accepted 250'], true],
  ['knows HELO only', ['-e'], ['accepted 250', 'accepted 250'], true],
  ['refuses recipients', ['-f', 'RCPT'], ['permanent 500', 'permanent 500'], true],
  ['puts senders off', ['-r', 'MAIL'], ['temporary 450', 'temporary 450'], true],
  ['refuses what it was sent', ['-f', '.'], ['permanent 500', 'permanent 500'], true],
  ['hangs up at DATA', ['-q', 'DATA'], ['temporary 0', 'temporary 0'], false],
  ['says 421 to RCPT and hangs up', ['-Q', 'RCPT'], ['temporary 421', 'temporary 0'], false],
]
for (const [rule, options, expected, isReusable] of rows) {
  test(`smtp-sink that ${rule} is spoken with`, { skip: whyNoSmtpSink() }, async (t) => {
    const sink = await startSmtpSink(options)
    t.after(sink.stop)
    const session = await dialer.open(sessionRequest(sink.port))
    assertOpen(session)
    const outcomes = []
    for (const recipient of ['a@x.example', 'b@x.example']) {
      const [outcome] = await session.send(directRequest([recipient]))
      outcomes.push(`${outcome?.kind} ${outcome?.code}`)
    }
    assert.deepEqual(outcomes, expected)
    assert.equal(session.isReusable(), isReusable)
    await session.end()
  })
}
