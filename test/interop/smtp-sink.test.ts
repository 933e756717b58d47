import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { smtpDialer } from '../../shared/adapters/net/smtp-dialer.ts'
import { assertOpen, directRequest, sessionRequest } from '../adapters/net/session-request.ts'
import { eventually } from '../support/eventually.ts'
import { environment as env, whyMissing } from './programs.ts'

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
  test(`smtp-sink that ${rule} is spoken with`, { skip: whyMissing('smtp-sink') }, async (t) => {
    const session = await dialer.open(sessionRequest(await startSink(t, options)))
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

async function startSink(t: TestContext, options: readonly string[]): Promise<number> {
  const reserved = createServer().listen(0, '127.0.0.1')
  await once(reserved, 'listening')
  const { port } = reserved.address() as AddressInfo
  await new Promise((done) => reserved.close(done))
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const sink = spawn('smtp-sink', [...user, ...options, `127.0.0.1:${port}`, '10'], { env, stdio: 'ignore' })
  t.after(() => sink.kill())
  await eventually('smtp-sink listens', async () => {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    return isOpen
  })
  return port
}
