import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../scripts/eventually.ts'
import { freePorts } from '../../scripts/free-ports.ts'
import { type LocalPorts, localSeed } from '../../scripts/local-postern.ts'
import { variables } from '../../shared/runtime/names.ts'
import { smtpSession } from '../support/smtp-session.ts'
import { findTaskProcess } from '../support/task-process.ts'
import { type TestPostern, testPostern } from '../support/test-postern.ts'

/** The task is to end within so long (ECS waits longer). */
const ENDS_WITHIN_MS = 30_000

test('the bundle runs alone; told to stop, it finishes what it began, takes nothing new, and ends', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const postern = await testPostern(t)
  const { child, ports } = await startAlone(t, postern)
  const health = `http://127.0.0.1:${ports.healthPort}/health`
  await eventually('it listens', () => isListening(ports.smtpPort))
  // It may work with options that are five seconds old, from before the account was set up.
  await sleep(5_000)
  assert.equal((await fetch(health)).status, 200)

  const before = await begun(t, ports.smtpPort, 'before')
  assert.match(await before.finish(), /^250 2\./)
  const idle = await smtpSession(t, { port: ports.smtpPort })
  const during = await begun(t, ports.smtpPort, 'during')
  const exited = once(child, 'exit')
  const toldAt = performance.now()
  child.kill('SIGTERM')

  assert.match(await idle.reply(), /^421 4\.3\.2 /)
  assert.equal((await fetch(health)).status, 503)
  await assert.rejects(once(connect(ports.smtpPort, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
  assert.match(await during.finish(), /^250 2\./)
  assert.deepEqual(await exited, [0, null])
  assert.ok(performance.now() - toldAt < ENDS_WITHIN_MS)
  await eventually('both messages', async () => {
    const mails = await postern.admin.get<{ Subject: string }[]>('/mail')
    return ['before', 'during'].every((subject) => mails.some((mail) => mail.Subject === subject))
  })
})

/** Starts a second listener: only its bundle, in an empty directory, and its environment on other ports. */
async function startAlone(
  t: TestContext,
  { directory }: TestPostern,
): Promise<{ readonly child: ChildProcess; readonly ports: LocalPorts }> {
  const home = mkdtempSync(join(tmpdir(), 'postern-alone-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  mkdirSync(join(home, 'code'))
  const bundle = join(home, 'code', 'main.mjs')
  copyFileSync(join(directory, 'bundles', 'listener', 'main.mjs'), bundle)
  const ports = await freePorts()
  const child = spawn(process.execPath, [bundle], {
    cwd: home,
    env: {
      ...environmentOfListener(),
      [variables.smtpPort]: String(ports.smtpPort),
      [variables.submissionPort]: String(ports.submissionPort),
      [variables.submissionsPort]: String(ports.submissionsPort),
      [variables.healthPort]: String(ports.healthPort),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  t.after(() => void child.kill('SIGKILL'))
  return { child, ports }
}

/** What the local cloud gave the listener that it started. */
function environmentOfListener(): Readonly<Record<string, string>> {
  const { environment } =
    findTaskProcess(variables.submissionPort) ?? assert.fail('the listener is not running')
  return environment
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A message of which the first half is sent. */
async function begun(t: TestContext, port: number, subject: string): Promise<{ finish(): Promise<string> }> {
  const session = await smtpSession(t, { port })
  await session.say('EHLO client.test')
  await session.say('MAIL FROM:<sender@remote.test>')
  assert.match(await session.say(`RCPT TO:<${localSeed.address}>`), /^250 /)
  assert.match(await session.say('DATA'), /^354 /)
  session.write(`Subject: ${subject}\r\n\r\nhello\r\n`)
  // So that the half is there.
  await sleep(200)
  return { finish: () => session.say('.') }
}
