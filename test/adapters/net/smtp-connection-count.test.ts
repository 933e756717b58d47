import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { ConnectionLimits } from '../../../shared/limits/connection-limits.ts'
import { ContentMemory } from '../../../shared/smtp/incoming-content.ts'
import { smtpDialog } from './smtp-dialog.ts'
import { listening, testTls } from './smtp-listening.ts'

const MOST = 2

for (const how of ['that began TLS', 'that began with TLS', 'that failed to begin TLS', 'that gave up']) {
  test(`a connection ${how} counts until it ends, and no longer`, { timeout: 5_000 }, async (t) => {
    const connections = new ConnectionLimits({ most: MOST, exemptsLoopback: true })
    const { port } = await listening(t, {
      kind: how === 'that began with TLS' ? 'submissions' : 'smtp',
      tls: testTls,
      bounds: { connections, memory: new ContentMemory(1_000) },
    })
    for (let count = 0; count < 2 * MOST; count++) {
      if (how === 'that began with TLS') (await smtpDialog(t, port, '127.0.0.1', true)).hangUp()
      else await comeAndGo(port, how)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    const now = Date.now()
    assert.deepEqual([connections.enter('127.0.0.1', now), connections.enter('127.0.0.1', now)], [true, true])
    assert.equal(connections.enter('127.0.0.1', now), false)
  })
}

async function comeAndGo(port: number, how: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'data')
  if (how === 'that gave up') return void socket.destroy()
  socket.write('EHLO client.example\r\n')
  await once(socket, 'data')
  socket.write('STARTTLS\r\n')
  await once(socket, 'data')
  if (how === 'that began TLS') {
    const encrypted = connectTls({ socket, rejectUnauthorized: false })
    await once(encrypted, 'secureConnect')
    encrypted.write('EHLO client.example\r\n')
    await once(encrypted, 'data')
    encrypted.destroy()
  } else {
    socket.end('no TLS\r\n')
    socket.resume()
    await once(socket, 'close')
  }
}
